// Implementation of Audited; see audit_trail.h.
#pragma once

#include <type_traits>

#include "server/context.h"

namespace nd::server {

namespace internal {
net::Task<Result<std::uint64_t>> AppendFor(Context& context, audit::Record record);
}  // namespace internal

template <class Act>
auto Audited(Context& context, audit::Record record, Act act) -> decltype(act()) {
  return Audited(context, std::move(record), std::move(act), [](audit::Record&, const auto&...) {});
}

template <class Act, class Describe>
auto Audited(Context& context, audit::Record record, Act act, Describe describe) -> decltype(act()) {
  audit::Record intent = record;
  intent.phase = audit::Phase::kIntent;
  intent.outcome = audit::Outcome::kUnknown;
  if (auto written = co_await internal::AppendFor(context, std::move(intent)); !written.ok()) {
    co_return std::move(written).error();
  }
  // The intent took a disk's time: whoever was disabled or signed out during it does nothing any more.
  typename decltype(act())::value_type result = Internal("the act did not run");
  if (auto still = RecheckCaller(context); still.ok()) {
    result = co_await act();
  } else {
    result = std::move(still).error();
  }
  record.phase = audit::Phase::kOutcome;
  record.outcome = result.ok() ? audit::Outcome::kSuccess : audit::Outcome::kFailure;
  if (!result.ok()) {
    // No answer in time, or a disk that failed half-way: the act may have taken effect all the same.
    if (result.error().kind == ErrorKind::kUnavailable) record.outcome = audit::Outcome::kUnknown;
    record.reason = std::string(result.error().code);
  } else if constexpr (std::is_same_v<decltype(result), Result<void>>) {
    describe(record);
  } else {
    describe(record, *result);
  }
  if (auto written = co_await internal::AppendFor(context, std::move(record)); !written.ok()) {
    co_return std::move(written).error();
  }
  co_return result;
}

}  // namespace nd::server
