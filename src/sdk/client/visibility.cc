#include <utility>

#include "sdk/client/client_core.h"
#include "sdk/client/describe.h"
#include "sdk/client/requests.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "stele/client.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// Lists, counts, descriptions and histories.
namespace stele {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

PagedRange<WorkflowSummary> Client::list(const ListOptions& options) const {
    return PagedRange<WorkflowSummary>([core = core_, options](const std::string& token) {
        api::ListWorkflowExecutionsRequest request;
        request.set_namespace_(core->namespace_name());
        request.set_query(options.query);
        request.set_page_size(options.page_size);
        request.set_next_page_token(token);
        auto reply =
            core->call<api::ListWorkflowExecutionsResponse>("ListWorkflowExecutions", request);
        sdk::decode_incoming(core->converter(), reply, core->context_of({}));
        PagedRange<WorkflowSummary>::Page page;
        for (const auto& info : reply.executions())
            sdk::read_summary(info, page.items.emplace_back());
        page.next_token = reply.next_page_token();
        return page;
    });
}

WorkflowCount Client::count(const std::string& query) const {
    api::CountWorkflowExecutionsRequest request;
    request.set_namespace_(core_->namespace_name());
    request.set_query(query);
    const auto reply =
        core_->call<api::CountWorkflowExecutionsResponse>("CountWorkflowExecutions", request);
    WorkflowCount count{reply.count()};
    for (const auto& group : reply.groups())
        count.groups.push_back(
            {Payloads(group.group_values().begin(), group.group_values().end()), group.count()});
    return count;
}

WorkflowDescription UntypedHandle::describe() const {
    api::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_execution() = sdk::execution_of(*this);
    auto reply =
        core_->call<api::DescribeWorkflowExecutionResponse>("DescribeWorkflowExecution", request);
    sdk::decode_incoming(core_->converter(), reply, core_->context_of(workflow_id_));
    return sdk::read_description(reply);
}

PagedRange<temporal::api::history::v1::HistoryEvent> UntypedHandle::history(
    const HistoryOptions& options) const {
    using Range = PagedRange<temporal::api::history::v1::HistoryEvent>;
    auto activities = std::make_shared<sdk::ScheduledActivities>();
    return Range([core = core_, execution = sdk::execution_of(*this), options,
                  activities = std::move(activities)](const std::string& token) {
        api::GetWorkflowExecutionHistoryRequest request;
        request.set_namespace_(core->namespace_name());
        *request.mutable_execution() = execution;
        request.set_maximum_page_size(options.page_size);
        request.set_wait_new_event(options.wait);
        if (options.close_event_only)
            request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
        request.set_next_page_token(token);
        auto reply = core->call<api::GetWorkflowExecutionHistoryResponse>(
            "GetWorkflowExecutionHistory", request,
            options.wait ? sdk::long_poll_retries() : sdk::default_retries());
        sdk::decode_incoming(core->converter(), reply, core->context_of(execution.workflow_id()),
                             activities.get());
        Range::Page page;
        for (auto& event : *reply.mutable_history()->mutable_events())
            page.items.push_back(std::move(event));
        page.next_token = reply.next_page_token();
        return page;
    });
}

temporal::api::history::v1::History UntypedHandle::fetch_history() const {
    temporal::api::history::v1::History history;
    for (const auto& event : this->history()) *history.add_events() = event;
    return history;
}

}  // namespace stele
