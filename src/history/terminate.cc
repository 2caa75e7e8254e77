#include "history/families.h"

namespace stele::history {

absl::StatusOr<Applied<None>> terminate_workflow(const Run& run, const TerminateInput& input,
                                                 const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    Builder builder(run, context);
    terminate_run(builder, input);
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
