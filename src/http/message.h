// One HTTP request and one answer, as handlers see them (RFC 9110, RFC 9112).
//
// A Request is views into the connection's buffers: they live until the exchange's answer is complete. Not thread-safe:
// an exchange lives on its connection's loop.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nd::http {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

std::string_view MethodName(Method method);  // "GET"; "OTHER" for kOther

struct Field {
  std::string_view name;
  std::string_view value;
};

// The fields that decisions hang on: each may occur at most once in a request (400 otherwise).
enum class Known : std::uint8_t {
  kHost,
  kAuthorization,
  kContentType,
  kContentLength,
  kTransferEncoding,
  kConnection,
  kOrigin,
  kCookie,
  kCsrfToken,  // X-CSRF-Token
  kApiKey,     // X-API-Key
  kSecFetchSite,
  kSecFetchMode,
  kSecFetchDest,
  kForwardedFor,    // X-Forwarded-For
  kForwardedProto,  // X-Forwarded-Proto
  kUserAgent,
  kAccept,
  kExpect,
  kUpgrade,
  kIfNoneMatch,
  kCount,
};

struct Request {
  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view target;        // as received: origin-form only, starts with '/'
  std::string_view path;          // target up to '?'; never decoded, never normalised
  std::string_view query;         // after '?', or empty
  std::span<const Field> fields;  // in order, names as received
  std::array<std::string_view, static_cast<std::size_t>(Known::kCount)> known{};
  std::string_view body;
  std::string id;  // ULID, also in the X-Request-Id answer header
  // Who is at the other end of the connection, before any forwarding header is believed.
  boost::asio::ip::address peer;
  bool tls = false;

  std::string_view Get(Known field) const { return known[static_cast<std::size_t>(field)]; }
  bool Has(Known field) const { return known[static_cast<std::size_t>(field)].data() != nullptr; }
  // Any field, first occurrence, case-insensitive; null data() if absent.
  std::string_view Find(std::string_view name) const;
};

struct Response {
  int status = 200;
  // Preformatted header lines ("Name: value\r\n"...) that many answers share; must outlive the connection.
  const std::string* shared_fields = nullptr;
  // Further header lines of this answer, each ending in \r\n. Values must be free of CR and LF: use AddField.
  std::string fields;
  std::string_view content_type;  // static storage; empty for none
  std::string body;
  // Closes the connection after this answer.
  bool close = false;
  // Wipes body memory after sending.
  bool sensitive = false;

  // Drops control characters from `value` (never reflect input in headers without need).
  void AddField(std::string_view name, std::string_view value);
};

std::string_view ReasonPhrase(int status);

}  // namespace nd::http
