#include "cli/input.h"
#include "cli/workflow.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

// signal, query, stack, cancel and terminate.
namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

constexpr char kSignalExamples[] =
    R"(  stele workflow signal -w order-17 --name paid -i '{"amount": 12}')";
constexpr char kQueryExamples[] = R"(  stele workflow query -w order-17 --name status
  stele workflow query -w order-17 --name status --reject-condition not_open)";
constexpr char kStackExamples[] = R"(  stele workflow stack -w order-17)";
constexpr char kCancelExamples[] = R"(  stele workflow cancel -w order-17
      Its code hears of it and may clean up.)";
constexpr char kTerminateExamples[] =
    R"(  stele workflow terminate -w order-17 --reason 'wrong customer'
      Ends it at once; its code does not hear of it.)";

struct ControlFlags : ExecutionFlags {
    std::string name;
    std::string reason;
    std::string reject_condition;
    InputFlags input;
};

absl::Status run_signal(Session& session, const ControlFlags& flags) {
    service::SignalWorkflowExecutionRequest request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_workflow_execution() = flags.execution();
    request.set_signal_name(flags.name);
    request.set_identity(session.identity());
    request.set_request_id(session.new_id());
    STELE_ASSIGN_OR_RETURN(auto input, read_input(flags.input));
    if (input.payloads_size() > 0) *request.mutable_input() = std::move(input);
    service::SignalWorkflowExecutionResponse response;
    STELE_RETURN_IF_ERROR(
        explain("failed signalling workflow",
                session.call_workflow_service("SignalWorkflowExecution", request, response)));
    print_done(session, "Signal workflow succeeded");
    return absl::OkStatus();
}

absl::Status run_cancel(Session& session, const ControlFlags& flags) {
    service::RequestCancelWorkflowExecutionRequest request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_workflow_execution() = flags.execution();
    request.set_identity(session.identity());
    request.set_request_id(session.new_id());
    request.set_reason(flags.reason);
    service::RequestCancelWorkflowExecutionResponse response;
    STELE_RETURN_IF_ERROR(explain(
        "failed to cancel workflow",
        session.call_workflow_service("RequestCancelWorkflowExecution", request, response)));
    print_done(session, "Canceled workflow");
    return absl::OkStatus();
}

absl::Status run_terminate(Session& session, const ControlFlags& flags) {
    service::TerminateWorkflowExecutionRequest request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_workflow_execution() = flags.execution();
    request.set_identity(session.identity());
    request.set_reason(flags.reason.empty() ? default_reason() : flags.reason);
    service::TerminateWorkflowExecutionResponse response;
    STELE_RETURN_IF_ERROR(
        explain("failed to terminate workflow",
                session.call_workflow_service("TerminateWorkflowExecution", request, response)));
    print_done(session, "Workflow terminated");
    return absl::OkStatus();
}

absl::Status set_reject_condition(const std::string& text, service::QueryWorkflowRequest& request) {
    if (text.empty()) return absl::OkStatus();
    enums::QueryRejectCondition condition{};
    if (!enums::QueryRejectCondition_Parse("QUERY_REJECT_CONDITION_" + screaming_case(text),
                                           &condition)) {
        return invalid_argument(
            fmt::format("--reject-condition {}: expected not_open or not_completed_cleanly", text));
    }
    request.set_query_reject_condition(condition);
    return absl::OkStatus();
}

absl::Status run_query(Session& session, const ControlFlags& flags) {
    service::QueryWorkflowRequest request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_execution() = flags.execution();
    request.mutable_query()->set_query_type(flags.name);
    STELE_RETURN_IF_ERROR(set_reject_condition(flags.reject_condition, request));
    STELE_ASSIGN_OR_RETURN(auto input, read_input(flags.input));
    if (input.payloads_size() > 0)
        *request.mutable_query()->mutable_query_args() = std::move(input);
    service::QueryWorkflowResponse response;
    STELE_RETURN_IF_ERROR(
        explain("query failed", session.call_workflow_service("QueryWorkflow", request, response)));
    if (response.has_query_rejected()) {
        return failed_precondition(fmt::format(
            "query was rejected, workflow has status: {}",
            camel_case(enums::WorkflowExecutionStatus_Name(response.query_rejected().status()),
                       "WORKFLOW_EXECUTION_STATUS_")));
    }
    const Json result = payloads_to_json(response.query_result());
    session.printer().json({{"queryResult", result}});
    session.printer().heading("Query result:");
    session.printer().card({{"QueryResult", result.dump()}});
    return absl::OkStatus();
}

absl::Status run_stack(Session& session, ControlFlags flags) {
    flags.name = "__stack_trace";
    return run_query(session, flags);
}

void add_name_flag(CLI::App& app, ControlFlags& flags, const std::string& description) {
    // "--type" is what the flag was called once; scripts still say it.
    app.add_option("--name,--type", flags.name, description)->required()->type_name("NAME");
}

}  // namespace

void add_workflow_control_commands(CommandSet& commands, CLI::App& group) {
    const auto flags = std::make_shared<ControlFlags>();
    const auto add =
        [&](const char* name, const char* description, const char* examples,
            const std::function<absl::Status(Session&, const ControlFlags&)>& run) -> CLI::App& {
        CLI::App& app =
            commands.command(group, name, description, examples,
                             [flags, run](Session& session) { return run(session, *flags); });
        add_execution_flags(app, *flags);
        return app;
    };
    CLI::App& signal = add("signal", "Send a signal to a workflow", kSignalExamples, run_signal);
    add_name_flag(signal, *flags, "Name of the signal");
    add_input_flags(signal, flags->input);

    CLI::App& query = add("query", "Ask a workflow's code", kQueryExamples, run_query);
    add_name_flag(query, *flags, "Name of the query");
    add_input_flags(query, flags->input);
    CLI::App& stack =
        add("stack", "Ask a workflow where its code stands", kStackExamples, run_stack);
    for (CLI::App* app : {&query, &stack}) {
        app->add_option("--reject-condition", flags->reject_condition,
                        "Refuse to ask a workflow that is not_open or not_completed_cleanly")
            ->type_name("CONDITION");
    }
    CLI::App& cancel = add("cancel", "Ask a workflow to end", kCancelExamples, run_cancel);
    CLI::App& terminate =
        add("terminate", "End a workflow at once", kTerminateExamples, run_terminate);
    for (CLI::App* app : {&cancel, &terminate}) {
        app->add_option("--reason", flags->reason, "Why, as the history will say");
    }
}

}  // namespace stele::cli
