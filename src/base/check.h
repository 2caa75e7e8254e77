#pragma once

#include <string>

// Assertions that stay on in production. A broken invariant means that the state in memory can no
// longer be trusted, so the process ends before it can write any of it.
namespace stele {

/// Prints the message with the process-wide failure context and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& message);

/// Text added to every failed check, such as the simulation seed and the command that repeats it.
/// Not thread safe: set it once, before any work starts.
void set_check_context(std::string context);

}  // namespace stele

#define STELE_CHECK(condition, message)                                              \
    do {                                                                             \
        if (!(condition)) [[unlikely]]                                               \
            ::stele::check_failed(__FILE__, __LINE__, #condition, (message));        \
    } while (false)
