// Every other reader of text that the session room takes from outside. What is accepted must print back to the same
// text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "session/account.h"
#include "session/csrf.h"
#include "session/sessions.h"
#include "session/throttle.h"
#include "session/tokens.h"

namespace {

using namespace nd::session;

void Require(bool claim) {
  if (!claim) std::abort();
}

constexpr std::string_view kSession = "0123456789abcdefghjkmnpqrs";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static const nd::HmacSha256Key key{nd::Secret(std::string(32, 'r'))};
  static const CsrfTokens csrf{nd::Secret(std::string(32, 'c'))};

  if (const auto token = ParseRefreshToken(input)) {
    Require(input == "ndr_" + std::string(token->session) + "_" + std::to_string(token->generation) + "_" +
                         nd::EncodeBase64Url(token->mac));
    if (IsGenuine(key, *token)) Require(input == MakeRefreshToken(key, token->session, token->generation));
  }
  if (const auto token = ParseAgentToken(input)) Require(input == FormatAgentToken(token->id, token->secret));
  if (const auto secret = ParseSetupToken(input)) Require(input == FormatSetupToken(*secret));
  if (const auto generation = csrf.Generation(kSession, input)) {
    Require(input.size() <= kCsrfMaxSize && *generation >= 1 && *generation <= kMaxGeneration);
  }
  if (const auto scope = Scope::Parse(input); scope.ok()) {
    Require(scope->Text() == input);
    Require(Scope::Parse(scope->Text()).ok());
  }
  if (size > 2) {
    const std::string_view glob = input.substr(0, size / 2);
    if (const auto scope = Scope::Parse("read:" + std::string(glob)); scope.ok()) {
      scope->Matches(Scope::Kind::kRead, input.substr(size / 2));
      // Without a star a pattern matches itself and nothing else.
      if (glob.find('*') == std::string_view::npos) Require(scope->Matches(Scope::Kind::kRead, glob));
    }
  }
  if (const auto name = CanonicalUser(input); name.ok()) Require(*CanonicalUser(*name) == *name);
  if (CheckNewPassword(input, "alice").ok()) Require(size >= kMinPassword && size <= kMaxPassword);
  const std::string agent = CleanUserAgent(input);
  Require(agent.size() <= 256 && nd::IsValidUtf8(agent) && !nd::HasControlCharacter(agent));
  Require(ThrottleNetwork(input).size() <= 64);
  return 0;
}
