#include "base/probe.h"
#include "history/families.h"
#include "history/unchanged.h"
#include "temporal/api/errordetails/v1/message.pb.h"

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
constexpr auto kSignaled = enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED;

bool was_signaled_with(const Run& run, const std::string& request_id) {
    if (request_id.empty()) return false;
    const std::optional<ItemId> known = run.request_ids.id_of(request_id);
    return known && run.request_ids.find(*known)->event_type() == kSignaled;
}

/// A workflow that tried to close and found events waiting must be able to close at last.
absl::Status closing_error() {
    api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW);
    detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
    return make_error(absl::StatusCode::kResourceExhausted,
                      "workflow operation can not be applied because workflow is closing", detail);
}

absl::Status validate_signal(const Run& run, const SignalInput& input, const Limits& limits) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    if (input.input.ByteSizeLong() > limits.blob_bytes) {
        return invalid_argument("Blob data size exceeds limit.");
    }
    if (run.header.signal_count() >= static_cast<std::int64_t>(limits.signals_per_run)) {
        return invalid_argument("exceeded workflow execution limit for signal events");
    }
    const bool task_started = run.header.task().started_event_id() != 0;
    STELE_PROBE_IF("history.signal-meets-closing-run",
                   run.header.close_attempted() && task_started);
    if (run.header.close_attempted() && task_started) return closing_error();
    if (STELE_FAULT("history.signal-refused")) return closing_error();
    return absl::OkStatus();
}

HistoryEvent signaled_event(const SignalInput& input) {
    HistoryEvent event;
    event.set_event_type(kSignaled);
    auto& attributes = *event.mutable_workflow_execution_signaled_event_attributes();
    attributes.set_signal_name(input.name);
    if (input.input.ByteSizeLong() > 0) *attributes.mutable_input() = input.input;
    if (input.header.ByteSizeLong() > 0) *attributes.mutable_header() = input.header;
    attributes.set_identity(input.identity);
    attributes.set_request_id(input.request_id);
    if (!input.external_source.workflow_id().empty()) {
        *attributes.mutable_external_workflow_execution() = input.external_source;
    }
    *event.mutable_links() = {input.links.begin(), input.links.end()};
    return event;
}

}  // namespace

void record_signal(Builder& builder, const SignalInput& input) {
    const EventId id = builder.add_or_buffer_event(signaled_event(input));
    builder.header().set_signal_count(builder.header().signal_count() + 1);
    // The id may be taken by the start that this signal came with, which then stands for both.
    if (builder.draft().request_ids.find_named(input.request_id) == nullptr) {
        builder.remember_request(input.request_id, id, kSignaled);
    }
}

absl::StatusOr<Applied<None>> signal_workflow(const Run& run, const SignalInput& input,
                                              const Context& context) {
    if (was_signaled_with(run, input.request_id) &&
        !STELE_BUG("history.signal-request-id-ignored")) {
        STELE_PROBE("history.signal-known");
        return unchanged(run);
    }
    STELE_RETURN_IF_ERROR(validate_signal(run, input, *context.limits));
    Builder builder(run, context);
    record_signal(builder, input);
    if (input.skip_start_delay || STELE_BUG("history.signal-ends-start-delay"))
        builder.header().set_first_task_pending(false);
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
