// The operational log: one line per event on standard error, for the person who runs the deck. It may drop; the audit log
// never does. Lines hold no secrets and no text from outside that was not escaped.
//
// Thread-safe: a line is one write(2).
#pragma once

#include <string_view>

namespace nd {

enum class LogLevel { kInfo, kWarning, kError };

// `process` stands in every line of this process ("front", "keeper", "supervisor"); static storage.
void SetLogProcess(std::string_view process);
void Log(LogLevel level, std::string_view text);
inline void LogInfo(std::string_view text) { Log(LogLevel::kInfo, text); }
inline void LogWarning(std::string_view text) { Log(LogLevel::kWarning, text); }
inline void LogError(std::string_view text) { Log(LogLevel::kError, text); }

}  // namespace nd
