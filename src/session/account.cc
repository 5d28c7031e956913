#include "session/account.h"

#include <algorithm>

#include "base/text.h"
#include "session/sessions.h"

namespace nd::session {

namespace {
constexpr std::size_t kMaxUserAgent = 256;
}

Result<std::string> CanonicalUser(std::string_view text) {
  std::string name = LowerAscii(TrimSpace(text));
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto allowed = [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '@' || c == '-'; };
  if (name.empty() || name.size() > kMaxUser || !alphanumeric(name.front()) ||
      !std::all_of(name.begin(), name.end(), allowed)) {
    return InvalidInput(
        "A user name has 1 to 64 letters, digits or . _ @ - and starts with a letter or digit. Choose such a name.");
  }
  return name;
}

Result<void> CheckNewPassword(std::string_view password, std::string_view user) {
  if (password.size() < kMinPassword) {
    return InvalidInput("The password is too short. Use at least 12 characters, for example four unrelated words.");
  }
  if (password.size() > kMaxPassword) return InvalidInput("The password is too long. Use at most 256 bytes.");
  if (!IsValidUtf8(password)) return InvalidInput("The password is not valid UTF-8. Send it as UTF-8 text.");
  if (LowerAscii(TrimSpace(password)) == user) {
    return InvalidInput("The password is the user name. Choose one that nobody can guess from it.");
  }
  return {};
}

std::string CleanUserAgent(std::string_view text) {
  std::string clean(text.substr(0, kMaxUserAgent));
  // A cut through a character leaves a head without its tail: take the head away too.
  for (int i = 0; i < 3 && text.size() > kMaxUserAgent && !clean.empty() && !IsValidUtf8(clean); ++i) clean.pop_back();
  const bool utf8 = IsValidUtf8(clean);
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (!utf8 && byte >= 0x80)) c = '?';
  }
  return clean;
}

}  // namespace nd::session
