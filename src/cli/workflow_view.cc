#include "cli/history_view.h"
#include "cli/workflow.h"
#include "cli/workflow_description.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

// describe, show, result, list and count.
namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

constexpr int kDefaultPageSize = 100;

constexpr char kDescribeExamples[] = R"(  stele workflow describe -w order-17
  stele workflow describe -w order-17 -o json | jq .workflowExecutionInfo.status)";
constexpr char kShowExamples[] = R"(  stele workflow show -w order-17
  stele workflow show -w order-17 --follow
      Shows events as they happen, until the workflow ends.
  stele workflow show -w order-17 --detailed
  stele workflow show -w order-17 -o json > history.json
      A file that replayers read.)";
constexpr char kResultExamples[] = R"(  stele workflow result -w order-17
      Waits until there is one.)";
constexpr char kListExamples[] = R"(  stele workflow list
  stele workflow list -q 'WorkflowType = "Order" AND ExecutionStatus = "Running"' --limit 10)";
constexpr char kCountExamples[] = R"(  stele workflow count -q 'ExecutionStatus = "Running"')";

struct DescribeFlags : ExecutionFlags {
    bool is_raw = false;
};
struct ShowFlags : ExecutionFlags {
    bool follow = false;
    bool is_detailed = false;
    bool reverse = false;
};
struct ListFlags {
    std::string query;
    int limit = 0;
    int page_size = 0;
};

absl::StatusOr<Event> close_event_of(Session& session, const Execution& execution) {
    HistoryReader reader(session, {execution, /*wait=*/false, /*close_only=*/true});
    STELE_ASSIGN_OR_RETURN(std::optional<Event> event, reader.next());
    if (!event) return internal_error("the server told of no event that ended the run");
    return *std::move(event);
}

absl::Status run_describe(Session& session, const DescribeFlags& flags) {
    service::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(session.namespace_name());
    *request.mutable_execution() = flags.execution();
    service::DescribeWorkflowExecutionResponse response;
    STELE_RETURN_IF_ERROR(
        explain("failed describing workflow",
                session.call_workflow_service("DescribeWorkflowExecution", request, response)));
    const auto& info = response.workflow_execution_info();
    std::optional<Event> close_event;
    const auto status = info.status();
    if (status != enums::WORKFLOW_EXECUTION_STATUS_RUNNING &&
        status != enums::WORKFLOW_EXECUTION_STATUS_PAUSED) {
        STELE_ASSIGN_OR_RETURN(close_event, close_event_of(session, info.execution()));
    }
    if (session.printer().is_json() || flags.is_raw) {
        STELE_ASSIGN_OR_RETURN(Json json, message_to_json(response, session.payload_style()));
        if (close_event) STELE_RETURN_IF_ERROR(add_result(session, *close_event, json));
        session.printer().json(json);
        if (flags.is_raw) session.printer().line(json.dump(2));
        return absl::OkStatus();
    }
    print_description(session, response);
    if (close_event) {
        session.printer().line();
        print_result(session, *close_event,
                     from_proto(info.close_time()) - from_proto(info.start_time()));
    }
    return absl::OkStatus();
}

/// Verbatim payloads, whatever was asked for: such files are what replayers read.
absl::Status print_history_json(Session& session, const ShowFlags& flags) {
    Json events = Json::array();
    HistoryReader reader(session,
                         {flags.execution(), flags.follow, /*close_only=*/false, flags.reverse});
    while (true) {
        STELE_ASSIGN_OR_RETURN(const std::optional<Event> event, reader.next());
        if (!event) break;
        STELE_ASSIGN_OR_RETURN(Json json, message_to_json(*event, PayloadStyle::kVerbatim));
        events.push_back(std::move(json));
    }
    session.printer().json({{"events", std::move(events)}});
    return absl::OkStatus();
}

absl::Status run_show(Session& session, const ShowFlags& flags) {
    if (flags.follow && flags.reverse) {
        return invalid_argument("--follow and --reverse exclude each other");
    }
    if (!session.printer().is_text()) {
        return explain("failed reading history", print_history_json(session, flags));
    }
    HistoryView view{flags.execution(), flags.is_detailed, flags.follow, flags.reverse};
    const auto close_event = print_history(session, view);
    if (!close_event.ok()) return explain("failed reading history", close_event.status());
    if (*close_event) {
        session.printer().line();
        print_result(session, **close_event, Duration::zero());
    }
    return absl::OkStatus();
}

absl::Status run_result(Session& session, const ExecutionFlags& flags) {
    const auto close_event = wait_for_close(session, flags.execution());
    if (!close_event.ok()) return explain("failed waiting for the result", close_event.status());
    Json json = {{"workflowId", flags.workflow_id},
                 {"runId", flags.run_id},
                 {"namespace", session.namespace_name()}};
    STELE_RETURN_IF_ERROR(add_result(session, *close_event, json));
    session.printer().json(json);
    print_result(session, *close_event, Duration::zero());
    return result_status(*close_event);
}

absl::Status print_page(Session& session, const service::ListWorkflowExecutionsResponse& page,
                        int limit, std::vector<std::vector<std::string>>& rows) {
    for (int i = 0; i < limit; ++i) {
        const auto& info = page.executions(i);
        STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(info, session.payload_style()));
        session.printer().json(json);
        rows.push_back({camel_case(enums::WorkflowExecutionStatus_Name(info.status()),
                                   "WORKFLOW_EXECUTION_STATUS_"),
                        info.execution().workflow_id(), info.type().name(),
                        session.time_text(info.start_time())});
    }
    return absl::OkStatus();
}

/// Prints what is found; the list of JSON is closed by the caller.
absl::Status list(Session& session, const ListFlags& flags) {
    service::ListWorkflowExecutionsRequest request;
    request.set_namespace_(session.namespace_name());
    request.set_query(flags.query);
    request.set_page_size(flags.page_size == 0 ? kDefaultPageSize : flags.page_size);
    std::vector<std::vector<std::string>> rows;
    int left = flags.limit == 0 ? std::numeric_limits<int>::max() : flags.limit;
    do {
        service::ListWorkflowExecutionsResponse page;
        STELE_RETURN_IF_ERROR(
            session.call_workflow_service("ListWorkflowExecutions", request, page));
        const int count = std::min(left, page.executions_size());
        STELE_RETURN_IF_ERROR(print_page(session, page, count, rows));
        left -= count;
        request.set_next_page_token(page.next_page_token());
    } while (!request.next_page_token().empty() && left > 0);
    if (!rows.empty()) session.printer().table({"Status", "WorkflowId", "Type", "StartTime"}, rows);
    return absl::OkStatus();
}

absl::Status run_list(Session& session, const ListFlags& flags) {
    session.printer().start_list();
    const absl::Status status = list(session, flags);
    session.printer().end_list();
    return explain("failed listing workflows", status);
}

absl::Status run_count(Session& session, const ListFlags& flags) {
    service::CountWorkflowExecutionsRequest request;
    request.set_namespace_(session.namespace_name());
    request.set_query(flags.query);
    service::CountWorkflowExecutionsResponse response;
    STELE_RETURN_IF_ERROR(
        explain("failed counting workflows",
                session.call_workflow_service("CountWorkflowExecutions", request, response)));
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(response, session.payload_style()));
    session.printer().json(json);
    session.printer().line(fmt::format("Total: {}", response.count()));
    for (const auto& group : response.groups()) {
        std::string values;
        for (const auto& value : group.group_values()) {
            values += (values.empty() ? "" : ", ") + payload_text(value);
        }
        session.printer().line(fmt::format("Group total: {}, values: {}", group.count(), values));
    }
    return absl::OkStatus();
}

void add_query_flag(CLI::App& app, ListFlags& flags) {
    app.add_option("-q,--query", flags.query, "Which workflows; all unless given")
        ->type_name("QUERY");
}

}  // namespace

void add_workflow_view_commands(CommandSet& commands, CLI::App& group) {
    const auto describe = std::make_shared<DescribeFlags>();
    CLI::App& describe_app =
        commands.command(group, "describe", "Show the state of a workflow", kDescribeExamples,
                         [describe](Session& session) { return run_describe(session, *describe); });
    add_execution_flags(describe_app, *describe);
    describe_app.add_flag("--raw", describe->is_raw, "As the server answers, in JSON");

    const auto show = std::make_shared<ShowFlags>();
    CLI::App& show_app =
        commands.command(group, "show", "Show the history of a workflow", kShowExamples,
                         [show](Session& session) { return run_show(session, *show); });
    add_execution_flags(show_app, *show);
    show_app.add_flag("-f,--follow", show->follow, "Wait for more events, until it ends");
    show_app.add_flag("--detailed", show->is_detailed, "All fields of the events");
    show_app.add_flag("--reverse", show->reverse, "The newest event first");

    const auto result = std::make_shared<ExecutionFlags>();
    add_execution_flags(
        commands.command(group, "result", "Wait for the result of a workflow", kResultExamples,
                         [result](Session& session) { return run_result(session, *result); }),
        *result);

    const auto list_flags = std::make_shared<ListFlags>();
    CLI::App& list_app =
        commands.command(group, "list", "List workflows", kListExamples,
                         [list_flags](Session& session) { return run_list(session, *list_flags); });
    add_query_flag(list_app, *list_flags);
    list_app.add_option("--limit", list_flags->limit, "At most so many")
        ->check(CLI::PositiveNumber);
    list_app.add_option("--page-size", list_flags->page_size, "So many per call")
        ->check(CLI::PositiveNumber);
    CLI::App& count_app = commands.command(
        group, "count", "Count workflows", kCountExamples,
        [list_flags](Session& session) { return run_count(session, *list_flags); });
    add_query_flag(count_app, *list_flags);
}

}  // namespace stele::cli
