#include "session/csrf.h"

#include <array>

#include "base/text.h"
#include "session/tokens.h"

namespace nd::session {

namespace {
constexpr std::size_t kRandomBytes = 16;  // makes each token differ, so that compression cannot be used to guess one
constexpr std::size_t kRandomText = 22;
constexpr std::size_t kMacText = 43;

// `stem` is "<generation>.<random>"; the session id has a fixed alphabet without line ends.
std::string Message(std::string_view session, std::string_view stem) {
  return std::string("neuraldeck csrf 1\n").append(session).append("\n").append(stem);
}
}  // namespace

std::string CsrfTokens::Issue(std::string_view session, std::uint64_t generation, Random& random) const {
  std::string token = std::to_string(generation) + "." + RandomId(random, kRandomBytes);
  const std::array<char, 32> mac = key_.Sign(Message(session, token));
  return token.append(".").append(EncodeBase64Url({mac.data(), mac.size()}));
}

std::optional<std::uint64_t> CsrfTokens::Generation(std::string_view session, std::string_view token) const {
  if (token.size() > kCsrfMaxSize || token.size() < kRandomText + kMacText + 3) return std::nullopt;
  const std::size_t stem_size = token.size() - kMacText - 1;
  const std::size_t number_size = stem_size - kRandomText - 1;
  if (token[stem_size] != '.' || token[number_size] != '.') return std::nullopt;
  const std::optional<std::uint64_t> generation = ParseGeneration(token.substr(0, number_size));
  const std::optional<std::string> mac = DecodeBase64Url(token.substr(stem_size + 1));
  if (!generation || !mac) return std::nullopt;
  if (!key_.Verify(Message(session, token.substr(0, stem_size)), *mac)) return std::nullopt;
  return generation;
}

}  // namespace nd::session
