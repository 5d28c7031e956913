// Which of the fields that decisions hang on (message.h, Known) a name means. Pure; thread-safe.
#pragma once

#include <string_view>

#include "http/message.h"

namespace nd::http {

// Known::kCount for every other name. Case-insensitive.
Known ClassifyField(std::string_view name);

}  // namespace nd::http
