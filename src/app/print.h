// Answers for people: the JSON of an act as a table or a few lines.
#pragma once

#include <string>

#include "app/admin.h"
#include "app/cli.h"
#include "base/secret.h"

namespace nd::app {

// What standard output gets for the answer, newline included.
Secret RenderAnswer(std::size_t act_index, const Secret& answer, OutputStyle style);

}  // namespace nd::app
