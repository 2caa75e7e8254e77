#include "sim/watchers.h"

#include <utility>

namespace stele::sim {
namespace {

namespace service = temporal::api::workflowservice::v1;

constexpr Duration kCallTimeout = std::chrono::seconds(5);
constexpr Duration kPause = std::chrono::milliseconds(300);

}  // namespace

void Watchers::watch(const std::string& namespace_name, const std::string& workflow_id,
                     const std::string& run_id) {
    Request request;
    request.set_namespace_(namespace_name);
    request.mutable_execution()->set_workflow_id(workflow_id);
    request.mutable_execution()->set_run_id(run_id);
    request.set_wait_new_event(true);
    read_on(std::move(request), {});
}

void Watchers::read_on(Request request, History history) {
    if (network_.healed()) return;
    using Response = service::GetWorkflowExecutionHistoryResponse;
    network_.call<Response>(
        "GetWorkflowExecutionHistory", request, kCallTimeout,
        [this, request, history = std::move(history)](absl::StatusOr<Response> page) mutable {
            if (!page.ok()) {
                if (!is_uncertain(page.status())) return;  // it is deleted
                return network_.after(kPause, [this, request, history = std::move(history)] {
                    read_on(request, history);
                });
            }
            history.insert(history.end(), page->history().events().begin(),
                           page->history().events().end());
            record_.read_prefix(request.execution().run_id(), history);
            if (page->next_page_token().empty()) return;
            request.set_next_page_token(page->next_page_token());
            read_on(std::move(request), std::move(history));
        });
}

}  // namespace stele::sim
