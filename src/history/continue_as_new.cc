#include "base/probe.h"
#include "history/attributes.h"
#include "history/begin_run.h"
#include "history/build_ids.h"
#include "history/callback_family.h"
#include "history/command_checks.h"
#include "history/retry_policy.h"
#include "history/search_attributes.h"

#include <algorithm>
#include <utility>

// A workflow ends itself and begins again at once with new input, as a run of its own.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

using Attributes = api::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes;
using Started = api::history::v1::WorkflowExecutionStartedEventAttributes;

constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
constexpr char kCommand[] = "ContinueAsNewWorkflowExecutionCommand";

/// Timeouts that the command leaves open come from the run that it ends.
void fill_timeouts(const Builder& builder, Attributes& attributes) {
    const storage::InfoRow& info = builder.info();
    Duration run_timeout = from_proto(attributes.workflow_run_timeout());
    if (run_timeout == Duration::zero()) run_timeout = from_proto(info.run_timeout());
    run_timeout = effective_run_timeout(run_timeout, from_proto(info.execution_timeout()));
    *attributes.mutable_workflow_run_timeout() = to_proto(run_timeout);
    Duration task_timeout = from_proto(attributes.workflow_task_timeout());
    if (task_timeout == Duration::zero() && !STELE_BUG("continue-as-new.timeout-lost"))
        task_timeout = from_proto(info.task_timeout());
    *attributes.mutable_workflow_task_timeout() =
        to_proto(effective_task_timeout(task_timeout, run_timeout, *builder.context().limits));
}

/// The refusal of one attribute; says of which command, by its type and task queue.
Refusal refuse_attribute(const Attributes& attributes, WorkflowTaskFailedCause cause,
                         const std::string& problem) {
    return refuse(cause, problem + ". WorkflowType=" + attributes.workflow_type().name() +
                             " TaskQueue=name:\"" + attributes.task_queue().name() +
                             "\" kind:TASK_QUEUE_KIND_NORMAL");
}

CommandResult check_identity(const Completion& completion, Attributes& attributes) {
    const Builder& builder = completion.builder;
    if (attributes.workflow_type().name().empty()) {
        attributes.mutable_workflow_type()->set_name(builder.info().workflow_type());
    }
    if (CommandResult refusal =
            check_id_length(completion, kBad, std::string("WorkflowType on ") + kCommand,
                            "WorkflowType", attributes.workflow_type().name())) {
        return refusal;
    }
    const absl::Status queue =
        validate_user_task_queue(*attributes.mutable_task_queue(), builder.info().task_queue(),
                                 builder.info().task_queue(), *builder.context().limits);
    attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    if (queue.ok()) return std::nullopt;
    return refuse_attribute(
        attributes, kBad,
        std::string("error validating ") + kCommand + " TaskQueue: " + message_of(queue));
}

CommandResult check_durations(Attributes& attributes) {
    const auto check = [&](google::protobuf::Duration& duration,
                           const std::string& name) -> CommandResult {
        const absl::Status valid =
            validate_duration(duration, "Invalid " + name + " on " + kCommand);
        if (valid.ok()) return std::nullopt;
        return refuse_attribute(attributes, kBad, message_of(valid));
    };
    if (attributes.has_workflow_run_timeout()) {
        if (auto bad = check(*attributes.mutable_workflow_run_timeout(), "WorkflowRunTimeout")) {
            return bad;
        }
    }
    if (attributes.has_workflow_task_timeout()) {
        if (auto bad = check(*attributes.mutable_workflow_task_timeout(), "WorkflowTaskTimeout")) {
            return bad;
        }
    }
    if (attributes.has_backoff_start_interval()) {
        return check(*attributes.mutable_backoff_start_interval(), "BackoffStartInterval");
    }
    return std::nullopt;
}

CommandResult check_policies(const Completion& completion, Attributes& attributes) {
    if (attributes.has_retry_policy()) {
        fill_retry_policy(*attributes.mutable_retry_policy());
        const absl::Status valid = validate_retry_policy(*attributes.mutable_retry_policy());
        if (!valid.ok()) {
            return refuse_attribute(attributes, kBad,
                                    std::string("invalid WorkflowRetryPolicy on ") + kCommand +
                                        ": " + message_of(valid));
        }
    }
    const Context& context = completion.builder.context();
    if (context.search_attributes != nullptr && attributes.has_search_attributes()) {
        const absl::Status known =
            context.search_attributes->check(attributes.search_attributes(), *context.limits);
        if (!known.ok()) {
            return refuse_attribute(
                attributes, enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
                std::string("invalid SearchAttributes on ") + kCommand + ": " + message_of(known));
        }
        context.search_attributes->add_types(*attributes.mutable_search_attributes());
    }
    return std::nullopt;
}

CommandResult check_sizes(const Completion& completion, const Attributes& attributes) {
    if (CommandResult refusal = check_blob_size(
            completion, attributes.input().ByteSizeLong(), kBad,
            "ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.")) {
        return refusal;
    }
    if (attributes.memo().ByteSizeLong() > completion.builder.context().limits->memo_bytes) {
        return Refusal{kBad,
                       "ContinueAsNewWorkflowExecutionCommandAttributes. Memo exceeds size limit.",
                       true};
    }
    return std::nullopt;
}

/// Fills in what is open on the way, in the order in which clients of Temporal are told of problems.
CommandResult check_and_fill(const Completion& completion, Attributes& attributes) {
    if (CommandResult refusal = check_identity(completion, attributes)) return refusal;
    if (CommandResult refusal = check_durations(attributes)) return refusal;
    fill_timeouts(completion.builder, attributes);
    if (CommandResult refusal = check_policies(completion, attributes)) return refusal;
    return check_sizes(completion, attributes);
}

/// Absent where the command names none and none is needed.
std::optional<google::protobuf::Duration> first_task_backoff(const Builder& builder,
                                                             const Attributes& attributes) {
    const Duration wanted = from_proto(attributes.backoff_start_interval());
    const Duration backoff = spaced_backoff(builder, wanted);
    if (backoff != wanted) return to_proto(backoff);
    if (!attributes.has_backoff_start_interval()) return std::nullopt;
    return attributes.backoff_start_interval();
}

HistoryEvent continued_event(const Completion& completion, const Command& command,
                             const Attributes& attributes, const std::string& new_run_id) {
    HistoryEvent event =
        command_event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, command);
    auto& continued = *event.mutable_workflow_execution_continued_as_new_event_attributes();
    continued.set_new_execution_run_id(new_run_id);
    continued.set_workflow_task_completed_event_id(completion.completed.value());
    *continued.mutable_workflow_type() = attributes.workflow_type();
    *continued.mutable_task_queue() = attributes.task_queue();
    *continued.mutable_workflow_run_timeout() = attributes.workflow_run_timeout();
    *continued.mutable_workflow_task_timeout() = attributes.workflow_task_timeout();
    continued.set_initiator(attributes.initiator());
    continued.set_inherit_build_id(attributes.inherit_build_id());
    if (attributes.has_header()) *continued.mutable_header() = attributes.header();
    if (attributes.has_input()) *continued.mutable_input() = attributes.input();
    if (attributes.has_failure()) *continued.mutable_failure() = attributes.failure();
    if (attributes.has_backoff_start_interval()) {
        *continued.mutable_backoff_start_interval() = attributes.backoff_start_interval();
    }
    if (attributes.has_last_completion_result()) {
        *continued.mutable_last_completion_result() = attributes.last_completion_result();
    }
    if (attributes.has_memo()) *continued.mutable_memo() = attributes.memo();
    if (attributes.has_search_attributes()) {
        *continued.mutable_search_attributes() = attributes.search_attributes();
    }
    drop_empty_attributes(continued);
    return event;
}

Started started_attributes(const Builder& builder, const Attributes& attributes) {
    Started started;
    *started.mutable_workflow_type() = attributes.workflow_type();
    started.mutable_task_queue()->set_name(attributes.task_queue().name());
    started.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    *started.mutable_workflow_run_timeout() = attributes.workflow_run_timeout();
    *started.mutable_workflow_task_timeout() = attributes.workflow_task_timeout();
    started.set_initiator(attributes.initiator() == enums::CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED
                              ? enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW
                              : attributes.initiator());
    started.set_attempt(attributes.initiator() == enums::CONTINUE_AS_NEW_INITIATOR_RETRY
                            ? builder.info().attempt() + 1
                            : 1);
    if (attributes.has_header()) *started.mutable_header() = attributes.header();
    if (attributes.has_input()) *started.mutable_input() = attributes.input();
    if (attributes.has_retry_policy()) *started.mutable_retry_policy() = attributes.retry_policy();
    started.set_cron_schedule(attributes.cron_schedule());
    if (attributes.has_memo()) *started.mutable_memo() = attributes.memo();
    if (attributes.has_search_attributes()) {
        *started.mutable_search_attributes() = attributes.search_attributes();
    }
    if (attributes.inherit_build_id()) {
        if (const auto version = version_to_inherit(builder.header())) {
            *started.mutable_source_version_stamp() = *version;
        }
    }
    if (attributes.has_failure()) *started.mutable_continued_failure() = attributes.failure();
    if (attributes.has_last_completion_result()) {
        *started.mutable_last_completion_result() = attributes.last_completion_result();
    }
    *started.mutable_completion_callbacks() = standing_by(builder.draft());
    if (const auto backoff = first_task_backoff(builder, attributes)) {
        *started.mutable_first_workflow_task_backoff() = *backoff;
    }
    return started;
}

}  // namespace

CommandResult handle_continue_as_new(Completion& completion, const Command& command) {
    if (CommandResult refusal = refuse_unseen_events(completion)) return refusal;
    if (!command.has_continue_as_new_workflow_execution_command_attributes()) {
        return refuse(kBad, std::string(kCommand) + "Attributes is not set on " + kCommand + ".");
    }
    Attributes attributes = command.continue_as_new_workflow_execution_command_attributes();
    if (CommandResult refusal = check_and_fill(completion, attributes)) return refusal;
    Builder& builder = completion.builder;
    const std::string new_run_id = builder.context().new_id();
    builder.add_event(continued_event(completion, command, attributes, new_run_id));
    add_successor(builder, new_run_id, started_attributes(builder, attributes));
    builder.close_run(enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW);
    return std::nullopt;
}

}  // namespace stele::history
