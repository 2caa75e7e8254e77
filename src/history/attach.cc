#include "history/attach.h"

#include "history/callback_family.h"
#include "history/options.h"
#include "history/unchanged.h"

namespace stele::history {

namespace enums = temporal::api::enums::v1;

bool is_attached(const Run& run, const std::string& request_id) {
    if (request_id.empty()) return false;
    const std::optional<ItemId> known = run.request_ids.id_of(request_id);
    return known && run.request_ids.find(*known)->event_type() ==
                        enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED;
}

absl::StatusOr<Applied<None>> attach_to_run(const Run& run, const AttachInput& input,
                                            const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    if (is_attached(run, input.request_id)) {
        return unchanged(run);
    }
    Builder builder(run, context);
    STELE_RETURN_IF_ERROR(check_callbacks(builder.draft(), {input.request_id},
                                          static_cast<int>(input.callbacks.size()),
                                          *context.limits));
    HistoryEvent event;
    auto& attributes = *event.mutable_workflow_execution_options_updated_event_attributes();
    attributes.set_attached_request_id(input.request_id);
    attributes.mutable_attached_completion_callbacks()->Assign(input.callbacks.begin(),
                                                               input.callbacks.end());
    event.mutable_links()->Assign(input.links.begin(), input.links.end());
    add_options_updated(builder, std::move(event));
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
