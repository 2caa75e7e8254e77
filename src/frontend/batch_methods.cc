#include "batch/batches.h"
#include "frontend/services.h"
#include "frontend/validation.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

// Batch operations: one operation on many runs, in the background.
namespace stele::frontend {
namespace {

namespace enums = api::enums::v1;

constexpr int kMaximumPage = 1000;

absl::Status check_enabled(const Services& services, const AuthorizedNamespace& space) {
    if (services.namespaces.settings(space->id).batches.enabled) return absl::OkStatus();
    return make_error(absl::StatusCode::kPermissionDenied,
                      "Batch operation feature are disabled on this namespace.",
                      api::errordetails::v1::PermissionDeniedFailure());
}

template <typename Request>
absl::Status check_job(const Services& services, const AuthorizedNamespace& space,
                       const Request& request) {
    if (request.job_id().empty()) return invalid_argument("JobId is not set on request.");
    if constexpr (requires { request.reason(); }) {
        if (request.reason().empty()) return invalid_argument("Reason is not set on request.");
    }
    return check_enabled(services, space);
}

batch::Request request_in(const storage::BatchRow& row) {
    batch::Request request;
    request.ParseFromString(row.request());
    return request;
}

/// What the description and the list have in common.
template <typename Info>
void fill(Info& info, const storage::BatchRow& row, const batch::Request& request) {
    info.set_job_id(row.job_id());
    info.set_state(static_cast<enums::BatchOperationState>(row.state()));
    *info.mutable_start_time() = row.start_time();
    if (row.has_close_time()) *info.mutable_close_time() = row.close_time();
    info.set_operation_type(batch::type_of(request));
}

service::DescribeBatchOperationResponse describe(const storage::BatchRow& row) {
    const batch::Request request = request_in(row);
    service::DescribeBatchOperationResponse response;
    fill(response, row, request);
    response.set_total_operation_count(row.total());
    response.set_complete_operation_count(row.succeeded());
    response.set_failure_operation_count(row.failed());
    response.set_identity(batch::identity_of(request));
    response.set_reason(request.reason());
    response.set_query(request.visibility_query());
    for (auto& execution : batch::executions_of(request)) {
        *response.add_executions() = std::move(execution);
    }
    return response;
}

/// A page goes on behind a job; one that has gone since, or has moved up because it has ended, is
/// looked for by where it stood.
wire::RunListToken token_of(const storage::BatchRow& row) {
    wire::RunListToken token;
    token.set_namespace_id(row.namespace_id());
    token.set_order_time(row.has_close_time()
                             ? from_proto(row.close_time()).time_since_epoch().count()
                             : kNever.time_since_epoch().count());
    token.set_start_time(from_proto(row.start_time()).time_since_epoch().count());
    token.set_run_id(row.run_id());
    return token;
}

bool is_behind(const storage::BatchRow& row, const wire::RunListToken& after) {
    const wire::RunListToken place = token_of(row);
    return std::tuple(place.order_time(), place.start_time(), place.run_id()) <
           std::tuple(after.order_time(), after.start_time(), after.run_id());
}

using ListRequest = service::ListBatchOperationsRequest;
using ListResponse = service::ListBatchOperationsResponse;

absl::StatusOr<ListResponse> list(const Services& services, const AuthorizedNamespace& space,
                                  const ListRequest& request) {
    STELE_RETURN_IF_ERROR(check_enabled(services, space));
    std::vector<storage::BatchRow> jobs = services.batches.list(space->id);
    if (!request.next_page_token().empty()) {
        STELE_ASSIGN_OR_RETURN(const wire::RunListToken after,
                               services.tokens.open_run_list(request.next_page_token()));
        if (after.namespace_id() != space->id) return invalid_argument("Invalid NextPageToken.");
        std::erase_if(jobs, [&](const auto& row) { return !is_behind(row, after); });
    }
    const int size =
        request.page_size() <= 0 ? kMaximumPage : std::min(request.page_size(), kMaximumPage);
    ListResponse response;
    for (const storage::BatchRow& row : jobs) {
        if (response.operation_info_size() == size) break;
        fill(*response.add_operation_info(), row, request_in(row));
        if (response.operation_info_size() < size) continue;
        response.set_next_page_token(services.tokens.sign(token_of(row)));
    }
    return response;
}

void add_start(MethodTable& table, Services& services) {
    using Response = service::StartBatchOperationResponse;
    table.add_namespaced<batch::Request, Response>(
        "StartBatchOperation",
        [&services](RequestContext, AuthorizedNamespace space, batch::Request request,
                    Reply<Response> reply) {
            absl::Status status = check_enabled(services, space);
            if (!status.ok()) return reply(std::move(status));
            services.batches.start(space.view(), std::move(request),
                                   done<Response>(std::move(reply)));
        },
        /*creates=*/true);
}

void add_stop(MethodTable& table, Services& services) {
    using Request = service::StopBatchOperationRequest;
    using Response = service::StopBatchOperationResponse;
    table.add_namespaced<Request, Response>(
        "StopBatchOperation", [&services](RequestContext, AuthorizedNamespace space,
                                          Request request, Reply<Response> reply) {
            absl::Status status = check_job(services, space, request);
            if (!status.ok()) return reply(std::move(status));
            services.batches.stop(space->id, request.job_id(), done<Response>(std::move(reply)));
        });
}

void add_describe(MethodTable& table, Services& services) {
    using Request = service::DescribeBatchOperationRequest;
    using Response = service::DescribeBatchOperationResponse;
    table.add_namespaced<Request, Response>(
        "DescribeBatchOperation", [&services](RequestContext, AuthorizedNamespace space,
                                              Request request, Reply<Response> reply) {
            absl::Status status = check_job(services, space, request);
            if (!status.ok()) return reply(std::move(status));
            const auto row = services.batches.find(space->id, request.job_id());
            if (!row.ok()) return reply(row.status());
            reply(describe(*row));
        });
}

}  // namespace

void add_batch_methods(MethodTable& table, Services& services) {
    add_start(table, services);
    add_stop(table, services);
    add_describe(table, services);
    table.add_namespaced<ListRequest, ListResponse>(
        "ListBatchOperations",
        [&services](RequestContext, AuthorizedNamespace space, ListRequest request,
                    Reply<ListResponse> reply) { reply(list(services, space, request)); });
}

}  // namespace stele::frontend
