#include "helper.h"

#include <stele/stele.h>

int helper_of_another_file() {
    return std::getenv("HOME") == nullptr;  // expect: getenv depends on the process
}

int helper_of_nobody() { return std::getenv("HOME") == nullptr; }
