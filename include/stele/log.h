#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// One line of a log: what happened, and where, as names and values.
struct LogRecord {
    LogLevel level = LogLevel::kInfo;
    std::string message = {};
    std::vector<std::pair<std::string, std::string>> fields = {};
};

/// Where the SDK and workflow code write to. Called from any thread, several at a time; must not
/// block for long and must not throw.
using Logger = std::function<void(const LogRecord&)>;

/// Writes warnings and errors to the standard error stream, a line each. The default.
void log_to_stderr(const LogRecord& record);

}  // namespace stele
