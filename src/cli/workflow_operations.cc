#include "cli/workflow.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

// delete, pause, unpause and update-options.
namespace stele::cli {
namespace {

namespace service = temporal::api::workflowservice::v1;
using temporal::api::workflow::v1::VersioningOverride;

constexpr char kDeleteExamples[] =
    R"(  stele workflow delete -w order-17
      An open run is terminated first; then nothing is left of it.)";
constexpr char kPauseExamples[] =
    R"(  stele workflow pause -w order-17 --reason 'price list is wrong')";
constexpr char kUnpauseExamples[] = R"(  stele workflow unpause -w order-17)";
constexpr char kUpdateOptionsExamples[] =
    R"(  stele workflow update-options -w order-17 --priority-key 1
  stele workflow update-options -w order-17 --versioning-override-behavior auto_upgrade
  stele workflow update-options -w order-17 --versioning-override-behavior unspecified
      Takes the override away.)";

struct OperationFlags : ExecutionFlags {
    std::string reason;
};

absl::Status run_delete(Session& session, const OperationFlags& flags) {
    service::DeleteWorkflowExecutionRequest request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_workflow_execution() = flags.execution();
    service::DeleteWorkflowExecutionResponse response;
    STELE_RETURN_IF_ERROR(
        explain("failed to delete workflow",
                session.call_workflow_service("DeleteWorkflowExecution", request, response)));
    print_done(session, "Delete workflow succeeded");
    return absl::OkStatus();
}

template <typename Request, typename Response>
absl::Status run_pausing(Session& session, const OperationFlags& flags, const std::string& method,
                         const std::string& failure, const std::string& success) {
    Request request;
    request.set_namespace_(session.namespace_name());
    request.set_workflow_id(flags.workflow_id);
    request.set_run_id(flags.run_id);
    request.set_identity(session.identity());
    request.set_reason(flags.reason.empty() ? default_reason() : flags.reason);
    request.set_request_id(session.new_id());
    Response response;
    STELE_RETURN_IF_ERROR(
        explain(failure, session.call_workflow_service(method, request, response)));
    print_done(session, success);
    return absl::OkStatus();
}

absl::Status run_pause(Session& session, const OperationFlags& flags) {
    return run_pausing<service::PauseWorkflowExecutionRequest,
                       service::PauseWorkflowExecutionResponse>(
        session, flags, "PauseWorkflowExecution", "failed to pause workflow", "Workflow paused");
}

absl::Status run_unpause(Session& session, const OperationFlags& flags) {
    return run_pausing<service::UnpauseWorkflowExecutionRequest,
                       service::UnpauseWorkflowExecutionResponse>(
        session, flags, "UnpauseWorkflowExecution", "failed to unpause workflow",
        "Workflow unpaused");
}

// ---- Options ---------------------------------------------------------------------------------

struct OptionsFlags : ExecutionFlags {
    std::string behavior;
    std::string deployment_name;
    std::string build_id;
    std::int32_t priority_key = 0;
    std::string fairness_key;
    float fairness_weight = 0;
    CLI::App* app = nullptr;  // knows which flags were given
};

using UpdateRequest = service::UpdateWorkflowExecutionOptionsRequest;

absl::Status set_override(const OptionsFlags& flags, UpdateRequest& request) {
    if (flags.behavior.empty()) return absl::OkStatus();
    request.mutable_update_mask()->add_paths("versioning_override");
    const std::string behavior = screaming_case(flags.behavior);
    if (behavior == "UNSPECIFIED") return absl::OkStatus();
    auto& wanted =
        *request.mutable_workflow_execution_options()->mutable_versioning_override();
    if (behavior == "AUTO_UPGRADE") {
        wanted.set_auto_upgrade(true);
        return absl::OkStatus();
    }
    if (behavior != "PINNED") {
        return invalid_argument(fmt::format(
            "--versioning-override-behavior {}: expected unspecified, auto_upgrade or pinned",
            flags.behavior));
    }
    if (flags.deployment_name.empty() || flags.build_id.empty()) {
        return invalid_argument(
            "deployment name and build id are required with pinned behavior override");
    }
    wanted.mutable_pinned()->set_behavior(VersioningOverride::PINNED_OVERRIDE_BEHAVIOR_PINNED);
    wanted.mutable_pinned()->mutable_version()->set_deployment_name(flags.deployment_name);
    wanted.mutable_pinned()->mutable_version()->set_build_id(flags.build_id);
    return absl::OkStatus();
}

void set_priority(const OptionsFlags& flags, UpdateRequest& request) {
    const auto given = [&](const char* flag, const char* path) {
        if (flags.app->count(flag) == 0) return false;
        request.mutable_update_mask()->add_paths(std::string("priority.") + path);
        return true;
    };
    const bool key = given("--priority-key", "priority_key");
    const bool fairness = given("--fairness-key", "fairness_key");
    const bool weight = given("--fairness-weight", "fairness_weight");
    if (!key && !fairness && !weight) return;
    auto& priority = *request.mutable_workflow_execution_options()->mutable_priority();
    priority.set_priority_key(flags.priority_key);
    priority.set_fairness_key(flags.fairness_key);
    priority.set_fairness_weight(flags.fairness_weight);
}

absl::Status run_update_options(Session& session, const OptionsFlags& flags) {
    UpdateRequest request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_workflow_execution() = flags.execution();
    request.set_identity(session.identity());
    request.mutable_workflow_execution_options();
    STELE_RETURN_IF_ERROR(set_override(flags, request));
    set_priority(flags, request);
    if (request.update_mask().paths_size() == 0) return invalid_argument("nothing to update");
    service::UpdateWorkflowExecutionOptionsResponse response;
    STELE_RETURN_IF_ERROR(explain(
        "failed to update workflow options",
        session.call_workflow_service("UpdateWorkflowExecutionOptions", request, response)));
    print_done(session, "Update workflow options succeeded");
    return absl::OkStatus();
}

void add_update_options(CommandSet& commands, CLI::App& group) {
    const auto flags = std::make_shared<OptionsFlags>();
    CLI::App& app = commands.command(
        group, "update-options", "Change a workflow's priority or versioning override",
        kUpdateOptionsExamples,
        [flags](Session& session) { return run_update_options(session, *flags); });
    flags->app = &app;
    add_execution_flags(app, *flags);
    app.add_option("--versioning-override-behavior", flags->behavior,
                   "unspecified (none), auto_upgrade or pinned")
        ->type_name("BEHAVIOR");
    app.add_option("--versioning-override-deployment-name", flags->deployment_name,
                   "Deployment to pin to")
        ->type_name("NAME");
    app.add_option("--versioning-override-build-id", flags->build_id, "Build to pin to")
        ->type_name("ID");
    app.add_option("--priority-key", flags->priority_key, "1 (first) to 5 (last)");
    app.add_option("--fairness-key", flags->fairness_key, "Whose share of the queue it takes");
    app.add_option("--fairness-weight", flags->fairness_weight, "How large that share is");
}

}  // namespace

void add_workflow_operation_commands(CommandSet& commands, CLI::App& group) {
    const auto flags = std::make_shared<OperationFlags>();
    const auto add =
        [&](const char* name, const char* description, const char* examples,
            const std::function<absl::Status(Session&, const OperationFlags&)>& run) -> CLI::App& {
        CLI::App& app =
            commands.command(group, name, description, examples,
                             [flags, run](Session& session) { return run(session, *flags); });
        add_execution_flags(app, *flags);
        return app;
    };
    add("delete", "Delete a workflow and its history", kDeleteExamples, run_delete);
    CLI::App& pause = add("pause", "Stop a workflow's progress", kPauseExamples, run_pause);
    CLI::App& unpause =
        add("unpause", "Let a paused workflow go on", kUnpauseExamples, run_unpause);
    for (CLI::App* app : {&pause, &unpause}) {
        app->add_option("--reason", flags->reason, "Why, as the history will say");
    }
    add_update_options(commands, group);
}

}  // namespace stele::cli
