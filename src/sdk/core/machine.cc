#include "sdk/core/machine.h"

#include "sdk/core/errors.h"
#include "sdk/core/history_buffer.h"

namespace stele::core {

void fail_mismatch(const HistoryEvent& event, const Machine& machine,
                   const std::string& difference) {
    fail_nondeterminism(core::describe(event) + " does not fit the workflow code, which comes to " +
                        machine.describe() + " here: " + difference);
}

}  // namespace stele::core
