// The script-free page at "/" while no console is built.
#pragma once

#include <string>
#include <string_view>

namespace nd::server {

// `has_users` false: tells how to create the first administrator. Names no version and no path of the machine.
std::string WelcomePage(std::string_view nonce, bool has_users);

}  // namespace nd::server
