#include "http/known_fields.h"

#include "base/text.h"

namespace nd::http {

Known ClassifyField(std::string_view name) {
  const auto is = [name](std::string_view known) { return EqualIgnoreCase(name, known); };
  // The length alone leaves at most three candidates.
  switch (name.size()) {
    case 4:
      return is("Host") ? Known::kHost : Known::kCount;
    case 6:
      if (is("Accept")) return Known::kAccept;
      if (is("Cookie")) return Known::kCookie;
      if (is("Origin")) return Known::kOrigin;
      if (is("Expect")) return Known::kExpect;
      return Known::kCount;
    case 7:
      return is("Upgrade") ? Known::kUpgrade : Known::kCount;
    case 9:
      return is("X-API-Key") ? Known::kApiKey : Known::kCount;
    case 10:
      if (is("User-Agent")) return Known::kUserAgent;
      if (is("Connection")) return Known::kConnection;
      return Known::kCount;
    case 12:
      if (is("Content-Type")) return Known::kContentType;
      if (is("X-CSRF-Token")) return Known::kCsrfToken;
      return Known::kCount;
    case 13:
      if (is("Authorization")) return Known::kAuthorization;
      if (is("If-None-Match")) return Known::kIfNoneMatch;
      return Known::kCount;
    case 14:
      if (is("Content-Length")) return Known::kContentLength;
      if (is("Sec-Fetch-Site")) return Known::kSecFetchSite;
      if (is("Sec-Fetch-Mode")) return Known::kSecFetchMode;
      if (is("Sec-Fetch-Dest")) return Known::kSecFetchDest;
      return Known::kCount;
    case 15:
      return is("X-Forwarded-For") ? Known::kForwardedFor : Known::kCount;
    case 17:
      if (is("Transfer-Encoding")) return Known::kTransferEncoding;
      if (is("X-Forwarded-Proto")) return Known::kForwardedProto;
      return Known::kCount;
    default:
      return Known::kCount;
  }
}

}  // namespace nd::http
