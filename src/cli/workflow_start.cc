#include "cli/history.h"
#include "cli/history_view.h"
#include "cli/input.h"
#include "cli/workflow.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <iostream>

// start, execute and signal-with-start.
namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

constexpr char kStartExamples[] =
    R"(  stele workflow start -w order-17 -t greetings --type Greet -i '"world"'
  stele workflow start -t orders --type Order --input-file order.json --run-timeout 1h
  stele workflow start -w order-17 -t orders --type Order --id-conflict-policy UseExisting)";
constexpr char kExecuteExamples[] =
    R"(  stele workflow execute -w order-17 -t greetings --type Greet -i '"world"'
      Shows the events as they happen, then the result.
  stele workflow execute -t greetings --type Greet -i '"world"' -o json | jq .result)";
constexpr char kSignalWithStartExamples[] =
    R"(  stele workflow signal-with-start -w cart-17 -t carts --type Cart
      --signal-name add --signal-input '{"item": "tea"}')";

struct StartFlags {
    std::string workflow_id;
    std::string type;
    std::string task_queue;
    std::string reuse_policy;
    std::string conflict_policy;
    bool fail_existing = false;
    Duration execution_timeout{};
    Duration run_timeout{};
    Duration task_timeout{};
    Duration start_delay{};
    std::string cron;
    std::vector<std::string> memo;
    std::vector<std::string> search_attributes;
    std::string summary;
    std::string details;
    int priority_key = 0;
    InputFlags input;
    // execute
    bool is_detailed = false;
    // signal-with-start
    std::string signal_name;
    InputFlags signal_input;
};

void add_identity_flags(CLI::App& app, StartFlags& flags) {
    app.add_option("-w,--workflow-id", flags.workflow_id, "Workflow id; a new UUID unless given")
        ->type_name("ID");
    app.add_option("--type", flags.type, "Workflow type")->required()->type_name("NAME");
    app.add_option("-t,--task-queue", flags.task_queue, "Task queue")
        ->required()
        ->type_name("NAME");
    app.add_option("--id-reuse-policy", flags.reuse_policy,
                   "When the id has been used: AllowDuplicate, AllowDuplicateFailedOnly, "
                   "RejectDuplicate or TerminateIfRunning")
        ->type_name("POLICY");
    app.add_option("--id-conflict-policy", flags.conflict_policy,
                   "When the id is running: Fail, UseExisting or TerminateExisting")
        ->type_name("POLICY");
}

void add_start_flags(CLI::App& app, StartFlags& flags) {
    add_identity_flags(app, flags);
    add_input_flags(app, flags.input);
    add_duration(app, "--execution-timeout", flags.execution_timeout,
                 "For the whole chain of runs");
    add_duration(app, "--run-timeout", flags.run_timeout, "For one run");
    add_duration(app, "--task-timeout", flags.task_timeout, "For one workflow task (10s)");
    app.add_option("--cron", flags.cron, "Cron schedule")->type_name("SCHEDULE");
    add_repeatable(app, "--memo", flags.memo, "Memo, KEY=JSON; repeatable")->type_name("KEY=JSON");
    add_repeatable(app, "--search-attribute", flags.search_attributes,
                   "Search attribute, KEY=JSON; repeatable")
        ->type_name("KEY=JSON");
    app.add_option("--static-summary", flags.summary, "One line about it, for people");
    app.add_option("--static-details", flags.details, "More about it, for people");
    app.add_option("--priority-key", flags.priority_key, "Priority, 1 being the most urgent");
}

/// Sets an enum by its short name ("UseExisting") or its full one.
template <class Enum>
absl::Status parse_policy(const std::string& flag, const std::string& text,
                          const std::string& prefix, bool (*parse)(const std::string&, Enum*),
                          Enum& policy) {
    if (text.empty() || parse(prefix + screaming_case(text), &policy) || parse(text, &policy)) {
        return absl::OkStatus();
    }
    return invalid_argument(fmt::format("{} {}: no such policy", flag, text));
}

void set_duration(Duration value, google::protobuf::Duration* target) { *target = to_proto(value); }

/// Fills what StartWorkflowExecution and SignalWithStartWorkflowExecution have in common.
template <class Request>
absl::Status fill(Session& session, const StartFlags& flags, Request& request) {
    request.set_namespace_(session.namespace_name());
    request.set_request_id(session.new_id());
    request.set_identity(session.identity());
    request.set_workflow_id(flags.workflow_id.empty() ? session.new_id() : flags.workflow_id);
    request.mutable_workflow_type()->set_name(flags.type);
    request.mutable_task_queue()->set_name(flags.task_queue);
    request.set_cron_schedule(flags.cron);
    const Duration none{};
    if (flags.execution_timeout != none) {
        set_duration(flags.execution_timeout, request.mutable_workflow_execution_timeout());
    }
    if (flags.run_timeout != none) {
        set_duration(flags.run_timeout, request.mutable_workflow_run_timeout());
    }
    if (flags.task_timeout != none) {
        set_duration(flags.task_timeout, request.mutable_workflow_task_timeout());
    }
    if (flags.start_delay != none) {
        set_duration(flags.start_delay, request.mutable_workflow_start_delay());
    }
    enums::WorkflowIdReusePolicy reuse{};
    STELE_RETURN_IF_ERROR(parse_policy<enums::WorkflowIdReusePolicy>(
        "--id-reuse-policy", flags.reuse_policy, "WORKFLOW_ID_REUSE_POLICY_",
        [](const std::string& name, enums::WorkflowIdReusePolicy* value) {
            return enums::WorkflowIdReusePolicy_Parse(name, value);
        },
        reuse));
    request.set_workflow_id_reuse_policy(reuse);
    enums::WorkflowIdConflictPolicy conflict{};
    STELE_RETURN_IF_ERROR(parse_policy<enums::WorkflowIdConflictPolicy>(
        "--id-conflict-policy", flags.conflict_policy, "WORKFLOW_ID_CONFLICT_POLICY_",
        [](const std::string& name, enums::WorkflowIdConflictPolicy* value) {
            return enums::WorkflowIdConflictPolicy_Parse(name, value);
        },
        conflict));
    request.set_workflow_id_conflict_policy(conflict);
    return absl::OkStatus();
}

template <class Request>
absl::Status fill_payloads(const StartFlags& flags, Request& request) {
    STELE_ASSIGN_OR_RETURN(auto input, read_input(flags.input));
    if (input.payloads_size() > 0) *request.mutable_input() = std::move(input);
    STELE_ASSIGN_OR_RETURN(const auto memo, read_json_pairs("--memo", flags.memo));
    for (const auto& [key, value] : memo) (*request.mutable_memo()->mutable_fields())[key] = value;
    STELE_ASSIGN_OR_RETURN(const auto attributes,
                           read_json_pairs("--search-attribute", flags.search_attributes));
    for (const auto& [key, value] : attributes) {
        (*request.mutable_search_attributes()->mutable_indexed_fields())[key] = value;
    }
    if (!flags.summary.empty()) {
        *request.mutable_user_metadata()->mutable_summary() =
            json_payload(Json(flags.summary).dump());
    }
    if (!flags.details.empty()) {
        *request.mutable_user_metadata()->mutable_details() =
            json_payload(Json(flags.details).dump());
    }
    if (flags.priority_key != 0) request.mutable_priority()->set_priority_key(flags.priority_key);
    return absl::OkStatus();
}

/// What runs, under which names.
struct Started {
    std::string workflow_id;
    std::string run_id;
};

/// The run that was there before, if that is why the start was refused.
std::optional<std::string> existing_run(const absl::Status& status) {
    temporal::api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure failure;
    const auto detail = detail_of(status);
    if (!detail || !detail->type_url.ends_with(failure.GetTypeName())) return std::nullopt;
    if (!failure.ParseFromString(detail->value)) return std::nullopt;
    return failure.run_id();
}

absl::StatusOr<Started> start(Session& session, const StartFlags& flags) {
    service::StartWorkflowExecutionRequest request;
    STELE_RETURN_IF_ERROR(fill(session, flags, request));
    STELE_RETURN_IF_ERROR(fill_payloads(flags, request));
    service::StartWorkflowExecutionResponse response;
    const absl::Status status =
        session.call_workflow_service("StartWorkflowExecution", request, response);
    if (status.ok()) return Started{request.workflow_id(), response.run_id()};
    const std::optional<std::string> existing = existing_run(status);
    if (!existing || flags.fail_existing) return explain("failed starting workflow", status);
    std::cerr << "Note: " << message_of(status)
              << " Nothing was started; this is the run that exists.\n";
    return Started{request.workflow_id(), *existing};
}

Json started_json(Session& session, const StartFlags& flags, const Started& started) {
    return {{"workflowId", started.workflow_id},
            {"runId", started.run_id},
            {"type", flags.type},
            {"namespace", session.namespace_name()},
            {"taskQueue", flags.task_queue}};
}

void print_started(Session& session, const StartFlags& flags, const Started& started) {
    session.printer().heading("Running execution:");
    session.printer().card({{"WorkflowId", started.workflow_id},
                            {"RunId", started.run_id},
                            {"Type", flags.type},
                            {"Namespace", session.namespace_name()},
                            {"TaskQueue", flags.task_queue}});
    session.printer().flush();
}

absl::Status run_start(Session& session, const StartFlags& flags) {
    STELE_ASSIGN_OR_RETURN(const Started started, start(session, flags));
    print_started(session, flags, started);
    session.printer().json(started_json(session, flags, started));
    return absl::OkStatus();
}

absl::StatusOr<Json> whole_history(Session& session, const Execution& execution) {
    Json events = Json::array();
    HistoryReader reader(session, {execution});
    while (true) {
        STELE_ASSIGN_OR_RETURN(const std::optional<Event> event, reader.next());
        if (!event) return Json{{"events", std::move(events)}};
        // Verbatim, so that a replayer can read it.
        STELE_ASSIGN_OR_RETURN(Json json, message_to_json(*event, PayloadStyle::kVerbatim));
        events.push_back(std::move(json));
    }
}

absl::Status print_execution(Session& session, const StartFlags& flags, const Started& started,
                             const Event& close_event, Duration run_time) {
    using std::chrono::milliseconds;
    Json json = started_json(session, flags, started);
    json["durationMillis"] = std::chrono::duration_cast<milliseconds>(run_time).count();
    STELE_RETURN_IF_ERROR(add_result(session, close_event, json));
    if (flags.is_detailed) {
        Execution execution;
        execution.set_workflow_id(started.workflow_id);
        execution.set_run_id(started.run_id);
        STELE_ASSIGN_OR_RETURN(json["history"], whole_history(session, execution));
    }
    session.printer().json(json);
    return absl::OkStatus();
}

absl::Status run_execute(Session& session, const StartFlags& flags) {
    const Timestamp begun = session.now();
    STELE_ASSIGN_OR_RETURN(const Started started, start(session, flags));
    print_started(session, flags, started);
    Execution execution;
    execution.set_workflow_id(started.workflow_id);
    execution.set_run_id(started.run_id);
    std::optional<Event> close_event;
    if (session.printer().is_text()) {
        session.printer().line();
        HistoryView view{execution, flags.is_detailed, /*follow=*/true};
        STELE_ASSIGN_OR_RETURN(close_event, print_history(session, view));
        session.printer().line();
    }
    if (!close_event) {
        STELE_ASSIGN_OR_RETURN(close_event, wait_for_close(session, execution));
    }
    const Duration run_time = session.now() - begun;
    if (session.printer().is_json()) {
        STELE_RETURN_IF_ERROR(print_execution(session, flags, started, *close_event, run_time));
    } else {
        print_result(session, *close_event, run_time);
    }
    return result_status(*close_event);
}

absl::Status run_signal_with_start(Session& session, const StartFlags& flags) {
    service::SignalWithStartWorkflowExecutionRequest request;
    STELE_RETURN_IF_ERROR(fill(session, flags, request));
    STELE_RETURN_IF_ERROR(fill_payloads(flags, request));
    request.set_signal_name(flags.signal_name);
    STELE_ASSIGN_OR_RETURN(auto input, read_input(flags.signal_input));
    if (input.payloads_size() > 0) *request.mutable_signal_input() = std::move(input);
    service::SignalWithStartWorkflowExecutionResponse response;
    STELE_RETURN_IF_ERROR(explain(
        "failed to signal with start",
        session.call_workflow_service("SignalWithStartWorkflowExecution", request, response)));
    const Started started{request.workflow_id(), response.run_id()};
    print_started(session, flags, started);
    session.printer().json(started_json(session, flags, started));
    return absl::OkStatus();
}

}  // namespace

void add_workflow_start_commands(CommandSet& commands, CLI::App& group) {
    const auto flags = std::make_shared<StartFlags>();
    CLI::App& start_app =
        commands.command(group, "start", "Start a workflow", kStartExamples,
                         [flags](Session& session) { return run_start(session, *flags); });
    CLI::App& execute_app = commands.command(
        group, "execute", "Start a workflow and wait for its result", kExecuteExamples,
        [flags](Session& session) { return run_execute(session, *flags); });
    for (CLI::App* app : {&start_app, &execute_app}) {
        add_start_flags(*app, *flags);
        add_duration(*app, "--start-delay", flags->start_delay, "Wait before the first task");
        app->add_flag("--fail-existing", flags->fail_existing,
                      "Fail when the id is taken, instead of showing the run that has it");
    }
    execute_app.add_flag("--detailed", flags->is_detailed, "Show the events with all their fields");

    CLI::App& signal_app = commands.command(
        group, "signal-with-start", "Signal a workflow, which is started if it is not running",
        kSignalWithStartExamples,
        [flags](Session& session) { return run_signal_with_start(session, *flags); });
    add_start_flags(signal_app, *flags);
    signal_app.add_option("--signal-name", flags->signal_name, "Name of the signal")
        ->required()
        ->type_name("NAME");
    add_input_flags(signal_app, flags->signal_input, "signal-");
}

}  // namespace stele::cli
