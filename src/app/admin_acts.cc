#include "app/admin_acts.h"

#include "app/admin_record.h"

namespace nd::app {

net::Task<Result<Secret>> DoAdminAct(AdminWorld& world, std::string actor, AdminAct act) {
  co_return co_await std::visit([&](auto& one) { return Do(world, actor, std::move(one)); }, act);
}

}  // namespace nd::app
