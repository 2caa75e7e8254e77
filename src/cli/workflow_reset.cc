#include "cli/history.h"
#include "cli/workflow.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <vector>

// reset: from a point of a history on, a workflow is tried again as a new run.
namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

constexpr char kResetExamples[] =
    R"(  stele workflow reset -w order-17 --type LastWorkflowTask --reason 'bad deploy'
  stele workflow reset -w order-17 --event-id 8 --reason 'wrong price'
  stele workflow reset -w order-17 --type BuildId --build-id 1.4 --reason 'bad deploy'
      To before the first thing that this build has done.)";

struct ResetFlags : ExecutionFlags {
    std::string reason;
    std::int64_t event_id = 0;
    std::string type;
    std::string build_id;
    std::string reapply_type;
    std::vector<std::string> exclude;
};

/// Where to reset to: a run, and the event that ends the workflow task to try again.
struct Target {
    std::string run_id;
    std::int64_t event_id = 0;
};

HistoryReader reader_of(Session& session, const ResetFlags& flags, const std::string& run_id,
                        bool reverse) {
    HistoryRead read;
    read.execution = flags.execution();
    if (!run_id.empty()) read.execution.set_run_id(run_id);
    read.reverse = reverse;
    return HistoryReader(session, std::move(read));
}

/// The first completed workflow task that comes; else one that waits, behind its scheduling.
absl::StatusOr<std::int64_t> find_task(HistoryReader reader) {
    std::int64_t waiting = 0;
    while (true) {
        STELE_ASSIGN_OR_RETURN(const std::optional<Event> event, reader.next());
        if (!event) break;
        if (event->event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
            return event->event_id();
        }
        if (event->event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED && waiting == 0) {
            waiting = event->event_id() + 1;
        }
    }
    if (waiting != 0) return waiting;
    return not_found("unable to find any scheduled or completed workflow task");
}

absl::StatusOr<Target> first_task(Session& session, const ResetFlags& flags) {
    STELE_ASSIGN_OR_RETURN(const std::int64_t event,
                           find_task(reader_of(session, flags, "", false)));
    return Target{flags.run_id, event};
}

absl::StatusOr<Target> last_task_of(Session& session, const ResetFlags& flags,
                                    const std::string& run_id) {
    STELE_ASSIGN_OR_RETURN(const std::int64_t event,
                           find_task(reader_of(session, flags, run_id, true)));
    return Target{run_id, event};
}

absl::StatusOr<Target> last_continued_as_new(Session& session, const ResetFlags& flags) {
    HistoryReader reader = reader_of(session, flags, "", false);
    STELE_ASSIGN_OR_RETURN(const std::optional<Event> first, reader.next());
    std::string before;
    if (first) {
        before = first->workflow_execution_started_event_attributes().continued_execution_run_id();
    }
    if (before.empty()) return not_found("the workflow has not continued as new");
    return last_task_of(session, flags, before);
}

absl::StatusOr<Target> first_of_build(Session& session, const ResetFlags& flags) {
    if (flags.build_id.empty()) return invalid_argument("--type BuildId needs --build-id");
    service::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_execution() = flags.execution();
    service::DescribeWorkflowExecutionResponse response;
    STELE_RETURN_IF_ERROR(
        explain("failed to describe the workflow",
                session.call_workflow_service("DescribeWorkflowExecution", request, response)));
    for (const auto& point : response.workflow_execution_info().auto_reset_points().points()) {
        if (point.build_id() != flags.build_id || !point.resettable()) continue;
        return Target{point.run_id(), point.first_workflow_task_completed_id()};
    }
    return not_found(
        fmt::format("no point to reset to: build {} has done nothing here", flags.build_id));
}

absl::StatusOr<Target> find_target(Session& session, const ResetFlags& flags) {
    if ((flags.event_id == 0) == flags.type.empty()) {
        return invalid_argument("must specify either valid event-id or reset type");
    }
    if (flags.type.empty()) return Target{flags.run_id, flags.event_id};
    const std::string type = screaming_case(flags.type);
    if (type == "FIRST_WORKFLOW_TASK") return first_task(session, flags);
    if (type == "LAST_WORKFLOW_TASK") return last_task_of(session, flags, flags.run_id);
    if (type == "LAST_CONTINUED_AS_NEW") return last_continued_as_new(session, flags);
    if (type == "BUILD_ID") return first_of_build(session, flags);
    return invalid_argument(
        fmt::format("--type {}: expected FirstWorkflowTask, LastWorkflowTask, LastContinuedAsNew "
                    "or BuildId",
                    flags.type));
}

absl::Status set_reapply(const ResetFlags& flags, service::ResetWorkflowExecutionRequest& request) {
    if (!flags.reapply_type.empty()) {
        const std::string type = screaming_case(flags.reapply_type);
        enums::ResetReapplyType parsed{};
        if (!enums::ResetReapplyType_Parse(
                "RESET_REAPPLY_TYPE_" + (type == "ALL" ? "ALL_ELIGIBLE" : type), &parsed)) {
            return invalid_argument(fmt::format("--reapply-type {}: expected All, Signal or None",
                                                flags.reapply_type));
        }
        request.set_reset_reapply_type(parsed);
    }
    for (const std::string& name : flags.exclude) {
        const std::string type = screaming_case(name);
        enums::ResetReapplyExcludeType parsed{};
        if (type == "ALL") {
            request.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL);
            request.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_UPDATE);
            request.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_NEXUS);
        } else if (enums::ResetReapplyExcludeType_Parse("RESET_REAPPLY_EXCLUDE_TYPE_" + type,
                                                        &parsed)) {
            request.add_reset_reapply_exclude_types(parsed);
        } else {
            return invalid_argument(
                fmt::format("--reapply-exclude {}: expected All, Signal, Update or Nexus", name));
        }
    }
    return absl::OkStatus();
}

absl::Status run_reset(Session& session, const ResetFlags& flags) {
    service::ResetWorkflowExecutionRequest request;
    STELE_RETURN_IF_ERROR(set_reapply(flags, request));
    STELE_ASSIGN_OR_RETURN(const Target target, find_target(session, flags));
    request.set_namespace_(session.namespace_name());
    *request.mutable_workflow_execution() = flags.execution();
    request.mutable_workflow_execution()->set_run_id(target.run_id);
    request.set_workflow_task_finish_event_id(target.event_id);
    request.set_reason(flags.reason);
    request.set_request_id(session.new_id());
    service::ResetWorkflowExecutionResponse response;
    STELE_RETURN_IF_ERROR(
        explain("failed to reset workflow",
                session.call_workflow_service("ResetWorkflowExecution", request, response)));
    session.printer().json({{"runId", response.run_id()}});
    session.printer().card({{"RunId", response.run_id()}});
    return absl::OkStatus();
}

}  // namespace

void add_workflow_reset_command(CommandSet& commands, CLI::App& group) {
    const auto flags = std::make_shared<ResetFlags>();
    CLI::App& app = commands.command(
        group, "reset", "Try a workflow again from a point in its history", kResetExamples,
        [flags](Session& session) { return run_reset(session, *flags); });
    add_execution_flags(app, *flags);
    app.add_option("-e,--event-id", flags->event_id,
                   "The event that ends the workflow task to try again")
        ->type_name("ID");
    app.add_option("-t,--type", flags->type,
                   "FirstWorkflowTask, LastWorkflowTask, LastContinuedAsNew or BuildId")
        ->type_name("TYPE");
    app.add_option("--build-id", flags->build_id, "The build to undo, with --type BuildId")
        ->type_name("ID");
    app.add_option("--reason", flags->reason, "Why, as the history will say")->required();
    add_repeatable(app, "--reapply-exclude", flags->exclude,
                   "What came later and is not to be applied again: Signal, Update, Nexus or All");
    app.add_option("--reapply-type", flags->reapply_type,
                   "What came later and is to be applied again: All, Signal or None (older form)")
        ->type_name("TYPE");
}

}  // namespace stele::cli
