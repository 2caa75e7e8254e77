#include "base/check.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace stele {
namespace {

std::string& check_context() {
    static std::string context;
    return context;
}

}  // namespace

void set_check_context(std::string context) { check_context() = std::move(context); }

void check_failed(const char* file, int line, const char* condition, const std::string& message) {
    std::fprintf(stderr, "stele: broken invariant at %s:%d: %s\n  %s\n", file, line, condition,
                 message.c_str());
    if (!check_context().empty()) std::fprintf(stderr, "  %s\n", check_context().c_str());
    std::fflush(stderr);
    std::abort();
}

}  // namespace stele
