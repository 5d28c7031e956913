// An administrator's act with its records around it. Used by the files that implement admin_acts.h.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "app/admin_acts.h"
#include "server/offload.h"

namespace nd::app {

inline audit::Record RecordOf(const std::string& actor, audit::Event event, std::string_view vocabulary,
                              std::string_view action, std::string target) {
  audit::Record record;
  record.event = event;
  record.vocabulary = vocabulary;
  record.actor = {audit::ActorKind::kSystem, actor, std::nullopt};
  record.action = action;
  record.target = std::move(target);
  return record;
}

// An act that was begun and not acknowledged, by a disk or by a keeper that did not answer or is gone, may have happened
// all the same: kUnavailable leaves that open, and so does the record.
inline audit::Outcome OutcomeOf(const Error& error) {
  return error.kind == ErrorKind::kUnavailable ? audit::Outcome::kUnknown : audit::Outcome::kFailure;
}

// Intent, act, outcome. `act` returns net::Task<Result<T>>.
template <class Act>
auto Recorded(AdminWorld& world, audit::Record record, Act act) -> decltype(act()) {
  audit::Record intent = record;
  intent.phase = audit::Phase::kIntent;
  intent.outcome = audit::Outcome::kUnknown;
  auto announced = co_await world.audit.Append(world.loop, std::move(intent), audit::Durability::kSync);
  if (!announced.ok()) co_return std::move(announced).error();
  auto result = co_await act();
  record.outcome = result.ok() ? audit::Outcome::kSuccess : OutcomeOf(result.error());
  if (!result.ok()) record.reason = std::string(result.error().code);
  auto written = co_await world.audit.Append(world.loop, std::move(record), audit::Durability::kSync);
  if (!written.ok()) co_return std::move(written).error();
  co_return result;
}

// Who changes the stores: blocking work on the worker that is meant for it.
template <class Work>
auto OnStoreWorker(AdminWorld& world, Work work) {
  return server::Offload(world.loop, world.store_worker, std::move(work));
}
template <class Work>
auto OnPasswordWorker(AdminWorld& world, Work work) {
  return server::Offload(world.loop, world.password_worker, std::move(work));
}

// The acts, by the file that holds them.
using Answer = net::Task<Result<Secret>>;
// admin_users.cc
Answer Do(AdminWorld& world, const std::string& actor, AddUser act);
Answer Do(AdminWorld& world, const std::string& actor, ListUsers act);
Answer Do(AdminWorld& world, const std::string& actor, UpdateUser act);
Answer Do(AdminWorld& world, const std::string& actor, UnlockUser act);
Answer Do(AdminWorld& world, const std::string& actor, NewSetupLink act);
Answer Do(AdminWorld& world, const std::string& actor, ListUserSessions act);
Answer Do(AdminWorld& world, const std::string& actor, EndUserSessions act);
// admin_tokens.cc
Answer Do(AdminWorld& world, const std::string& actor, CreateToken act);
Answer Do(AdminWorld& world, const std::string& actor, ListTokens act);
Answer Do(AdminWorld& world, const std::string& actor, RevokeToken act);
// admin_keys.cc
Answer Do(AdminWorld& world, const std::string& actor, ListKeys act);
Answer Do(AdminWorld& world, const std::string& actor, SetKey act);
Answer Do(AdminWorld& world, const std::string& actor, DeleteKey act);
Answer Do(AdminWorld& world, const std::string& actor, TestKey act);
// admin_vault.cc
Answer Do(AdminWorld& world, const std::string& actor, ShowVault act);
Answer Do(AdminWorld& world, const std::string& actor, CheckVault act);
Answer Do(AdminWorld& world, const std::string& actor, RotateVault act);
Answer Do(AdminWorld& world, const std::string& actor, RotateJwt act);

}  // namespace nd::app
