#include "history/attach.h"

namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

constexpr auto kUpdated = enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED;

}  // namespace

bool is_attached(const Run& run, const std::string& request_id) {
    if (request_id.empty()) return false;
    const std::optional<ItemId> known = run.request_ids.id_of(request_id);
    return known && run.request_ids.find(*known)->event_type() == kUpdated;
}

absl::StatusOr<Applied<None>> attach_to_run(const Run& run, const AttachInput& input,
                                            const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    if (is_attached(run, input.request_id)) {
        Applied<None> again{Transition(run), {}};
        again.transition.empty = true;
        return again;
    }
    Builder builder(run, context);
    HistoryEvent event;
    event.set_event_type(kUpdated);
    // Workers that do not know this kind of event need not.
    event.set_worker_may_ignore(true);
    event.mutable_workflow_execution_options_updated_event_attributes()->set_attached_request_id(
        input.request_id);
    event.mutable_links()->Assign(input.links.begin(), input.links.end());
    const EventId id = builder.add_or_buffer_event(std::move(event));
    builder.remember_request(input.request_id, id, kUpdated);
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
