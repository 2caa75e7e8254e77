#include "sim/operators.h"

#include "base/time.h"
#include "sim/script.h"
#include "sim/server.h"
#include "sim/worker.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sim {
namespace {

namespace service = temporal::api::workflowservice::v1;

constexpr Duration kCallTimeout = std::chrono::seconds(5);
constexpr Duration kUnpauseEvery = std::chrono::seconds(2);
constexpr int kActs = 4;

template <typename Request>
Request request_for(const std::string& workflow_id) {
    Request request;
    request.set_namespace_(kNamespace);
    request.mutable_execution()->set_workflow_id(workflow_id);
    request.set_identity("operator");
    return request;
}

constexpr char kBatch[] = "batch";
constexpr char kRefusedBatch[] = "refused-batch";

bool has_ended(const absl::Status& status) {
    return status.code() == absl::StatusCode::kNotFound &&
           message_of(status) == "workflow execution already completed";
}

}  // namespace

Duration Operators::within(int milliseconds) {
    return std::chrono::milliseconds(network_.random().next() %
                                     static_cast<std::uint64_t>(milliseconds));
}

void Operators::start(const std::vector<std::string>& workflow_ids, int faulty_seconds) {
    for (const std::string& id : workflow_ids) {
        if (network_.random().next() % 3 != 0) continue;
        acts_left_[id] = kActs;
        record_.operated.insert(id);
        network_.after(within(faulty_seconds * 500), [this, id] { act(id); });
        network_.after(within(faulty_seconds * 500), [this, id] { keep_unpausing(id); });
    }
    network_.after(within(faulty_seconds * 500), [this] { start_batch(kBatch, "for all"); });
    if (network_.random().next() % 4 != 0) return;
    // No run takes this one.
    const std::string too_large(kBlobBytesMax + 1, '.');
    network_.after(within(faulty_seconds * 500),
                   [this, too_large] { start_batch(kRefusedBatch, too_large); });
}

void Operators::act(const std::string& workflow_id) {
    if (--acts_left_[workflow_id] < 0) return;
    switch (network_.random().next() % 3) {
        case 0: pause(workflow_id); break;
        case 1: reset(workflow_id); break;
        default: change_options(workflow_id); break;
    }
    network_.after(within(6'000), [this, workflow_id] { act(workflow_id); });
}

void Operators::pause(const std::string& workflow_id) {
    auto request = request_for<service::PauseActivityRequest>(workflow_id);
    request.set_type(kActivityType);
    request.set_request_id("pause-" + workflow_id + std::to_string(acts_left_[workflow_id]));
    network_.call("PauseActivity", request, kCallTimeout, [](absl::StatusOr<std::string>) {});
}

void Operators::reset(const std::string& workflow_id) {
    auto request = request_for<service::ResetActivityRequest>(workflow_id);
    request.set_match_all(true);
    request.set_keep_paused(network_.random().next() % 2 == 0);
    request.set_reset_heartbeat(network_.random().next() % 2 == 0);
    request.set_restore_original_options(network_.random().next() % 2 == 0);
    network_.call("ResetActivity", request, kCallTimeout, [](absl::StatusOr<std::string>) {});
}

void Operators::change_options(const std::string& workflow_id) {
    auto request = request_for<service::UpdateActivityOptionsRequest>(workflow_id);
    request.set_match_all(true);
    auto& options = *request.mutable_activity_options();
    *options.mutable_start_to_close_timeout() = to_proto(std::chrono::seconds(4));
    *options.mutable_retry_policy()->mutable_initial_interval() =
        to_proto(std::chrono::milliseconds(500));
    request.mutable_update_mask()->add_paths("start_to_close_timeout");
    request.mutable_update_mask()->add_paths("retry_policy.initial_interval");
    network_.call("UpdateActivityOptions", request, kCallTimeout,
                  [](absl::StatusOr<std::string>) {});
}

void Operators::keep_unpausing(const std::string& workflow_id) {
    auto request = request_for<service::UnpauseActivityRequest>(workflow_id);
    request.set_unpause_all(true);
    request.set_reset_attempts(network_.random().next() % 4 == 0);
    network_.call("UnpauseActivity", request, kCallTimeout,
                  [this, workflow_id](absl::StatusOr<std::string> response) {
                      if (!response.ok() && has_ended(response.status())) return;
                      network_.after(kUnpauseEvery,
                                     [this, workflow_id] { keep_unpausing(workflow_id); });
                  });
}

/// Slow enough for a crash to meet it.
void Operators::start_batch(const std::string& job, const std::string& input) {
    service::StartBatchOperationRequest request;
    request.set_namespace_(kNamespace);
    request.set_job_id(job);
    request.set_reason("simulated");
    request.set_visibility_query("WorkflowType = 'script'");
    request.set_max_operations_per_second(5);
    request.mutable_signal_operation()->set_signal(kBatchSignal);
    request.mutable_signal_operation()->mutable_input()->add_payloads()->set_data(input);
    network_.call("StartBatchOperation", request, kCallTimeout,
                  [this, job, input](absl::StatusOr<std::string> response) {
                      const absl::StatusCode code = response.status().code();
                      if (response.ok() || code == absl::StatusCode::kAlreadyExists) {
                          record_.batches.insert(job);
                          return;
                      }
                      network_.after(kUnpauseEvery,
                                     [this, job, input] { start_batch(job, input); });
                  });
}

}  // namespace stele::sim
