#include "frontend/follow_run.h"
#include "frontend/poll_responses.h"
#include "frontend/services.h"
#include "frontend/validation.h"

#include <algorithm>

// Reading history. A page token names the run, so that a reader who follows it never slides over
// to another run of the same workflow id.
namespace stele::frontend {
namespace {

using ForwardRequest = service::GetWorkflowExecutionHistoryRequest;
using ForwardResponse = service::GetWorkflowExecutionHistoryResponse;
using ReverseRequest = service::GetWorkflowExecutionHistoryReverseRequest;
using ReverseResponse = service::GetWorkflowExecutionHistoryReverseResponse;

std::int32_t page_size(std::int32_t wanted, const history::Limits& limits) {
    return wanted <= 0 ? limits.history_page : std::min(wanted, limits.history_page);
}

/// The token of a request if it has one; it must be of this namespace and workflow.
absl::StatusOr<wire::PageToken> token_of(const Services& services, const AuthorizedNamespace& space,
                                         const api::common::v1::WorkflowExecution& execution,
                                         const std::string& bytes) {
    wire::PageToken token;
    if (bytes.empty()) {
        token.set_namespace_id(space->id);
        token.set_workflow_id(execution.workflow_id());
        token.set_run_id(execution.run_id());
        return token;
    }
    STELE_ASSIGN_OR_RETURN(token, services.tokens.open_page(bytes));
    const bool same_run = execution.run_id().empty() || execution.run_id() == token.run_id();
    if (token.namespace_id() != space->id || token.workflow_id() != execution.workflow_id() ||
        !same_run) {
        return invalid_argument("Invalid NextPageToken.");
    }
    return token;
}

struct Read {
    wire::PageToken token;
    bool wait = false;
    bool close_only = false;
    bool dress_successor = false;  // for clients that do not follow successors by themselves
    bool raw = false;              // batches as they are stored
};

/// Whether the events of a task that is under way and not written yet are shown: to replayers and
/// other programs, not to what shows a person the history, nor to who waits for the next event.
bool shows_unwritten_task(const Read& read, const RequestContext& context) {
    if (read.wait || read.close_only) return false;
    const std::string client = context.call->header("client-name");
    return client != "temporal-cli" && client != "temporal-ui" && client != "stele-cli";
}

/// The token that reads on, or empty when nothing follows.
std::string next_token(const Services& services, const Read& read,
                       const shard::HistoryReply& outcome) {
    wire::PageToken token = read.token;
    token.set_run_id(outcome.run_id);
    if (outcome.page.next != kNoEvent) {
        token.set_next_event_id(outcome.page.next.value());
        return services.tokens.sign(token);
    }
    // A reader that waits goes on from behind the last event for as long as the run is open.
    if (!read.wait || !outcome.running) return "";
    token.set_next_event_id(outcome.last.next().value());
    return services.tokens.sign(token);
}

void add_raw_history(const shard::HistoryPage& page, ForwardResponse& response) {
    for (const std::string& batch : page.batches) {
        auto& blob = *response.add_raw_history();
        blob.set_encoding_type(api::enums::v1::ENCODING_TYPE_PROTO3);
        blob.set_data(batch);
    }
}

Spliced<ForwardResponse> forward_response(const Services& services, const Read& read,
                                          const shard::HistoryReply& outcome) {
    Spliced<ForwardResponse> response;
    const bool last_page = outcome.page.next == kNoEvent;
    response.message.set_next_page_token(next_token(services, read, outcome));
    if (read.raw) {
        add_raw_history(outcome.page, response.message);
        return response;
    }
    std::string history = join_history(outcome.page, last_page ? read.token.synthesised() : "");
    if (read.dress_successor) history = dress_successor(std::move(history));
    append_field(response.raw, ForwardResponse::kHistoryFieldNumber, history);
    return response;
}

void read_forward(Services& services, const RequestContext& context,
                  const AuthorizedNamespace& space, const ForwardRequest& request,
                  Reply<Spliced<ForwardResponse>> reply) {
    auto status = validate_execution(request.has_execution(), request.execution());
    if (!status.ok()) return reply(std::move(status));
    auto token = token_of(services, space, request.execution(), request.next_page_token());
    if (!token.ok()) return reply(std::move(token).status());
    Read read{*std::move(token)};
    read.wait = request.wait_new_event();
    read.close_only = request.history_event_filter_type() ==
                      api::enums::v1::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;
    read.raw = space->limits.raw_history;
    read.dress_successor =
        read.close_only && !follows_next_run(context.call->header("supported-features"));
    shard::HistoryQuery query;
    query.run = {space->id, read.token.workflow_id(), read.token.run_id()};
    if (read.token.next_event_id() != 0) query.from = EventId(read.token.next_event_id());
    query.to = EventId(read.token.end_event_id());
    query.maximum_events = page_size(request.maximum_page_size(), space->limits);
    query.wait_new_event = read.wait;
    query.longest_wait = space->limits.history_long_poll;
    query.close_event_only = read.close_only;
    query.for_worker = read.token.for_worker() || shows_unwritten_task(read, context);
    services.engine.get_history(space.view(), std::move(query), context.call,
                                [&services, read = std::move(read), reply = std::move(reply)](
                                    absl::StatusOr<shard::HistoryReply> outcome) mutable {
                                    if (!outcome.ok()) return reply(std::move(outcome).status());
                                    reply(forward_response(services, read, *outcome));
                                });
}

void read_reverse(Services& services, const RequestContext& context,
                  const AuthorizedNamespace& space, const ReverseRequest& request,
                  Reply<Spliced<ReverseResponse>> reply) {
    auto status = validate_execution(request.has_execution(), request.execution());
    if (!status.ok()) return reply(std::move(status));
    auto token = token_of(services, space, request.execution(), request.next_page_token());
    if (!token.ok()) return reply(std::move(token).status());
    Read read{*std::move(token)};
    read.token.set_reverse(true);
    shard::HistoryQuery query;
    query.run = {space->id, read.token.workflow_id(), read.token.run_id()};
    query.from = EventId(read.token.next_event_id());
    query.maximum_events = page_size(request.maximum_page_size(), space->limits);
    query.reverse = true;
    services.engine.get_history(
        space.view(), std::move(query), context.call,
        [&services, read = std::move(read),
         reply = std::move(reply)](absl::StatusOr<shard::HistoryReply> outcome) mutable {
            if (!outcome.ok()) return reply(std::move(outcome).status());
            Spliced<ReverseResponse> response;
            response.message.set_next_page_token(next_token(services, read, *outcome));
            append_field(response.raw, ReverseResponse::kHistoryFieldNumber,
                         join_history(outcome->page, ""));
            reply(std::move(response));
        });
}

}  // namespace

void add_history_methods(MethodTable& table, Services& services) {
    table.add_namespaced<ForwardRequest, Spliced<ForwardResponse>>(
        "GetWorkflowExecutionHistory",
        [&services](RequestContext context, AuthorizedNamespace space, ForwardRequest request,
                    Reply<Spliced<ForwardResponse>> reply) {
            read_forward(services, context, space, request, std::move(reply));
        });
    table.add_namespaced<ReverseRequest, Spliced<ReverseResponse>>(
        "GetWorkflowExecutionHistoryReverse",
        [&services](RequestContext context, AuthorizedNamespace space, ReverseRequest request,
                    Reply<Spliced<ReverseResponse>> reply) {
            read_reverse(services, context, space, request, std::move(reply));
        });
}

}  // namespace stele::frontend
