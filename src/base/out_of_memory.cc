#include "base/out_of_memory.h"

#include <unistd.h>

#include <cstdlib>
#include <new>

namespace stele {
namespace {

/// Says so on standard error and aborts, without an allocation.
[[noreturn]] void end_without_memory() {
    constexpr char kText[] = "stele: out of memory: the process ends\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kText, sizeof(kText) - 1);
    std::abort();
}

}  // namespace

void end_process_when_out_of_memory() { std::set_new_handler(end_without_memory); }

}  // namespace stele
