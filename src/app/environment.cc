#include "app/environment.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace nd::app {

namespace {
// Every occurrence goes: a block may hold a name twice, and getenv sees only the first.
Secret TakeVariable(std::string_view name) {
  Secret taken;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry = *at;
    if (!entry.starts_with(name) || entry.size() <= name.size() || entry[name.size()] != '=') continue;
    char* value = *at + name.size() + 1;
    const std::size_t size = std::strlen(value);
    if (taken.empty()) taken = Secret({value, size});
    WipeMemory(value, size);
  }
  unsetenv(std::string(name).c_str());
  return taken;
}
}  // namespace

EnvironmentSecrets TakeEnvironmentSecrets() {
  EnvironmentSecrets secrets;
  Secret bare = TakeVariable("JWT_SECRET");
  secrets.jwt_secret = TakeVariable("NEURALDECK_JWT_SECRET");
  if (secrets.jwt_secret.empty()) secrets.jwt_secret = std::move(bare);
  secrets.root_key = TakeVariable("NEURALDECK_ROOT_KEY");
  return secrets;
}

Environment ReadEnvironment() {
  Environment variables;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    variables.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return variables;
}

}  // namespace nd::app
