// From a header to a verdict: every check that stands before a handler, in one order, for every route.
//
//   host -> route -> rate -> source (Origin, Fetch Metadata) -> token -> role -> media type -> CSRF
//
// Pure but for the rate limiter; does not block; thread-safe.
#pragma once

#include "http/exchange.h"
#include "server/context.h"
#include "server/services.h"

namespace nd::server {

http::Admission AdmitRequest(Services& services, const http::Request& request);

// The client's address: the peer, or what trusted proxies say of it, the nearest untrusted hop.
boost::asio::ip::address ClientAddress(const Services& services, const http::Request& request);

// A cookie's value; empty if absent or if the name occurs twice, which only an attacker arranges.
std::string_view FindCookie(std::string_view header, std::string_view name);

// True for exactly `type`, with at most a charset=utf-8 parameter.
bool IsMediaType(std::string_view header, std::string_view type);

}  // namespace nd::server
