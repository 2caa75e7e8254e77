#include "cli/activity.h"
#include "cli/input.h"
#include "cli/workflow.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <memory>

// complete and fail: what a worker would have reported.
namespace stele::cli {
namespace {

namespace service = temporal::api::workflowservice::v1;

constexpr char kCompleteExamples[] =
    R"(  stele activity complete -w order-17 -a charge --result '{"receipt": 12}'
      The workflow goes on with it, whether or not a worker had begun.)";
constexpr char kFailExamples[] =
    R"(  stele activity fail -w order-17 -a charge --reason 'card was blocked'
      It is not tried again. A worker must hold the activity.)";

struct OutcomeFlags : ExecutionFlags {
    std::string activity_id;
    std::string result;
    std::string reason = "Manual failure from CLI";
    std::string detail;
};

/// JSON from a flag as payloads; `flag` names it in errors.
absl::StatusOr<temporal::api::common::v1::Payloads> payloads_of(const std::string& flag,
                                                                const std::string& json) {
    if (!Json::accept(json)) return invalid_argument(flag + " is not JSON: " + json);
    temporal::api::common::v1::Payloads payloads;
    *payloads.add_payloads() = json_payload(json);
    return payloads;
}

/// Fills in what names the activity.
template <typename Request>
Request request_for(Session& session, const OutcomeFlags& flags) {
    Request request;
    request.set_namespace_(session.namespace_name());
    request.set_workflow_id(flags.workflow_id);
    request.set_run_id(flags.run_id);
    request.set_activity_id(flags.activity_id);
    request.set_identity(session.identity());
    return request;
}

absl::Status run_complete(Session& session, const OutcomeFlags& flags) {
    auto request = request_for<service::RespondActivityTaskCompletedByIdRequest>(session, flags);
    STELE_ASSIGN_OR_RETURN(*request.mutable_result(), payloads_of("--result", flags.result));
    service::RespondActivityTaskCompletedByIdResponse response;
    return explain("unable to complete activity",
                   session.call_workflow_service("RespondActivityTaskCompletedById", request,
                                                 response));
}

absl::Status run_fail(Session& session, const OutcomeFlags& flags) {
    auto request = request_for<service::RespondActivityTaskFailedByIdRequest>(session, flags);
    auto& failure = *request.mutable_failure();
    failure.set_message(flags.reason);
    failure.set_source("CLI");
    auto& info = *failure.mutable_application_failure_info();
    info.set_non_retryable(true);
    if (!flags.detail.empty()) {
        STELE_ASSIGN_OR_RETURN(*info.mutable_details(), payloads_of("--detail", flags.detail));
    }
    service::RespondActivityTaskFailedByIdResponse response;
    return explain("unable to fail activity",
                   session.call_workflow_service("RespondActivityTaskFailedById", request,
                                                 response));
}

}  // namespace

void add_activity_outcome_commands(CommandSet& commands, CLI::App& group) {
    const auto flags = std::make_shared<OutcomeFlags>();
    const auto add =
        [&](const char* name, const char* description, const char* examples,
            const std::function<absl::Status(Session&, const OutcomeFlags&)>& run) -> CLI::App& {
        CLI::App& app =
            commands.command(group, name, description, examples,
                             [flags, run](Session& session) { return run(session, *flags); });
        add_execution_flags(app, *flags);
        app.add_option("-a,--activity-id", flags->activity_id, "Activity id")
            ->required()
            ->type_name("ID");
        return app;
    };
    CLI::App& complete =
        add("complete", "End an activity with a result", kCompleteExamples, run_complete);
    complete.add_option("--result", flags->result, "What the workflow gets, as JSON")
        ->required()
        ->type_name("JSON");
    CLI::App& fail = add("fail", "End an activity with a failure", kFailExamples, run_fail);
    fail.add_option("--reason", flags->reason, "Message of the failure");
    fail.add_option("--detail", flags->detail, "Details of the failure, as JSON")
        ->type_name("JSON");
}

}  // namespace stele::cli
