#include "sim/strangers.h"

#include "sim/clients.h"
#include "sim/script.h"
#include "sim/worker.h"

#include <fmt/format.h>

#include <utility>

namespace stele::sim {
namespace {

namespace service = temporal::api::workflowservice::v1;

constexpr Duration kCallTimeout = std::chrono::seconds(5);
constexpr std::uint64_t kSteps = 4;  // whose children they meddle with
constexpr int kActs = 3;
constexpr int kTries = 60;
constexpr Duration kBetweenTries = std::chrono::milliseconds(40);

}  // namespace

void Strangers::start(const std::vector<std::string>& workflow_ids, int faulty_seconds) {
    auto& random = network_.random();
    if (random.next() % 2 == 0) return;
    for (const std::string& id : workflow_ids) {
        if (random.next() % 2 == 0) continue;
        for (int i = 0; i < kActs; ++i) {
            const std::string child = fmt::format("{}.{}", id, random.next() % kSteps);
            const bool ends = random.next() % 4 != 0;
            const auto when = std::chrono::milliseconds(
                random.next() % (static_cast<std::uint64_t>(faulty_seconds) * 700));
            network_.after(
                when, [this, child, ends] { ends ? end_child(child, kTries) : take_id(child); });
        }
    }
}

void Strangers::end_child(const std::string& workflow_id, int tries) {
    service::TerminateWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    request.set_reason(kByStranger);
    network_.call("TerminateWorkflowExecution", request, kCallTimeout,
                  [this, workflow_id, tries](const absl::StatusOr<std::string>& response) {
                      // The id is free now, while the parent may not know of its child yet.
                      if (response.ok() && network_.random().next() % 2 == 0) {
                          return take_id(workflow_id);
                      }
                      if (response.ok() || tries == 0) return;
                      network_.after(kBetweenTries, [this, workflow_id, tries] {
                          end_child(workflow_id, tries - 1);
                      });
                  });
}

void Strangers::take_id(const std::string& workflow_id) {
    auto request = start_request(workflow_id, encode_input("AT", workflow_id));
    request.set_request_id(fmt::format("stranger-{}", network_.random().next()));
    network_.call("StartWorkflowExecution", request, kCallTimeout,
                  [](absl::StatusOr<std::string>) {});
}

}  // namespace stele::sim
