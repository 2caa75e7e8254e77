#include "base/probe.h"
#include "history/command_checks.h"
#include "history/event_rows.h"
#include "history/parent_close.h"
#include "history/unchanged.h"

#include <cctype>

// Signals and cancel requests to other workflows: a command makes the Initiated event, a row that
// waits and an outbox row; the outbox delivers; what became of it comes back as an event from
// outside.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using api::command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes;
using api::command::v1::SignalExternalWorkflowExecutionCommandAttributes;
using api::common::v1::WorkflowExecution;

constexpr auto kBadSignal =
    enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
constexpr auto kBadCancel =
    enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;

constexpr std::size_t kUuidLength = 36;

bool is_uuid(const std::string& text) {
    if (text.size() != kUuidLength) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        const bool fits =
            hyphen ? text[i] == '-' : std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
        if (!fits) return false;
    }
    return true;
}

// ---- Validation ----------------------------------------------------------------------------

/// Whom a command is for, in the words of its error messages.
struct Target {
    const std::string& name_space;
    const std::string& workflow_id;
    const std::string& run_id;
    std::string command;       // "SignalExternalWorkflowExecutionCommand"
    std::string signal_words;  // " SignalName=..." or empty
    std::string rest;          // namespace, run and signal as messages about the id end
};

std::string run_words(const std::string& run_id) { return " RunId=" + run_id; }
std::string namespace_words(const std::string& name_space) { return " Namespace=" + name_space; }

/// Why the target can not be one; empty when it can.
std::string target_problem(const Target& target, const Builder& builder) {
    const std::size_t limit = builder.context().limits->id_length;
    const auto reachable = target_namespace(target.name_space, builder);
    if (!reachable.ok()) return message_of(reachable.status());
    if (target.workflow_id.empty()) {
        return "WorkflowId is not set on " + target.command + "." +
               namespace_words(target.name_space) + run_words(target.run_id) + target.signal_words;
    }
    if (target.workflow_id.size() > limit) {
        return "WorkflowId on " + target.command +
               " exceeds length limit. WorkflowId=" + target.workflow_id +
               " Length=" + std::to_string(target.workflow_id.size()) +
               " Limit=" + std::to_string(limit) + target.rest;
    }
    if (!target.run_id.empty() && !is_uuid(target.run_id)) {
        return "Invalid RunId set on " + target.command + ". WorkflowId=" + target.workflow_id +
               target.rest;
    }
    return {};
}

CommandResult validate_signal(const SignalExternalWorkflowExecutionCommandAttributes& attributes,
                              const Builder& builder) {
    const std::string signal_words = " SignalName=" + attributes.signal_name();
    const Target target{attributes.namespace_(),
                        attributes.execution().workflow_id(),
                        attributes.execution().run_id(),
                        "SignalExternalWorkflowExecutionCommand",
                        signal_words,
                        namespace_words(attributes.namespace_()) +
                            run_words(attributes.execution().run_id()) + signal_words};
    const std::string problem = target_problem(target, builder);
    if (!problem.empty()) return refuse(kBadSignal, problem);
    if (attributes.signal_name().empty()) {
        return refuse(
            kBadSignal,
            "SignalName is not set on SignalExternalWorkflowExecutionCommand. WorkflowId=" +
                target.workflow_id + " Namespace=" + target.name_space + " RunId=" + target.run_id);
    }
    const Limits& limits = *builder.context().limits;
    if (CommandResult refusal =
            check_pending(builder.draft().external_signals.size(), limits.pending_signals,
                          "pending signals to external workflows",
                          enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED)) {
        return refusal;
    }
    if (attributes.input().ByteSizeLong() > limits.blob_bytes) {
        return Refusal{kBadSignal,
                       "SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.",
                       true};
    }
    return std::nullopt;
}

CommandResult validate_cancel(
    const RequestCancelExternalWorkflowExecutionCommandAttributes& attributes,
    const Completion& completion) {
    const Builder& builder = completion.builder;
    const Target target{attributes.namespace_(),
                        attributes.workflow_id(),
                        attributes.run_id(),
                        "RequestCancelExternalWorkflowExecutionCommand",
                        "",
                        run_words(attributes.run_id()) + namespace_words(attributes.namespace_())};
    const std::string problem = target_problem(target, builder);
    if (!problem.empty()) return refuse(kBadCancel, problem);
    if (completion.initiated_children.contains(target.workflow_id)) {
        return refuse(kBadCancel,
                      "Start and RequestCancel for child workflow is not allowed in same workflow "
                      "task. WorkflowId=" +
                          target.workflow_id + target.rest);
    }
    return check_pending(builder.draft().external_cancels.size(),
                         builder.context().limits->pending_cancels,
                         "pending requests to cancel external workflows",
                         enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED);
}

// ---- Pending rows --------------------------------------------------------------------------

/// The id of a namespace that has been found reachable.
std::string id_of_target(const std::string& name_space, const Builder& builder) {
    return target_namespace(name_space, builder)->id;
}

/// Writes the Initiated event and makes its row.
storage::ExternalRow initiate(Builder& builder, HistoryEvent initiated) {
    storage::ExternalRow row = external_row(initiated);
    row.set_request_id(builder.context().new_id());
    if (row.namespace_().empty()) row.set_namespace_(builder.info().namespace_());
    row.set_initiated_event_id(builder.add_event(std::move(initiated)).value());
    return row;
}

// ---- Outcomes ------------------------------------------------------------------------------

template <typename Attributes>
void name_target(Attributes& attributes, const storage::ExternalRow& row) {
    attributes.set_initiated_event_id(row.initiated_event_id());
    attributes.set_namespace_(row.namespace_());
    attributes.set_namespace_id(row.namespace_id());
    attributes.mutable_workflow_execution()->set_workflow_id(row.workflow_id());
    attributes.mutable_workflow_execution()->set_run_id(row.run_id());
}

HistoryEvent signal_outcome_event(const storage::ExternalRow& row, const ExternalOutcome& outcome) {
    HistoryEvent event;
    if (!outcome.signal_failure) {
        event.set_event_type(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED);
        auto& attributes = *event.mutable_external_workflow_execution_signaled_event_attributes();
        name_target(attributes, row);
        attributes.set_control(row.control());
        return event;
    }
    event.set_event_type(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
    auto& attributes = *event.mutable_signal_external_workflow_execution_failed_event_attributes();
    name_target(attributes, row);
    attributes.set_control(row.control());
    attributes.set_cause(*outcome.signal_failure);
    return event;
}

HistoryEvent cancel_outcome_event(const storage::ExternalRow& row, const ExternalOutcome& outcome) {
    HistoryEvent event;
    if (!outcome.cancel_failure) {
        event.set_event_type(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
        name_target(*event.mutable_external_workflow_execution_cancel_requested_event_attributes(),
                    row);
        return event;
    }
    event.set_event_type(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
    auto& attributes =
        *event.mutable_request_cancel_external_workflow_execution_failed_event_attributes();
    name_target(attributes, row);
    attributes.set_cause(*outcome.cancel_failure);
    return event;
}

}  // namespace

void send_external(Builder& builder, storage::OutboxRow::Kind kind, EventId initiated) {
    builder.transition().outbox.push_back(outbox_row(builder, kind, initiated));
}

CommandResult handle_signal_external(Completion& completion, const Command& command) {
    if (!command.has_signal_external_workflow_execution_command_attributes()) {
        return refuse(kBadSignal,
                      "SignalExternalWorkflowExecutionCommandAttributes is not set on "
                      "SignalExternalWorkflowExecutionCommand.");
    }
    const auto& from = command.signal_external_workflow_execution_command_attributes();
    if (!from.has_execution()) {
        return refuse(kBadSignal,
                      "Execution is not set on SignalExternalWorkflowExecutionCommand.");
    }
    Builder& builder = completion.builder;
    if (CommandResult refusal = validate_signal(from, builder)) return refusal;

    HistoryEvent event =
        command_event(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, command);
    auto& to = *event.mutable_signal_external_workflow_execution_initiated_event_attributes();
    to.set_workflow_task_completed_event_id(completion.completed.value());
    to.set_namespace_(from.namespace_());
    to.set_namespace_id(id_of_target(from.namespace_(), builder));
    *to.mutable_workflow_execution() = from.execution();
    to.set_signal_name(from.signal_name());
    if (from.has_input()) *to.mutable_input() = from.input();
    to.set_control(from.control());
    to.set_child_workflow_only(from.child_workflow_only());
    if (from.has_header()) *to.mutable_header() = from.header();

    storage::ExternalRow row = initiate(builder, std::move(event));
    const EventId id(row.initiated_event_id());
    builder.draft().external_signals.insert(id.value(), std::move(row));
    send_external(builder, storage::OutboxRow::KIND_SIGNAL, id);
    return std::nullopt;
}

CommandResult handle_request_cancel_external(Completion& completion, const Command& command) {
    if (!command.has_request_cancel_external_workflow_execution_command_attributes()) {
        return refuse(kBadCancel,
                      "RequestCancelExternalWorkflowExecutionCommandAttributes is not set on "
                      "RequestCancelExternalWorkflowExecutionCommand.");
    }
    const auto& from = command.request_cancel_external_workflow_execution_command_attributes();
    Builder& builder = completion.builder;
    if (CommandResult refusal = validate_cancel(from, completion)) return refusal;

    WorkflowExecution target;
    target.set_workflow_id(from.workflow_id());
    target.set_run_id(from.run_id());
    HistoryEvent event = command_event(
        enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, command);
    auto& to =
        *event.mutable_request_cancel_external_workflow_execution_initiated_event_attributes();
    to.set_workflow_task_completed_event_id(completion.completed.value());
    to.set_namespace_(from.namespace_());
    to.set_namespace_id(id_of_target(from.namespace_(), builder));
    *to.mutable_workflow_execution() = target;
    to.set_control(from.control());
    to.set_child_workflow_only(from.child_workflow_only());
    to.set_reason(from.reason());

    storage::ExternalRow row = initiate(builder, std::move(event));
    const EventId id(row.initiated_event_id());
    builder.draft().external_cancels.insert(id.value(), std::move(row));
    send_external(builder, storage::OutboxRow::KIND_CANCEL, id);
    return std::nullopt;
}

absl::StatusOr<Applied<None>> finish_external_signal(const Run& run, EventId initiated,
                                                     const ExternalOutcome& outcome,
                                                     const Context& context) {
    const storage::ExternalRow* row = run.external_signals.find(initiated.value());
    // The outbox may deliver twice, or after the run has closed.
    STELE_PROBE_IF("history.external-outcome-late", !run.is_open() || row == nullptr);
    if (!run.is_open() || row == nullptr) return unchanged(run);
    Builder builder(run, context);
    builder.add_or_buffer_event(signal_outcome_event(*row, outcome));
    builder.draft().external_signals.erase(initiated.value());
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

absl::StatusOr<Applied<None>> finish_external_cancel(const Run& run, EventId initiated,
                                                     const ExternalOutcome& outcome,
                                                     const Context& context) {
    const storage::ExternalRow* row = run.external_cancels.find(initiated.value());
    // The outbox may deliver twice, or after the run has closed.
    if (!run.is_open() || row == nullptr) return unchanged(run);
    Builder builder(run, context);
    builder.add_or_buffer_event(cancel_outcome_event(*row, outcome));
    builder.draft().external_cancels.erase(initiated.value());
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
