// The command line: what was asked for, as data. Nothing is carried out here.
//
// Pure but for --help and --version and usage errors, whose text goes to standard output and standard error.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "app/admin.h"
#include "app/exit_code.h"
#include "app/settings.h"

namespace nd::app {

struct Serve {};
struct InitFolder {
  bool first_deployment = false;
};
struct ShowConfig {};
struct RunDoctor {};

// What an act takes from standard input, since a flag would show it in the process list.
enum class StdinUse : std::uint8_t { kNothing, kPassword, kKey };
struct AdminRequest {
  AdminAct act;
  StdinUse takes = StdinUse::kNothing;
};

using Request = std::variant<Serve, InitFolder, ShowConfig, RunDoctor, AdminRequest>;

enum class OutputStyle : std::uint8_t { kText, kJson };

struct Invocation {
  Request request;
  GivenTexts flags;
  OutputStyle style = OutputStyle::kText;
};

// An ExitCode when there is nothing left to do: help was printed (kOk) or the usage was wrong (kUsage).
std::variant<Invocation, ExitCode> ParseCommandLine(const std::vector<std::string>& arguments);

// Puts what was read from standard input into the act that takes it.
void GiveSecret(AdminAct& act, Secret secret);

}  // namespace nd::app
