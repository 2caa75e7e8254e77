#include "history/families.h"

namespace stele::history {

absl::StatusOr<Applied<None>> terminate_workflow(const Run& run, const TerminateInput& input,
                                                 const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    const bool other_chain = !input.first_execution_run_id.empty() &&
                             input.first_execution_run_id != run.info.first_execution_run_id();
    if (other_chain) return not_found("workflow execution not found");
    Builder builder(run, context);
    terminate_run(builder, input);
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
