#include "cli/worker.h"

#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <memory>

namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;
using temporal::api::worker::v1::WorkerHeartbeat;
using temporal::api::worker::v1::WorkerSlotsInfo;

constexpr int kPageSize = 100;

constexpr char kListExamples[] = R"(  stele worker list
  stele worker list --query "TaskQueue = 'orders' AND WorkerStatus = 'Running'")";
constexpr char kDescribeExamples[] = R"(  stele worker describe --worker-instance-key KEY)";
constexpr char kCountExamples[] = R"(  stele worker count --query "TaskQueue = 'orders'")";

struct WorkerFlags {
    std::string query;
    std::string instance_key;
    int limit = 0;  // 0: all
};

std::string status_text(enums::WorkerStatus status) {
    return camel_case(enums::WorkerStatus_Name(status), "WORKER_STATUS_");
}

const std::vector<Printer::Column>& columns() {
    static const std::vector<Printer::Column> all = {
        {"WorkerInstanceKey", 36}, {"Status", 12}, {"TaskQueue", 20}, {"WorkerIdentity", 30},
        {"HostName", 20},          {"Sdk", 24},    {"StartTime", 20}};
    return all;
}

absl::Status list(Session& session, const WorkerFlags& flags) {
    service::ListWorkersRequest request;
    request.set_namespace_(session.namespace_name());
    request.set_query(flags.query);
    request.set_page_size(kPageSize);
    int left = flags.limit == 0 ? -1 : flags.limit;
    session.printer().table_header(columns());
    do {
        service::ListWorkersResponse response;
        STELE_RETURN_IF_ERROR(session.call_workflow_service("ListWorkers", request, response));
        for (const auto& worker : response.workers()) {
            if (left-- == 0) return absl::OkStatus();
            STELE_ASSIGN_OR_RETURN(const Json json,
                                   message_to_json(worker, session.payload_style()));
            session.printer().json(json);
            session.printer().table_row(
                columns(), {worker.worker_instance_key(), status_text(worker.status()),
                            worker.task_queue(), worker.worker_identity(), worker.host_name(),
                            fmt::format("{} {}", worker.sdk_name(), worker.sdk_version()),
                            session.time_text(worker.start_time())});
        }
        request.set_next_page_token(response.next_page_token());
    } while (!request.next_page_token().empty());
    return absl::OkStatus();
}

absl::Status run_list(Session& session, const WorkerFlags& flags) {
    session.printer().start_list();
    const absl::Status status = list(session, flags);
    session.printer().end_list();
    return explain("unable to list workers", status);
}

absl::Status run_count(Session& session, const WorkerFlags& flags) {
    service::CountWorkersRequest request;
    request.set_namespace_(session.namespace_name());
    request.set_query(flags.query);
    service::CountWorkersResponse response;
    STELE_RETURN_IF_ERROR(explain(
        "unable to count workers", session.call_workflow_service("CountWorkers", request, response)));
    session.printer().json({{"count", response.count()}});
    session.printer().line(fmt::format("Total: {}", response.count()));
    return absl::OkStatus();
}

std::string slots_text(const WorkerSlotsInfo& slots) {
    return fmt::format("{} used, {} free, {} done, {} failed", slots.current_used_slots(),
                       slots.current_available_slots(), slots.total_processed_tasks(),
                       slots.total_failed_tasks());
}

Printer::Fields fields_of(const Session& session, const WorkerHeartbeat& worker) {
    Printer::Fields fields = {
        {"WorkerInstanceKey", worker.worker_instance_key()},
        {"WorkerIdentity", worker.worker_identity()},
        {"Status", status_text(worker.status())},
        {"TaskQueue", worker.task_queue()},
        {"DeploymentName", worker.deployment_version().deployment_name()},
        {"BuildId", worker.deployment_version().build_id()},
        {"SdkName", worker.sdk_name()},
        {"SdkVersion", worker.sdk_version()},
        {"HostName", worker.host_info().host_name()},
        {"ProcessId", worker.host_info().process_id()},
        {"StartTime", session.time_text(worker.start_time())},
        {"HeartbeatTime", session.time_text(worker.heartbeat_time())}};
    if (worker.has_workflow_task_slots_info()) {
        fields.emplace_back("WorkflowTaskSlots", slots_text(worker.workflow_task_slots_info()));
    }
    if (worker.has_activity_task_slots_info()) {
        fields.emplace_back("ActivityTaskSlots", slots_text(worker.activity_task_slots_info()));
    }
    fields.emplace_back("StickyCache",
                        fmt::format("{} kept, {} hits, {} misses", worker.current_sticky_cache_size(),
                                    worker.total_sticky_cache_hit(),
                                    worker.total_sticky_cache_miss()));
    return fields;
}

absl::Status run_describe(Session& session, const WorkerFlags& flags) {
    service::DescribeWorkerRequest request;
    request.set_namespace_(session.namespace_name());
    request.set_worker_instance_key(flags.instance_key);
    service::DescribeWorkerResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to describe worker",
                session.call_workflow_service("DescribeWorker", request, response)));
    STELE_ASSIGN_OR_RETURN(const Json json,
                           message_to_json(response.worker_info(), session.payload_style()));
    session.printer().json(json);
    session.printer().card(fields_of(session, response.worker_info().worker_heartbeat()));
    return absl::OkStatus();
}

}  // namespace

void add_worker_commands(CommandSet& commands) {
    CLI::App& group = commands.group(commands.root(), "worker", "Look at workers");
    const auto flags = std::make_shared<WorkerFlags>();
    CLI::App& list_app =
        commands.command(group, "list", "List the workers that have told of themselves lately",
                         kListExamples, [flags](Session& session) { return run_list(session, *flags); });
    list_app.add_option("-q,--query", flags->query, "Which workers");
    list_app.add_option("--limit", flags->limit, "At most so many");
    CLI::App& describe_app =
        commands.command(group, "describe", "Show what a worker has told last", kDescribeExamples,
                         [flags](Session& session) { return run_describe(session, *flags); });
    describe_app
        .add_option("--worker-instance-key", flags->instance_key, "Which worker, as `list` tells")
        ->required();
    CLI::App& count_app =
        commands.command(group, "count", "Count workers", kCountExamples,
                         [flags](Session& session) { return run_count(session, *flags); });
    count_app.add_option("-q,--query", flags->query, "Which workers");
}

}  // namespace stele::cli
