#include "frontend/services.h"
#include "frontend/validation.h"
#include "frontend/worker_filter.h"
#include "frontend/worker_registry.h"

#include <algorithm>
#include <utility>
#include <vector>

// Workers as they tell of themselves: heartbeats, lists, and the end of a worker.
namespace stele::frontend {
namespace {

using api::worker::v1::WorkerListInfo;

constexpr std::size_t kMaximumPage = 1000;

WorkerListInfo list_info(const WorkerHeartbeat& worker) {
    WorkerListInfo info;
    info.set_worker_instance_key(worker.worker_instance_key());
    info.set_worker_identity(worker.worker_identity());
    info.set_task_queue(worker.task_queue());
    if (worker.has_deployment_version()) {
        *info.mutable_deployment_version() = worker.deployment_version();
    }
    info.set_sdk_name(worker.sdk_name());
    info.set_sdk_version(worker.sdk_version());
    info.set_status(worker.status());
    if (worker.has_start_time()) *info.mutable_start_time() = worker.start_time();
    info.set_host_name(worker.host_info().host_name());
    info.set_worker_grouping_key(worker.host_info().worker_grouping_key());
    info.set_process_id(worker.host_info().process_id());
    *info.mutable_plugins() = worker.plugins();
    *info.mutable_drivers() = worker.drivers();
    return info;
}

template <typename Request>
absl::StatusOr<WorkerRegistry::Query> query_of(const Request& request) {
    WorkerRegistry::Query query;
    STELE_ASSIGN_OR_RETURN(query.wanted, parse_worker_filter(request.query()));
    query.system_workers = request.include_system_workers();
    return query;
}

void add_heartbeats(MethodTable& table, Services& services) {
    using Request = service::RecordWorkerHeartbeatRequest;
    using Response = service::RecordWorkerHeartbeatResponse;
    table.add_namespaced<Request, Response>(
        "RecordWorkerHeartbeat", [&services](RequestContext context, AuthorizedNamespace space,
                                             Request request, Reply<Response> reply) {
            if (services.namespaces.call_settings(space->id).worker_heartbeats) {
                for (WorkerHeartbeat& heartbeat : *request.mutable_worker_heartbeat()) {
                    services.workers.record(space->id, std::move(heartbeat), context.now);
                }
            }
            reply(Response());
        });
}

void add_list(MethodTable& table, Services& services) {
    using Request = service::ListWorkersRequest;
    using Response = service::ListWorkersResponse;
    table.add_namespaced<Request, Response>(
        "ListWorkers", [&services](RequestContext context, AuthorizedNamespace space,
                                   Request request, Reply<Response> reply) {
            auto query = query_of(request);
            if (!query.ok()) return reply(std::move(query).status());
            query->limit =
                request.page_size() <= 0
                    ? kMaximumPage
                    : std::min(static_cast<std::size_t>(request.page_size()), kMaximumPage);
            if (!request.next_page_token().empty()) {
                auto token = services.tokens.open_list(request.next_page_token());
                if (!token.ok()) return reply(invalid_argument("invalid next_page_token"));
                query->after = token->after();
            }
            const WorkerRegistry::Page page = services.workers.list(space->id, *query, context.now);
            Response response;
            for (const WorkerHeartbeat& worker : page.workers) {
                *response.add_workers_info()->mutable_worker_heartbeat() = worker;
                *response.add_workers() = list_info(worker);
            }
            if (page.more) {
                wire::ListToken token;
                token.set_after(page.workers.back().worker_instance_key());
                response.set_next_page_token(services.tokens.sign(token));
            }
            reply(std::move(response));
        });
}

void add_describe_and_count(MethodTable& table, Services& services) {
    using DescribeResponse = service::DescribeWorkerResponse;
    table.add_namespaced<service::DescribeWorkerRequest, DescribeResponse>(
        "DescribeWorker",
        [&services](RequestContext context, AuthorizedNamespace space,
                    service::DescribeWorkerRequest request, Reply<DescribeResponse> reply) {
            auto worker =
                services.workers.find(space->id, request.worker_instance_key(), context.now);
            if (!worker.ok()) return reply(std::move(worker).status());
            DescribeResponse response;
            *response.mutable_worker_info()->mutable_worker_heartbeat() = *std::move(worker);
            reply(std::move(response));
        });
    using CountResponse = service::CountWorkersResponse;
    table.add_namespaced<service::CountWorkersRequest, CountResponse>(
        "CountWorkers",
        [&services](RequestContext context, AuthorizedNamespace space,
                    service::CountWorkersRequest request, Reply<CountResponse> reply) {
            const auto query = query_of(request);
            if (!query.ok()) return reply(query.status());
            CountResponse response;
            response.set_count(
                static_cast<std::int64_t>(services.workers.count(space->id, *query, context.now)));
            reply(std::move(response));
        });
}

/// The polls of the worker on its normal queues end, and it gets no more tasks from there.
void cancel_polls(Services& services, const shard::NamespaceView& space,
                  const service::ShutdownWorkerRequest& request) {
    if (request.worker_instance_key().empty() || request.task_queue().empty()) return;
    std::vector<int> types(request.task_queue_types().begin(), request.task_queue_types().end());
    if (types.empty()) {
        types.push_back(api::enums::v1::TASK_QUEUE_TYPE_WORKFLOW);
        types.push_back(api::enums::v1::TASK_QUEUE_TYPE_ACTIVITY);
    }
    for (const int type : types) {
        if (type == api::enums::v1::TASK_QUEUE_TYPE_NEXUS) {
            services.nexus_tasks.shutdown_worker(
                {space.id, request.task_queue(), shard::QueueKind::kNexus},
                request.worker_instance_key());
            continue;
        }
        services.matching.shutdown_worker(
            {space.id, request.task_queue(), static_cast<shard::QueueKind>(type)},
            request.worker_instance_key());
    }
}

void add_shutdown(MethodTable& table, Services& services) {
    using Request = service::ShutdownWorkerRequest;
    using Response = service::ShutdownWorkerResponse;
    table.add_namespaced<Request, Response>(
        "ShutdownWorker", [&services](RequestContext context, AuthorizedNamespace space,
                                      Request request, Reply<Response> reply) {
            const CallSettings calls = services.namespaces.call_settings(space->id);
            if (calls.cancel_polls_on_shutdown) cancel_polls(services, *space, request);
            if (request.has_worker_heartbeat() && calls.worker_heartbeats) {
                services.workers.record(space->id, std::move(*request.mutable_worker_heartbeat()),
                                        context.now);
            }
            if (!request.sticky_task_queue().empty()) {
                services.matching.shutdown_sticky(
                    {space->id, request.sticky_task_queue(), shard::QueueKind::kWorkflow});
            }
            reply(Response());
        });
}

}  // namespace

void add_worker_methods(MethodTable& table, Services& services) {
    add_heartbeats(table, services);
    add_list(table, services);
    add_describe_and_count(table, services);
    add_shutdown(table, services);
}

}  // namespace stele::frontend
