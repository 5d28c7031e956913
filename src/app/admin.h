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

// Each is answered with one JSON object, whose members stand above it. An empty user or owner means all.

// userId, role, disabled, createdAt
struct AddUser {
  std::string user;
  session::Role role = session::Role::kViewer;
  Secret password;
};
// users[]
struct ListUsers {};
// As AddUser.
struct UpdateUser {
  std::string user;
  std::optional<session::Role> role;
  std::optional<bool> disabled;
  std::optional<Secret> password;
};
// success
struct UnlockUser {
  std::string user;
};
// url, validSeconds
struct NewSetupLink {};
// sessions[]
struct ListUserSessions {
  std::string user;
};
// success, ended
struct EndUserSessions {
  std::string user;
};

// token (shown once), id, user, name, scopes[], createdAt, expiresAt
struct CreateToken {
  std::string user, name;
  std::vector<std::string> scopes;
  std::chrono::seconds lifetime{};
};
// tokens[]
struct ListTokens {
  std::string user;
};
// success, id
struct RevokeToken {
  std::string id;
};

// providers[]
struct ListKeys {};
// success, provider, owner, last4
struct SetKey {
  std::string provider, owner, label;
  Secret key;
};
// success, provider, owner
struct DeleteKey {
  std::string provider, owner;
};
// success, provider, result
struct TestKey {
  std::string provider, owner;
};

// path, vaultId, rootKeyId, rootKeySource, generation, records, unreadable[]
struct ShowVault {};
// As ShowVault, after every record was opened again from the disk.
struct CheckVault {};
// As ShowVault.
struct RotateVault {};
// success, signingKey, verifyingKeys
struct RotateJwt {};

using AdminAct = std::variant<AddUser, ListUsers, UpdateUser, UnlockUser, NewSetupLink, ListUserSessions,
                              EndUserSessions, CreateToken, ListTokens, RevokeToken, ListKeys, SetKey, DeleteKey,
                              TestKey, ShowVault, CheckVault, RotateVault, RotateJwt>;

class Admin {
 public:
  virtual ~Admin() = default;
  // The answer as the text of one JSON object. What it changed is durable and audited when this returns.
  virtual Result<Secret> Do(AdminAct act) = 0;
};

}  // namespace nd::app
