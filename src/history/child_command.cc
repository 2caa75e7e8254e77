#include "history/attributes.h"
#include "history/begin_run.h"
#include "history/command_checks.h"
#include "history/event_rows.h"
#include "history/parent_close.h"
#include "history/retry_policy.h"
#include "history/search_attributes.h"

#include "cron/schedule.h"

#include <utility>

// A workflow starts another as its child: the command makes the initiated event, the row of the child
// and the outbox row that starts it.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

using Attributes = api::command::v1::StartChildWorkflowExecutionCommandAttributes;

constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
constexpr char kCommand[] = "StartChildWorkflowExecutionCommand";

std::string id_words(const Attributes& attributes) {
    return "WorkflowId=" + attributes.workflow_id();
}
std::string type_words(const Attributes& attributes) {
    return " WorkflowType=" + attributes.workflow_type().name();
}
std::string namespace_words(const Attributes& attributes) {
    return " Namespace=" + attributes.namespace_();
}
/// How messages about the command end.
std::string which(const Attributes& attributes) {
    return id_words(attributes) + type_words(attributes) + namespace_words(attributes);
}

std::string length_words(std::size_t length, std::size_t limit) {
    return " Length=" + std::to_string(length) + " Limit=" + std::to_string(limit);
}

absl::Status check_names(const Attributes& attributes, std::size_t limit) {
    const std::string required = "Required field ";
    const std::string not_set = std::string(" is not set on ") + kCommand + ". ";
    const std::string& id = attributes.workflow_id();
    const std::string& type = attributes.workflow_type().name();
    if (id.empty()) {
        return invalid_argument(required + "WorkflowId" + not_set +
                                type_words(attributes).substr(1) + namespace_words(attributes));
    }
    if (type.empty()) {
        return invalid_argument(required + "WorkflowType" + not_set + id_words(attributes) +
                                namespace_words(attributes));
    }
    const std::string too_long = std::string(" on ") + kCommand + " exceeds length limit. ";
    if (id.size() > limit) {
        return invalid_argument("WorkflowId" + too_long + id_words(attributes) +
                                length_words(id.size(), limit) + type_words(attributes) +
                                namespace_words(attributes));
    }
    if (type.size() > limit) {
        return invalid_argument("WorkflowType" + too_long + id_words(attributes) +
                                type_words(attributes) + length_words(type.size(), limit) +
                                namespace_words(attributes));
    }
    return absl::OkStatus();
}

absl::Status check_duration(google::protobuf::Duration& duration, const char* name,
                            const Attributes& attributes) {
    const absl::Status valid =
        validate_duration(duration, std::string("Invalid ") + name + " on " + kCommand);
    if (valid.ok()) return valid;
    return invalid_argument(message_of(valid) + ". " + which(attributes));
}

absl::Status check_durations(Attributes& attributes) {
    if (attributes.has_workflow_execution_timeout()) {
        STELE_RETURN_IF_ERROR(check_duration(*attributes.mutable_workflow_execution_timeout(),
                                             "WorkflowExecutionTimeout", attributes));
    }
    if (attributes.has_workflow_run_timeout()) {
        STELE_RETURN_IF_ERROR(check_duration(*attributes.mutable_workflow_run_timeout(),
                                             "WorkflowRunTimeout", attributes));
    }
    if (attributes.has_workflow_task_timeout()) {
        STELE_RETURN_IF_ERROR(check_duration(*attributes.mutable_workflow_task_timeout(),
                                             "WorkflowTaskTimeout", attributes));
    }
    return absl::OkStatus();
}

/// A problem of one attribute, named and told of which command.
absl::Status attribute_problem(const char* name, const absl::Status& problem,
                               const Attributes& attributes, const std::string& rest = {}) {
    if (problem.ok()) return problem;
    return invalid_argument(std::string("invalid ") + name + ": " + message_of(problem) + ". " +
                            which(attributes) + rest);
}

absl::Status check_policies(Attributes& attributes, const Builder& builder) {
    if (attributes.has_retry_policy()) {
        fill_retry_policy(*attributes.mutable_retry_policy());
        STELE_RETURN_IF_ERROR(attribute_problem(
            "WorkflowRetryPolicy on StartChildWorkflowExecutionCommand",
            validate_retry_policy(*attributes.mutable_retry_policy()), attributes));
    }
    return attribute_problem("CronSchedule on StartChildWorkflowExecutionCommand",
                             cron::validate(attributes.cron_schedule(), builder.now()), attributes);
}

CommandResult check_search_attributes(const Attributes& attributes, const TargetNamespace& target,
                                      const Limits& limits) {
    if (target.search_attributes == nullptr || !attributes.has_search_attributes()) {
        return std::nullopt;
    }
    return refuse_if_error(
        enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
        attribute_problem("SearchAttributes on StartChildWorkflowCommand",
                          target.search_attributes->check(attributes.search_attributes(), limits),
                          attributes));
}

absl::Status check_task_queue(Attributes& attributes, const Builder& builder) {
    const absl::Status valid =
        validate_user_task_queue(*attributes.mutable_task_queue(), builder.info().task_queue(),
                                 builder.info().task_queue(), *builder.context().limits);
    return attribute_problem("TaskQueue on StartChildWorkflowExecutionCommand", valid, attributes,
                             " TaskQueue=" + describe(attributes.task_queue()));
}

void fill_timeouts(Attributes& attributes, const Limits& limits) {
    const Duration run_timeout =
        effective_run_timeout(from_proto(attributes.workflow_run_timeout()),
                              from_proto(attributes.workflow_execution_timeout()));
    *attributes.mutable_workflow_run_timeout() = to_proto(run_timeout);
    *attributes.mutable_workflow_task_timeout() = to_proto(effective_task_timeout(
        from_proto(attributes.workflow_task_timeout()), run_timeout, limits));
}

void fill_policies(Attributes& attributes) {
    if (attributes.parent_close_policy() == enums::PARENT_CLOSE_POLICY_UNSPECIFIED) {
        attributes.set_parent_close_policy(enums::PARENT_CLOSE_POLICY_TERMINATE);
    }
    if (attributes.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED) {
        attributes.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    }
}

CommandResult check_sizes(const Completion& completion, const Attributes& attributes) {
    if (CommandResult refusal = check_blob_size(
            completion, attributes.input().ByteSizeLong(), kBad,
            "StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.")) {
        return refusal;
    }
    const Limits& limits = *completion.builder.context().limits;
    if (attributes.memo().ByteSizeLong() > limits.memo_bytes) {
        return Refusal{
            kBad, "StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.", true};
    }
    return check_pending(completion.builder.draft().children.size(), limits.pending_children,
                         "pending child workflow executions",
                         enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED);
}

/// Fills in what is open on the way, in the order in which clients of Temporal are told of problems.
CommandResult check_and_fill(const Completion& completion, Attributes& attributes) {
    const Builder& builder = completion.builder;
    const Limits& limits = *builder.context().limits;
    if (attributes.namespace_().empty()) attributes.set_namespace_(builder.info().namespace_());
    const auto target = target_namespace(attributes.namespace_(), builder);
    const absl::Status valid = [&] {
        STELE_RETURN_IF_ERROR(target.status());
        STELE_RETURN_IF_ERROR(check_names(attributes, limits.id_length));
        STELE_RETURN_IF_ERROR(check_durations(attributes));
        return check_policies(attributes, builder);
    }();
    if (CommandResult refusal = refuse_if_error(kBad, valid)) return refusal;
    if (CommandResult refusal = check_search_attributes(attributes, *target, limits)) {
        return refusal;
    }
    const absl::Status queue = [&] {
        STELE_RETURN_IF_ERROR(validate_priority(attributes.priority()));
        return check_task_queue(attributes, builder);
    }();
    if (CommandResult refusal = refuse_if_error(kBad, queue)) return refusal;
    fill_timeouts(attributes, limits);
    fill_policies(attributes);
    return check_sizes(completion, attributes);
}

api::history::v1::StartChildWorkflowExecutionInitiatedEventAttributes initiated_attributes(
    const Completion& completion, const Attributes& from) {
    api::history::v1::StartChildWorkflowExecutionInitiatedEventAttributes to;
    to.set_workflow_task_completed_event_id(completion.completed.value());
    to.set_namespace_(from.namespace_());
    // Checked before.
    to.set_namespace_id(target_namespace(from.namespace_(), completion.builder)->id);
    to.set_workflow_id(from.workflow_id());
    *to.mutable_workflow_type() = from.workflow_type();
    *to.mutable_task_queue() = from.task_queue();
    if (from.has_header()) *to.mutable_header() = from.header();
    if (from.has_input()) *to.mutable_input() = from.input();
    if (from.has_workflow_execution_timeout()) {
        *to.mutable_workflow_execution_timeout() = from.workflow_execution_timeout();
    }
    *to.mutable_workflow_run_timeout() = from.workflow_run_timeout();
    *to.mutable_workflow_task_timeout() = from.workflow_task_timeout();
    to.set_control(from.control());
    to.set_workflow_id_reuse_policy(from.workflow_id_reuse_policy());
    if (from.has_retry_policy()) *to.mutable_retry_policy() = from.retry_policy();
    to.set_cron_schedule(from.cron_schedule());
    if (from.has_memo()) *to.mutable_memo() = from.memo();
    if (from.has_search_attributes()) *to.mutable_search_attributes() = from.search_attributes();
    drop_empty_attributes(to);
    to.set_parent_close_policy(from.parent_close_policy());
    to.set_inherit_build_id(from.inherit_build_id());
    if (from.has_versioning_override()) {
        *to.mutable_versioning_override() = from.versioning_override();
    }
    if (from.has_priority()) *to.mutable_priority() = from.priority();
    return to;
}

}  // namespace

CommandResult handle_start_child(Completion& completion, const Command& command) {
    if (!command.has_start_child_workflow_execution_command_attributes()) {
        return refuse(kBad, std::string(kCommand) + "Attributes is not set on " + kCommand + ".");
    }
    Attributes attributes = command.start_child_workflow_execution_command_attributes();
    if (CommandResult refusal = check_and_fill(completion, attributes)) return refusal;

    Builder& builder = completion.builder;
    HistoryEvent event =
        command_event(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, command);
    *event.mutable_start_child_workflow_execution_initiated_event_attributes() =
        initiated_attributes(completion, attributes);
    storage::ChildRow row = child_row(event);
    const EventId initiated = builder.add_event(std::move(event));
    row.set_initiated_event_id(initiated.value());
    builder.draft().children.insert(initiated.value(), std::move(row));
    ask_for_child(builder, initiated);
    completion.initiated_children.insert(attributes.workflow_id());
    return std::nullopt;
}

}  // namespace stele::history
