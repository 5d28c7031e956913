// Implementation of Audited; see audit_trail.h.
#pragma once

#include "server/context.h"

namespace nd::server {

namespace internal {
net::Task<Result<std::uint64_t>> AppendFor(Context& context, audit::Record record);
}  // namespace internal

template <class Act>
auto Audited(Context& context, audit::Record record, Act act) -> decltype(act()) {
  audit::Record intent = record;
  intent.phase = audit::Phase::kIntent;
  intent.outcome = audit::Outcome::kUnknown;
  if (auto written = co_await internal::AppendFor(context, std::move(intent)); !written.ok()) {
    co_return std::move(written).error();
  }
  auto result = co_await act();
  record.phase = audit::Phase::kOutcome;
  record.outcome = result.ok() ? audit::Outcome::kSuccess : audit::Outcome::kFailure;
  if (!result.ok()) record.reason = std::string(result.error().code);
  if (auto written = co_await internal::AppendFor(context, std::move(record)); !written.ok()) {
    co_return std::move(written).error();
  }
  co_return result;
}

}  // namespace nd::server
