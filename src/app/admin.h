// What an administrator does at the command line, as data: each act a struct, one variant of them all, and Admin, who
// carries them out: RemoteAdmin asks the running server, LocalAdmin opens the stores while no server runs.
//
// Not thread-safe. The acts themselves are in admin_acts.h, the same for both.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "session/principal.h"

namespace nd::app {

// Each answers with one JSON object; its members stand behind the act.
struct AddUser { std::string user; session::Role role = session::Role::kViewer; Secret password; };  // id, role, disabled, createdAt
struct ListUsers {};                                                                                 // users[]
struct UpdateUser {                                                                                  // as AddUser
  std::string user;
  std::optional<session::Role> role;
  std::optional<bool> disabled;
  std::optional<Secret> password;
};
struct UnlockUser { std::string user; };  // success; an empty user means all
struct NewSetupLink {};                   // url, validSeconds
struct ListUserSessions { std::string user; };  // sessions[]; an empty user means all
struct EndUserSessions { std::string user; };   // success, ended
struct CreateToken {                      // token (shown once), id, user, name, scopes[], createdAt, expiresAt
  std::string user, name;
  std::vector<std::string> scopes;
  std::chrono::seconds lifetime{};
};
struct ListTokens { std::string user; };  // tokens[]; an empty user means all
struct RevokeToken { std::string id; };   // success, id
struct ListKeys {};                       // providers[]
struct SetKey { std::string provider, owner, label; Secret key; };  // success, provider, owner, last4
struct DeleteKey { std::string provider, owner; };                  // success, provider, owner
struct TestKey { std::string provider, owner; };                    // provider, result
struct ShowVault {};                      // path, vaultId, rootKeyId, rootKeySource, generation, records, unreadable[]
struct CheckVault {};                     // as ShowVault, every record opened again from the disk
struct RotateVault {};                    // as ShowVault
struct RotateJwt {};                      // success, signingKey, verifyingKeys

using AdminAct = std::variant<AddUser, ListUsers, UpdateUser, UnlockUser, NewSetupLink, ListUserSessions, EndUserSessions,
                              CreateToken, ListTokens, RevokeToken, ListKeys, SetKey, DeleteKey, TestKey, ShowVault,
                              CheckVault, RotateVault, RotateJwt>;

class Admin {
 public:
  virtual ~Admin() = default;
  // The answer as the text of one JSON object. What it changed is durable and audited when this returns.
  virtual Result<Secret> Do(AdminAct act) = 0;
};

}  // namespace nd::app
