#include "audit/redact.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace nd::audit {

namespace {

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsUpper(c) || IsLower(c) || IsDigit(c); }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsUrlChar(char c) { return IsAlnum(c) || c == '-' || c == '_'; }              // base64url
bool IsRunChar(char c) { return IsUrlChar(c) || c == '+' || c == '/'; }            // either base64
bool IsCredentialChar(char c) { return IsRunChar(c) || c == '.' || c == '~' || c == '='; }  // RFC 9110 token68

template <class Predicate>
std::size_t EndOf(std::string_view text, std::size_t from, Predicate in) {
  while (from < text.size() && in(text[from])) ++from;
  return from;
}

// What a credential begins with, and what must follow for it to be one and not a word.
enum class Where : std::uint8_t { kWordStart, kAnywhere };       // kAnywhere: unmistakable, even glued to other text
enum class Tail : std::uint8_t { kAny, kWithDigitOrCapital };  // the latter: the prefix alone is no proof
struct Beginning {
  std::string_view prefix;
  std::size_t min_tail;
  Where where = Where::kWordStart;
  Tail tail = Tail::kAny;
};

constexpr Beginning kBeginnings[] = {
    {"nda_", 8},
    {"ndr_", 8},
    {"sk-ant-", 8, Where::kAnywhere},
    {"sk-proj-", 8, Where::kAnywhere},
    {"sk-", 16, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"sk_live_", 8},
    {"sk_test_", 8},
    {"rk_live_", 8},
    {"gsk_", 16, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"hf_", 16, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"xai-", 16, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"pplx-", 16, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"r8_", 16, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"AKIA", 12, Where::kAnywhere, Tail::kWithDigitOrCapital},
    {"ASIA", 12, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"AIza", 20, Where::kAnywhere},
    {"ghp_", 16, Where::kAnywhere},
    {"gho_", 16, Where::kAnywhere},
    {"ghu_", 16, Where::kAnywhere},
    {"ghs_", 16, Where::kAnywhere},
    {"ghr_", 16, Where::kAnywhere},
    {"github_pat_", 16, Where::kAnywhere},
    {"glpat-", 16, Where::kAnywhere},
    {"npm_", 20, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"xoxa-", 8, Where::kAnywhere},
    {"xoxb-", 8, Where::kAnywhere},
    {"xoxp-", 8, Where::kAnywhere},
    {"xoxr-", 8, Where::kAnywhere},
    {"xoxs-", 8, Where::kAnywhere},
    {"xoxe-", 8, Where::kAnywhere},
    {"xapp-", 8, Where::kWordStart, Tail::kWithDigitOrCapital},
    {"dop_v1_", 16},
};

// Ends of names whose value is a secret, lower case, without dashes and underscores.
constexpr std::string_view kSecretNames[] = {"password", "passwd",    "pwd",        "passphrase",    "secret",
                                             "token",    "apikey",    "otp",        "accesskey",     "privatekey",
                                             "authorization", "signature"};

// The position in run [begin, end) from which on it is a credential.
std::optional<std::size_t> FindBeginning(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t last_telling = begin;  // one past the last digit or capital of the run
  for (std::size_t i = end; i > begin; --i) {
    if (IsDigit(text[i - 1]) || IsUpper(text[i - 1])) {
      last_telling = i;
      break;
    }
  }
  for (std::size_t i = begin; i < end; ++i) {
    const bool word_start = i == begin || !IsAlnum(text[i - 1]);
    const std::string_view rest = text.substr(i, end - i);
    for (const Beginning& b : kBeginnings) {
      if (rest[0] != b.prefix[0] || !rest.starts_with(b.prefix)) continue;
      if (rest.size() - b.prefix.size() < b.min_tail || (b.where == Where::kWordStart && !word_start)) continue;
      if (b.tail == Tail::kWithDigitOrCapital && last_telling <= i + b.prefix.size()) continue;
      return i;
    }
  }
  return std::nullopt;
}

// A JSON web token that begins somewhere in run [begin, end): where it begins and ends.
struct Span {
  std::size_t begin;
  std::size_t end;
};
std::optional<Span> FindWebToken(std::string_view text, std::size_t begin, std::size_t end) {
  if (end >= text.size() || text[end] != '.') return std::nullopt;
  for (std::size_t i = begin; i + 8 <= end; ++i) {
    if ((i > begin && IsAlnum(text[i - 1])) || text.compare(i, 3, "eyJ") != 0) continue;
    std::size_t last = EndOf(text, end + 1, IsUrlChar);
    if (last - end < 5) return std::nullopt;
    for (int part = 0; part < 3 && last < text.size() && text[last] == '.'; ++part) {
      last = EndOf(text, last + 1, IsUrlChar);
    }
    return Span{i, last};
  }
  return std::nullopt;
}

bool NamesSecret(std::string_view name) {
  if (name.size() > 64) name.remove_prefix(name.size() - 64);
  std::string plain;
  for (const char c : name) {
    if (c != '-' && c != '_') plain.push_back(IsUpper(c) ? static_cast<char>(c + 32) : c);
  }
  return std::any_of(std::begin(kSecretNames), std::end(kSecretNames),
                     [&](std::string_view end) { return plain.ends_with(end); });
}

bool EndsPairValue(char c) {
  return static_cast<unsigned char>(c) <= ' ' || std::string_view("&\"'`;,<>)#").find(c) != std::string_view::npos;
}

class ShapePass {
 public:
  explicit ShapePass(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string Run() {
    while (at_ < text_.size()) {
      if (IsUrlChar(text_[at_])) {
        TakeRun();
      } else if (text_.compare(at_, 3, "://") == 0) {
        TakeAuthority();
      } else {
        out_.push_back(text_[at_++]);
      }
    }
    return std::move(out_);
  }

 private:
  void CopyTo(std::size_t end) {
    out_.append(text_.substr(at_, end - at_));
    at_ = end;
  }
  void DropTo(std::size_t end) {
    out_.append(kRedacted);
    at_ = end;
  }

  void TakeRun() {
    const std::size_t end = EndOf(text_, at_, IsUrlChar);
    const auto token = FindWebToken(text_, at_, end);
    const auto begin = FindBeginning(text_, at_, end);
    if (token || begin) {
      CopyTo(std::min(token ? token->begin : end, begin.value_or(end)));
      return DropTo(token ? token->end : end);
    }
    const std::string_view run = text_.substr(at_, end - at_);
    CopyTo(end);
    if (run.ends_with("-----BEGIN")) return TakePem();
    if (EqualIgnoreCase(run, "bearer") || EqualIgnoreCase(run, "basic")) return TakeCredential();
    if (end < text_.size() && text_[end] == '=' && NamesSecret(run)) return TakePairValue();
  }

  // After "-----BEGIN": if it is a private key, all to the end of its last line, or of the text.
  void TakePem() {
    const auto in_label = [](char c) { return IsUpper(c) || IsDigit(c) || c == ' '; };
    const std::size_t label_end = EndOf(text_.substr(0, at_ + 64), at_, in_label);
    if (text_.substr(at_, label_end - at_).find("PRIVATE KEY") == std::string_view::npos) return;
    std::size_t end = text_.find("-----END", at_);
    if (end == std::string_view::npos) return DropTo(text_.size());
    end = EndOf(text_, end + 8, [](char c) { return IsUpper(c) || c == ' '; });
    DropTo(EndOf(text_, end, [](char c) { return c == '-'; }));
  }

  // After "Bearer" or "Basic".
  void TakeCredential() {
    const std::size_t begin = EndOf(text_, at_, [](char c) { return c == ' ' || c == '\t'; });
    if (begin == at_) return;
    const std::size_t end = EndOf(text_, begin, IsCredentialChar);
    const std::string_view value = text_.substr(begin, end - begin);
    const bool telling = std::any_of(value.begin(), value.end(), IsDigit);
    if (value.size() < 8 || (!telling && value.size() < 20)) return;
    CopyTo(begin);
    DropTo(end);
  }

  void TakePairValue() {
    const std::size_t end = EndOf(text_, at_ + 1, [](char c) { return !EndsPairValue(c); });
    CopyTo(at_ + 1);
    if (end > at_) DropTo(end);
  }

  // user:password@host
  void TakeAuthority() {
    CopyTo(at_ + 3);
    const std::size_t end = EndOf(text_, at_, [](char c) {
      return c != '/' && c != '?' && c != '#' && c != '"' && c != '\'' && c != '<' && c != '>' &&
             static_cast<unsigned char>(c) > ' ';
    });
    const std::string_view authority = text_.substr(at_, end - at_);
    const std::size_t sign = authority.rfind('@');
    if (sign == std::string_view::npos) return;
    const std::size_t colon = authority.find(':');
    if (colon >= sign) return;
    // The name before the colon may be a token itself.
    out_.append(ShapePass(authority.substr(0, colon)).Run()).append(":");
    at_ += colon + 1;
    DropTo(at_ + (sign - colon - 1));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

bool IsUuid(std::string_view run) {
  if (run.size() != 36) return false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? run[i] != '-' : !IsHexDigit(run[i])) return false;
  }
  return true;
}

// Random text changes between capitals, small letters and digits all the time; names and paths do so rarely, and mostly
// without digits. Expected shares of changes: base64 64 %, base36 40 %, base32 30 %.
bool LooksRandom(std::string_view run, std::size_t min_size) {
  if (run.size() < min_size || IsUuid(run)) return false;
  enum Kind : std::uint8_t { kNone, kUpper, kLower, kDigit };
  std::size_t changes = 0, digit_groups = 0;
  std::array<std::size_t, 4> count{};
  Kind last = kNone;
  for (const char c : run) {
    const Kind kind = IsUpper(c) ? kUpper : IsLower(c) ? kLower : IsDigit(c) ? kDigit : kNone;
    if (kind == kNone) continue;
    ++count[kind];
    if (kind != last) {
      if (last != kNone) ++changes;
      if (kind == kDigit) ++digit_groups;
      last = kind;
    }
  }
  const std::size_t telling = count[kUpper] + count[kLower] + count[kDigit];
  if (telling < min_size * 3 / 4 || count[kDigit] == 0 || count[kDigit] == telling) return false;
  // No word of 32 letters is hex.
  if (std::all_of(run.begin(), run.end(), IsHexDigit)) return true;
  const bool mixed_case = count[kUpper] > 0 && count[kLower] > 0;
  if (mixed_case) return digit_groups >= 2 && changes * 100 >= telling * 35;
  return digit_groups >= 3 && changes * 100 >= telling * 28;
}

// Second pass: long runs. Segments between slashes first, so that a path keeps the rest of its name.
std::string RedactRandomRuns(std::string_view text) {
  constexpr std::size_t kMinRun = 32;
  constexpr std::size_t kMinRunWithSlash = 40;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (!IsRunChar(text[i])) {
      out.push_back(text[i++]);
      continue;
    }
    const std::size_t end = EndOf(text, i, IsRunChar);
    const std::string_view run = text.substr(i, end - i);
    i = end;
    if (run.size() < kMinRun) {
      out.append(run);
      continue;
    }
    std::string parts;
    bool found = false;
    for (std::size_t part = 0; part <= run.size();) {
      const std::size_t slash = std::min(run.find('/', part), run.size());
      const std::string_view segment = run.substr(part, slash - part);
      const bool random = LooksRandom(segment, kMinRun);
      found = found || random;
      parts.append(random ? kRedacted : segment);
      if (slash < run.size()) parts.push_back('/');
      part = slash + 1;
    }
    const std::size_t slashes = static_cast<std::size_t>(std::count(run.begin(), run.end(), '/'));
    const bool base64 = slashes > 0 && slashes * 10 <= run.size() && LooksRandom(run, kMinRunWithSlash);
    out.append(!found && base64 ? kRedacted : std::string_view(parts));
  }
  return out;
}

}  // namespace

std::string Redact(std::string_view text) { return RedactRandomRuns(ShapePass(text).Run()); }

bool IsSha256Hex(std::string_view text) {
  const auto good = [](char c) { return IsHexDigit(c) && !IsUpper(c); };
  return text.size() == 64 && std::all_of(text.begin(), text.end(), good);
}

}  // namespace nd::audit
