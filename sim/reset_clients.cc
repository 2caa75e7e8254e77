#include "sim/reset_clients.h"

#include "base/probe.h"
#include "sim/callbacks.h"
#include "sim/clients.h"
#include "sim/script.h"
#include "sim/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace stele::sim {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

constexpr Duration kCallTimeout = std::chrono::seconds(5);
constexpr Duration kPause = std::chrono::milliseconds(300);
/// Each waits for one signal. Behind a continuation it would wait for ever when both of those that
/// are sent have been taken by the run before.
constexpr std::array<const char*, 4> kScripts = {"ATSKMA", "ASNPT", "AHSHA", "ASTNAT"};
/// What is deleted owes others something when it closes.
constexpr std::array<const char*, 3> kRemovedScripts = {"ATA", "ADFT", "AEDL"};
constexpr Duration kBetweenLooks = std::chrono::milliseconds(20);

/// Where a history can be reset to: where a workflow task ended, or was about to be started.
std::vector<std::int64_t> reset_points(const temporal::api::history::v1::History& history) {
    std::vector<std::int64_t> points;
    for (const auto& event : history.events()) {
        switch (event.event_type()) {
            case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
            case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
                points.push_back(event.event_id());
                break;
            default: break;
        }
    }
    return points;
}

/// Whom these workflows signal: there is none.
std::string neighbour() { return "nobody"; }

}  // namespace

Duration ResetClients::within(int milliseconds) {
    return std::chrono::milliseconds(network_.random().next() %
                                     static_cast<std::uint64_t>(milliseconds));
}

void ResetClients::start(int faulty_seconds) {
    for (std::size_t i = 0; i < kScripts.size(); ++i) {
        const std::string id = fmt::format("workflow-{}", i);
        reset_ids_.push_back(kOtherPrefix + id);
        ++open_calls_;
        network_.after(within(faulty_seconds * 400), [this, id, script = kScripts[i]] {
            start_workflow(id, script, [this, id](const std::string&) {
                // Twice at times, so that the next run may take what the one before has taken.
                const int times = static_cast<int>(1 + network_.random().next() % 2);
                for (int time = 1; time <= times; ++time) {
                    ++open_calls_;
                    network_.after(within(5'000 * time), [this, id] {
                        signal(id, id + "-early", [this] { --open_calls_; });
                    });
                }
                network_.after(within(15'000), [this, id] { reset(id); });
            });
        });
    }
    for (std::size_t i = 0; i < kRemovedScripts.size(); ++i) {
        const std::string id = fmt::format("workflow-{}", kScripts.size() + i);
        ++open_calls_;
        network_.after(within(faulty_seconds * 400), [this, id, script = kRemovedScripts[i]] {
            start_workflow(id, script, [this, id](const std::string& run_id) {
                record_.removed[kOtherPrefix + id] = run_id;
                watchers_.watch(kOtherNamespace, id, run_id);
                network_.after(within(6'000), [this, id, run_id] { remove(id, run_id); });
            });
        });
    }
}

void ResetClients::start_workflow(const std::string& id, const std::string& script,
                                  std::function<void(const std::string&)> started) {
    using Response = service::StartWorkflowExecutionResponse;
    auto request = start_request(id, encode_input(script, neighbour()));
    request.set_namespace_(kOtherNamespace);
    // Nobody ever takes it: what a deletion must not wait for.
    const bool removed =
        std::find(kRemovedScripts.begin(), kRemovedScripts.end(), script) != kRemovedScripts.end();
    if (removed) {
        request.add_completion_callbacks()->mutable_nexus()->set_url(kNobody);
    }
    network_.call<Response>(
        "StartWorkflowExecution", request, kCallTimeout,
        [this, id, script, started,
         request_id = request.request_id()](absl::StatusOr<Response> response) {
            if (!response.ok() && is_uncertain(response.status())) {
                return network_.after(
                    kPause, [this, id, script, started] { start_workflow(id, script, started); });
            }
            if (!response.ok()) {
                // Only its first run knows the request id of one that has continued as new.
                --open_calls_;
                return;
            }
            record_.started(kOtherPrefix + id, kOtherPrefix + request_id, response->run_id());
            started(response->run_id());
        });
}

void ResetClients::signal(const std::string& id, const std::string& value,
                          std::function<void()> told) {
    service::SignalWorkflowExecutionRequest request;
    request.set_namespace_(kOtherNamespace);
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name("step");
    request.set_request_id("request-" + value);
    request.mutable_input()->add_payloads()->set_data(value);
    using Response = service::SignalWorkflowExecutionResponse;
    network_.call_until_told<Response>(
        "SignalWorkflowExecution", request, kCallTimeout,
        [this, id, value, told](const absl::StatusOr<Response>& response) {
            if (response.ok()) record_.signalled(kOtherPrefix + id, value);
            told();
        });
}

// ---- Resets ----------------------------------------------------------------------------------

void ResetClients::reset(const std::string& id) {
    service::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(kOtherNamespace);
    request.mutable_execution()->set_workflow_id(id);
    using Response = service::DescribeWorkflowExecutionResponse;
    network_.call<Response>("DescribeWorkflowExecution", request, kCallTimeout,
                            [this, id](absl::StatusOr<Response> response) {
                                if (!response.ok())
                                    return network_.after(kPause, [this, id] { reset(id); });
                                const auto& info = response->workflow_execution_info();
                                // Also what has gone on as another run can be reset.
                                const bool first = network_.random().next() % 2 == 0;
                                choose_point(
                                    id, first ? info.first_run_id() : info.execution().run_id());
                            });
}

void ResetClients::choose_point(const std::string& id, const std::string& run_id) {
    service::GetWorkflowExecutionHistoryRequest read;
    read.set_namespace_(kOtherNamespace);
    read.mutable_execution()->set_workflow_id(id);
    read.mutable_execution()->set_run_id(run_id);
    using Response = service::GetWorkflowExecutionHistoryResponse;
    network_.call<Response>("GetWorkflowExecutionHistory", read, kCallTimeout,
                            [this, read](absl::StatusOr<Response> response) {
                                const std::string& of = read.execution().workflow_id();
                                if (!response.ok())
                                    return network_.after(kPause, [this, of] { reset(of); });
                                const std::vector<std::int64_t> points =
                                    reset_points(response->history());
                                if (points.empty())
                                    return network_.after(kPause, [this, of] { reset(of); });
                                ResetRequest request;
                                request.set_namespace_(kOtherNamespace);
                                *request.mutable_workflow_execution() = read.execution();
                                request.set_workflow_task_finish_event_id(
                                    points[network_.random().next() % points.size()]);
                                request.set_reason("simulated");
                                request.set_request_id("reset-" + of);
                                send_reset(std::move(request));
                            });
}

void ResetClients::send_reset(ResetRequest request) {
    using Response = service::ResetWorkflowExecutionResponse;
    if (STELE_FAULT("client.resets-twice")) {
        network_.call<Response>("ResetWorkflowExecution", request, kCallTimeout,
                                [this, request](absl::StatusOr<Response> response) {
                                    if (response.ok()) note_reset(request, response->run_id());
                                });
    }
    network_.call<Response>("ResetWorkflowExecution", request, kCallTimeout,
                            [this, request](absl::StatusOr<Response> response) {
                                if (!response.ok() && is_uncertain(response.status())) {
                                    return network_.after(kPause,
                                                          [this, request] { send_reset(request); });
                                }
                                const std::string& id = request.workflow_execution().workflow_id();
                                if (response.ok()) note_reset(request, response->run_id());
                                // The signal that it waits for may have come when the old run had closed.
                                signal(id, id + "-late", [this] { --open_calls_; });
                            });
}

void ResetClients::note_reset(const ResetRequest& request, const std::string& run_id) {
    record_.was_reset({kOtherPrefix + request.workflow_execution().workflow_id(),
                       request.workflow_execution().run_id(), run_id,
                       request.workflow_task_finish_event_id()});
}

// ---- Deletions -------------------------------------------------------------------------------

void ResetClients::remove(const std::string& id, const std::string& run_id) {
    service::DeleteWorkflowExecutionRequest request;
    request.set_namespace_(kOtherNamespace);
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.mutable_workflow_execution()->set_run_id(run_id);
    using Response = service::DeleteWorkflowExecutionResponse;
    // Not found: an earlier call, whose answer was lost, has done it.
    network_.call_until_told<Response>(
        "DeleteWorkflowExecution", request, kCallTimeout,
        [this, id](const absl::StatusOr<Response>&) { follow_removal(id); });
}

void ResetClients::follow_removal(const std::string& id) {
    service::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(kOtherNamespace);
    request.mutable_execution()->set_workflow_id(id);
    network_.call("DescribeWorkflowExecution", request, kCallTimeout,
                  [this, id](const absl::StatusOr<std::string>& response) {
                      if (response.status().code() == absl::StatusCode::kNotFound) {
                          return start_again(id);
                      }
                      network_.after(kBetweenLooks, [this, id] { follow_removal(id); });
                  });
}

void ResetClients::start_again(const std::string& id) {
    auto request = start_request(id, encode_input("AT", neighbour()));
    request.set_namespace_(kOtherNamespace);
    request.set_request_id("again-" + id);
    using Response = service::StartWorkflowExecutionResponse;
    network_.call<Response>("StartWorkflowExecution", request, kCallTimeout,
                            [this, id](absl::StatusOr<Response> response) {
                                if (!response.ok() && is_uncertain(response.status())) {
                                    return network_.after(kPause, [this, id] { start_again(id); });
                                }
                                --open_calls_;
                                if (response.ok()) {
                                    record_.listed.emplace(kOtherPrefix + id, response->run_id());
                                    return;
                                }
                                record_.violation(fmt::format(
                                    "invariant 17: {} was deleted and can not start again: {}", id,
                                    message_of(response.status())));
                            });
}

}  // namespace stele::sim
