#include "stele/log.h"

#include <cstdio>

namespace stele {

void log_to_stderr(const LogRecord& record) {
    if (record.level < LogLevel::kWarning) return;
    std::string line = record.level == LogLevel::kError ? "error: " : "warning: ";
    line += record.message;
    for (const auto& [name, value] : record.fields) line += " " + name + "=" + value;
    line += '\n';
    // In one piece, so that lines of several threads do not mix.
    std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace stele
