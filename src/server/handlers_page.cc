// The page that stands in until a console is built: no script, one nonce for its style sheet.

#include <fmt/format.h>

#include "server/csp.h"
#include "server/handlers.h"
#include "server/page.h"
#include "server/services.h"

namespace nd::server {

net::Task<Result<Reply>> HandlePage(Context& context) {
  Services& services = context.services;
  const std::string nonce = SecurityHeaders::MakeNonce(services.world.random);
  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.shared_fields = &services.headers.page();
  response.fields = services.headers.PolicyFields(nonce);
  response.body = WelcomePage(nonce, services.world.sessions.HasUsers());
  co_return response;
}

}  // namespace nd::server
