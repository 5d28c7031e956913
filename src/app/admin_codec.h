// The control socket's language: one JSON line asks, one JSON line answers. Pure. docs/cli.md describes it for
// operators; it is no public interface and may change with any version.
//
//   {"act":"user.add","user":"alice","role":"admin","password":"..."}
//   {"answer":{...}}   or   {"error":{"kind":"conflict","text":"...","detail":"..."}}
#pragma once

#include <cstddef>
#include <string_view>

#include "app/admin.h"
#include "base/result.h"
#include "base/secret.h"

namespace nd::app {

inline constexpr std::size_t kMaxRequestLine = 64 * 1024;
inline constexpr std::size_t kMaxAnswerLine = 16 * 1024 * 1024;

// Without the newline. Secrets among the members are why the result is one.
Secret EncodeAct(const AdminAct& act);
// kInvalidInput for anything but exactly one known act with exactly its members.
Result<AdminAct> DecodeAct(std::string_view line);

Secret EncodeAnswer(const Result<Secret>& answer);
// The peer's answer or error. kInternal if the line is neither.
Result<Secret> DecodeAnswer(std::string_view line);

}  // namespace nd::app
