#include "base/probe.h"
#include "history/callback_family.h"
#include "history/options.h"
#include "history/unchanged.h"
#include "history/update_family.h"
#include "history/workflow_task.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <cmath>
#include <utility>

// Updates before and after a worker has them: taken in, sent, given up.
namespace stele::history {

namespace enums = temporal::api::enums::v1;
using api::update::v1::Outcome;
using api::update::v1::Request;

namespace {

/// A run whose workflow task has failed this often can not answer an update either.
constexpr int kFailingAttempt = 3;

absl::Status not_ready(std::string message) {
    return make_error(absl::StatusCode::kFailedPrecondition, std::move(message),
                      api::errordetails::v1::WorkflowNotReadyFailure());
}

absl::Status exhausted(enums::ResourceExhaustedCause cause, std::string message) {
    api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(cause);
    detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
    return make_error(absl::StatusCode::kResourceExhausted, std::move(message), detail);
}

absl::Status closing() {
    return exhausted(enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
                     "workflow operation can not be applied because workflow is closing");
}

bool is_completed(const storage::UpdateRow& row) { return row.completed_event_id() != 0; }
bool is_accepted(const storage::UpdateRow& row) { return row.accepted_event_id() != 0; }

/// Updates under way, and what their requests and names weigh.
struct InFlight {
    std::size_t count = 0;
    std::size_t bytes = 0;
};

InFlight in_flight(const Draft& draft) {
    InFlight sum;
    const auto add = [&sum](const std::string& update_id, std::size_t request_bytes) {
        ++sum.count;
        sum.bytes += 2 * update_id.size() + request_bytes;
    };
    draft.pending_updates.for_each([&](ItemId, const PendingUpdate& update) {
        add(update.update_id, update.request->ByteSizeLong());
    });
    draft.updates.for_each([&](ItemId, const storage::UpdateRow& row) {
        if (!is_completed(row)) add(row.update_id(), 0);
    });
    return sum;
}

absl::Status check_limits(const Draft& draft, const Request& request, const Limits& limits) {
    constexpr auto kCause = enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT;
    const InFlight sum = in_flight(draft);
    if (limits.updates_in_flight > 0 && sum.count >= limits.updates_in_flight) {
        return exhausted(kCause,
                         "limit on number of concurrent in-flight updates has been reached (" +
                             std::to_string(limits.updates_in_flight) + ")");
    }
    STELE_RETURN_IF_ERROR(check_update_count(draft, limits));
    if (limits.update_bytes_in_flight > 0 &&
        sum.bytes + request.ByteSizeLong() >= limits.update_bytes_in_flight) {
        return exhausted(kCause,
                         "limit on total payload size of in-flight updates has been reached (" +
                             std::to_string(limits.update_bytes_in_flight) + " bytes)");
    }
    return absl::OkStatus();
}

absl::Status check_request(const Request& request) {
    if (request.completion_callbacks_size() == 0 || !request.request_id().empty()) {
        return absl::OkStatus();
    }
    return invalid_argument(
        "invalid *update.Request: request_id is required when completion_callbacks are set");
}

/// The events of an update tell its id, and of those who joined it one event each.
HistoryEvent joined_event(const std::string& update_id, const Request& request) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    event.set_worker_may_ignore(true);
    auto& joined = *event.mutable_workflow_execution_options_updated_event_attributes()
                        ->add_workflow_update_options();
    joined.set_update_id(update_id);
    joined.set_attached_request_id(request.request_id());
    *joined.mutable_attached_completion_callbacks() = request.completion_callbacks();
    return event;
}

bool has_joined(const PendingUpdate& pending, const std::string& request_id) {
    if (pending.request->request_id() == request_id) return true;
    return std::any_of(pending.joined.begin(), pending.joined.end(),
                       [&](const auto& request) { return request->request_id() == request_id; });
}

/// Whether the run can take an update that it does not know.
absl::Status check_ready(const Run& run) {
    if (run.header.status() == enums::WORKFLOW_EXECUTION_STATUS_PAUSED) {
        return failed_precondition("Workflow is paused. Cannot update the workflow.");
    }
    if (run.header.task().attempt() >= kFailingAttempt) {
        return not_ready(
            "Unable to perform workflow execution update due to Workflow Task in failed state.");
    }
    // The task that runs now will most likely try again to close.
    if (run.header.close_attempted() && run.header.task().started_event_id() != 0) return closing();
    return absl::OkStatus();
}

/// Another caller sends an update that the run knows, and wants to be told of its end. One that has
/// not been accepted leaves no trace, so what is to be written waits for that.
absl::StatusOr<Applied<None>> join_update(const Run& run, const Request& request,
                                          const Context& context) {
    const std::string& update_id = request.meta().update_id();
    if (request.completion_callbacks().empty() || !context.limits->update_callbacks) {
        return unchanged(run);
    }
    STELE_RETURN_IF_ERROR(check_request(request));
    if (run.request_ids.id_of(request.request_id())) return unchanged(run);
    Builder builder(run, context);
    STELE_RETURN_IF_ERROR(check_callbacks(builder.draft(), {request.request_id(), update_id},
                                          request.completion_callbacks_size(), *context.limits));
    if (const auto pending = run.pending_updates.id_of(update_id)) {
        if (has_joined(*run.pending_updates.find(*pending), request.request_id())) {
            return unchanged(run);
        }
        builder.keep_in_memory();
        builder.draft().pending_updates.edit(*pending).joined.push_back(
            std::make_shared<const Request>(request));
        return Applied<None>{std::move(builder).finish(), {}};
    }
    // Its caller gets the outcome of one that has ended.
    if (is_completed(*builder.draft().updates.find_named(update_id))) {
        return unchanged(run);
    }
    add_options_updated(builder, joined_event(update_id, request));
    return Applied<None>{std::move(builder).finish(), {}};
}

api::protocol::v1::Message to_message(const PendingUpdate& update, EventId started) {
    api::protocol::v1::Message message;
    message.set_id(update.update_id + "/request");
    message.set_protocol_instance_id(update.update_id);
    message.set_event_id(started.previous().value());
    message.mutable_body()->PackFrom(*update.request);
    return message;
}

/// Forgets the updates that `matches` likes; each is told why.
template <typename Matches>
void abort_updates(Builder& builder, const absl::Status& why, Matches matches) {
    std::vector<ItemId> aborted;
    builder.draft().pending_updates.for_each([&](ItemId id, const PendingUpdate& update) {
        if (matches(update)) aborted.push_back(id);
    });
    for (const ItemId id : aborted) {
        builder.note_update({builder.draft().pending_updates.find(id)->update_id,
                             UpdateChange::Kind::kAborted,
                             {},
                             why});
        builder.draft().pending_updates.erase(id);
    }
}

}  // namespace

absl::Status check_update_count(const Draft& draft, const Limits& limits) {
    const std::size_t known = draft.updates.size() + draft.pending_updates.size();
    if (limits.updates_per_run == 0 || known < limits.updates_per_run) return absl::OkStatus();
    return failed_precondition(
        "The limit on the total number of distinct updates in this workflow has been reached (" +
        std::to_string(limits.updates_per_run) +
        "). Make sure any duplicate updates share an Update ID so the server can deduplicate them, "
        "and consider rejecting updates that you aren't going to process. You can also "
        "Continue-as-New to avoid this; we recommend you check Continue-as-New Suggested in your "
        "Workflow.");
}

absl::Status check_first_update(const Request& request, const Context& context) {
    const Run none;
    STELE_RETURN_IF_ERROR(check_limits(Draft(none), request, *context.limits));
    return check_request(request);
}

absl::StatusOr<Applied<None>> admit_update(const Run& run, const Request& request,
                                           const Context& context) {
    const std::string& update_id = request.meta().update_id();
    const bool known = find_update(run, update_id).has_value();
    if (!run.is_open()) {
        if (known) return unchanged(run);
        return not_found("workflow execution already completed");
    }
    STELE_RETURN_IF_ERROR(check_ready(run));
    STELE_PROBE_IF("history.update-known", known);
    if (STELE_FAULT("history.update-refused")) return closing();
    if (known && !STELE_BUG("history.update-id-ignored")) return join_update(run, request, context);
    Builder builder(run, context);
    STELE_RETURN_IF_ERROR(check_limits(builder.draft(), request, *context.limits));
    STELE_RETURN_IF_ERROR(check_request(request));
    if (context.limits->update_callbacks) {
        STELE_RETURN_IF_ERROR(check_callbacks(builder.draft(), {request.request_id(), update_id},
                                              request.completion_callbacks_size(),
                                              *context.limits));
    }
    builder.keep_in_memory();
    builder.draft().pending_updates.insert(
        builder.next_item(), {update_id, std::make_shared<const Request>(request), false});
    // A scheduled task takes it along; behind a started one another follows.
    STELE_PROBE_IF("history.update-waits-for-task", builder.has_workflow_task());
    if (!builder.has_workflow_task() && !STELE_BUG("history.update-without-task"))
        schedule_speculative_task(builder, false);
    return Applied<None>{std::move(builder).finish(), {}};
}

std::optional<UpdateProgress> find_update(const Run& run, const std::string& update_id) {
    UpdateProgress progress;
    progress.stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
    if (run.pending_updates.id_of(update_id)) return progress;
    const std::optional<ItemId> id = run.updates.id_of(update_id);
    if (!id) return std::nullopt;
    const storage::UpdateRow& row = *run.updates.find(*id);
    if (is_completed(row)) {
        progress.stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
        progress.completed_event = EventId(row.completed_event_id());
    } else if (is_accepted(row)) {
        progress.stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
        if (!run.is_open()) {
            STELE_PROBE("history.update-ended-with-run");
            progress.stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
            progress.outcome = outcome_of_closed_run();
        }
    } else if (!run.is_open()) {
        return std::nullopt;
    }
    return progress;
}

// ---- On the way to a worker ------------------------------------------------------------------

std::vector<api::protocol::v1::Message> send_updates(Builder& builder, bool resend) {
    std::vector<api::protocol::v1::Message> messages;
    std::vector<ItemId> first_sent;
    const EventId started(builder.header().task().started_event_id());
    builder.draft().pending_updates.for_each([&](ItemId id, const PendingUpdate& update) {
        STELE_PROBE_IF("history.update-not-sent-again", update.sent && !resend);
        if (update.sent && !resend) return;
        messages.push_back(to_message(update, started));
        if (!update.sent) first_sent.push_back(id);
    });
    for (const ItemId id : first_sent) builder.draft().pending_updates.edit(id).sent = true;
    return messages;
}

bool has_unsent_update(const Draft& draft) {
    bool found = false;
    draft.pending_updates.for_each(
        [&found](ItemId, const PendingUpdate& update) { found = found || !update.sent; });
    return found;
}

bool suggests_continue_as_new(const Builder& builder) {
    const Limits& limits = *builder.context().limits;
    const double enough =
        std::ceil(static_cast<double>(limits.updates_per_run) * limits.suggest_updates_share);
    const std::size_t known =
        builder.draft().updates.size() + builder.draft().pending_updates.size();
    return enough > 0 && static_cast<double>(known) >= enough;
}

// ---- Given up --------------------------------------------------------------------------------

Outcome outcome_of_closed_run() {
    Outcome outcome;
    auto& failure = *outcome.mutable_failure();
    failure.set_message(
        "Workflow Update failed because the Workflow completed before the Update completed.");
    failure.set_source("Server");
    failure.mutable_application_failure_info()->set_type("AcceptedUpdateCompletedWorkflow");
    failure.mutable_application_failure_info()->set_non_retryable(true);
    return outcome;
}

void end_updates(Builder& builder) {
    const bool continues = !builder.transition().successor.empty();
    abort_updates(builder, continues ? closing() : aborted_by_close(),
                  [](const PendingUpdate&) { return true; });
    builder.draft().updates.for_each([&builder](ItemId, const storage::UpdateRow& row) {
        if (is_completed(row) || !is_accepted(row)) return;
        builder.note_update({row.update_id(), UpdateChange::Kind::kCompleted,
                             outcome_of_closed_run(), absl::OkStatus()});
    });
}

absl::Status aborted_by_close() {
    return not_found("workflow update was aborted by closing workflow");
}

bool is_aborted_by_close(const absl::Status& status) { return status == aborted_by_close(); }

void fail_sent_updates(Builder& builder) {
    abort_updates(builder,
                  not_ready("Unable to perform workflow execution update due to unexpected "
                            "workflow task failure."),
                  [](const PendingUpdate& update) { return update.sent; });
}

void remember_update_request(Builder& builder, const Request& request, EventId event,
                             EventType event_type) {
    if (builder.draft().request_ids.find_named(request.request_id()) != nullptr) return;
    builder.remember_request(request.request_id(), event, event_type);
}

void attach_update_callbacks(Builder& builder, const Request& request) {
    if (!builder.context().limits->update_callbacks) return;
    attach_callbacks(builder, {request.request_id(), request.meta().update_id()},
                     request.completion_callbacks());
}

void record_joined(Builder& builder, const PendingUpdate& update) {
    for (const auto& request : update.joined) {
        const std::string& request_id = request->request_id();
        if (builder.draft().request_ids.find_named(request_id) != nullptr) continue;
        // Made by the completion that accepts the update, so it does not wait behind it.
        const EventId id = builder.add_event(joined_event(update.update_id, *request));
        builder.remember_request(request_id, id,
                                 enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
        attach_callbacks(builder, {request_id, update.update_id}, request->completion_callbacks());
    }
}

// ---- Reset -----------------------------------------------------------------------------------

void reapply_update(Builder& builder, const Request& request,
                    enums::UpdateAdmittedEventOrigin origin) {
    const std::string& update_id = request.meta().update_id();
    if (builder.draft().updates.find_named(update_id) != nullptr) return;
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED);
    auto& admitted = *event.mutable_workflow_execution_update_admitted_event_attributes();
    *admitted.mutable_request() = request;
    admitted.set_origin(origin);
    const EventId id = builder.add_event(std::move(event));
    remember_update_request(builder, request, id,
                            enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED);
    attach_update_callbacks(builder, request);
    storage::UpdateRow row;
    row.set_item(id.value());
    row.set_update_id(update_id);
    row.set_admitted_event_id(id.value());
    builder.draft().updates.insert(id.value(), std::move(row));
}

void restore_update(Table<storage::UpdateRow>& updates, const HistoryEvent& event) {
    const auto change = [&](const std::string& update_id, const auto& set) {
        const std::optional<ItemId> known = updates.id_of(update_id);
        storage::UpdateRow row;
        if (known) {
            row = *updates.find(*known);
        } else {
            row.set_item(event.event_id());
            row.set_update_id(update_id);
        }
        set(row);
        const ItemId id = row.item();
        updates.put(id, std::move(row));
    };
    const std::int64_t id = event.event_id();
    if (event.has_workflow_execution_update_admitted_event_attributes()) {
        const auto& admitted = event.workflow_execution_update_admitted_event_attributes();
        change(admitted.request().meta().update_id(),
               [id](storage::UpdateRow& row) { row.set_admitted_event_id(id); });
    } else if (event.has_workflow_execution_update_accepted_event_attributes()) {
        change(event.workflow_execution_update_accepted_event_attributes().protocol_instance_id(),
               [id](storage::UpdateRow& row) { row.set_accepted_event_id(id); });
    } else if (event.has_workflow_execution_update_completed_event_attributes()) {
        const auto& completed = event.workflow_execution_update_completed_event_attributes();
        change(completed.meta().update_id(),
               [id](storage::UpdateRow& row) { row.set_completed_event_id(id); });
    }
}

const Request* request_of_update(const HistoryEvent& event) {
    if (event.has_workflow_execution_update_admitted_event_attributes()) {
        return &event.workflow_execution_update_admitted_event_attributes().request();
    }
    if (!event.has_workflow_execution_update_accepted_event_attributes()) return nullptr;
    const auto& accepted = event.workflow_execution_update_accepted_event_attributes();
    return accepted.has_accepted_request() ? &accepted.accepted_request() : nullptr;
}

}  // namespace stele::history
