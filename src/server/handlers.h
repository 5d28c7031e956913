// The handlers, by the file that holds them. Each is named in the route table once and nowhere else.
#pragma once

#include "server/context.h"

namespace nd::server {

// handlers_status.cc
net::Task<Result<Reply>> HandleHealth(Context& context);
net::Task<Result<Reply>> HandleStatus(Context& context);
net::Task<Result<Reply>> HandleMetrics(Context& context);
// handlers_page.cc
net::Task<Result<Reply>> HandlePage(Context& context);
// handlers_auth.cc
net::Task<Result<Reply>> HandleSetup(Context& context);
net::Task<Result<Reply>> HandleSignIn(Context& context);
net::Task<Result<Reply>> HandleRefresh(Context& context);
net::Task<Result<Reply>> HandleLogout(Context& context);
net::Task<Result<Reply>> HandlePassword(Context& context);
net::Task<Result<Reply>> HandleMe(Context& context);
net::Task<Result<Reply>> HandleCsrfToken(Context& context);
// handlers_sessions.cc
net::Task<Result<Reply>> HandleListSessions(Context& context);
net::Task<Result<Reply>> HandleGetSession(Context& context);
net::Task<Result<Reply>> HandleEndAllSessions(Context& context);
net::Task<Result<Reply>> HandleEndSession(Context& context);
// handlers_admin.cc
net::Task<Result<Reply>> HandleListUsers(Context& context);
net::Task<Result<Reply>> HandleAddUser(Context& context);
net::Task<Result<Reply>> HandleGetUser(Context& context);
net::Task<Result<Reply>> HandleUpdateUser(Context& context);
net::Task<Result<Reply>> HandleListTokens(Context& context);
net::Task<Result<Reply>> HandleCreateToken(Context& context);
net::Task<Result<Reply>> HandleRevokeToken(Context& context);
// handlers_keys.cc
net::Task<Result<Reply>> HandleListKeys(Context& context);
net::Task<Result<Reply>> HandleGetKey(Context& context);
net::Task<Result<Reply>> HandlePutKey(Context& context);
net::Task<Result<Reply>> HandleDeleteKey(Context& context);
net::Task<Result<Reply>> HandleTestKey(Context& context);
// handlers_models.cc
net::Task<Result<Reply>> HandleChat(Context& context);
net::Task<Result<Reply>> HandleChatCompletions(Context& context);
net::Task<Result<Reply>> HandleEmbeddings(Context& context);
net::Task<Result<Reply>> HandleModels(Context& context);
net::Task<Result<Reply>> HandleMessages(Context& context);
// handlers_csp.cc
net::Task<Result<Reply>> HandleCspReport(Context& context);
// handlers_audit.cc
net::Task<Result<Reply>> HandleAuditLogs(Context& context);
net::Task<Result<Reply>> HandleAuditNote(Context& context);

}  // namespace nd::server
