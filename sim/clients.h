#pragma once

#include "sim/network.h"
#include "sim/record.h"
#include "sim/update_clients.h"
#include "sim/watchers.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <functional>
#include <string>
#include <vector>

// The simulated clients: each starts a workflow, signals it, sometimes cancels or terminates it,
// asks and reads, and repeats every call under the same request id until it is told what happened.
namespace stele::sim {

/// How many activities each workflow of the crowd has, one after another.
inline constexpr int kActivitiesOfCrowd = 2;

/// The start of a workflow that works through a script, under its own request id.
temporal::api::workflowservice::v1::StartWorkflowExecutionRequest start_request(
    const std::string& workflow_id, const std::string& input);

/// Sends a start under its own request id until it is known what became of it, and records its run; a
/// start that is refused is a violation. `told` then learns whether it was taken.
void start_until_told(
    Network& network, Record& record,
    const temporal::api::workflowservice::v1::StartWorkflowExecutionRequest& request,
    std::function<void(bool)> told);

/// Not thread safe.
class Clients {
public:
    Clients(Network& network, Record& record, const Options& options);

    void start();
    /// Starts so many short workflows at once. Where all their tasks find room in matching, half of
    /// them then wait for a signal that is sent when they have answered an update.
    void start_crowd(int count);
    /// Whether every call that must be acknowledged has been.
    bool finished() const { return open_calls_ == 0 && updates_.finished(); }
    const std::vector<std::string>& workflow_ids() const { return workflow_ids_; }
    const std::vector<std::string>& crowd_ids() const { return crowd_ids_; }

private:
    void start_workflow(std::size_t index);
    void begin_again(std::size_t index, std::string& script,
                     temporal::api::workflowservice::v1::StartWorkflowExecutionRequest& request);
    void send_start(
        const temporal::api::workflowservice::v1::StartWorkflowExecutionRequest& request,
        std::function<void()> started);
    void accompany(std::size_t index);
    void update_and_signal(const std::string& workflow_id);
    void signal_until_told(const std::string& workflow_id, const std::string& value,
                           const std::string& request_id);
    void disturb(const std::string& workflow_id);
    void keep_asking(const std::string& workflow_id);
    void check_answer(const temporal::api::workflowservice::v1::QueryWorkflowResponse& response,
                      const std::string& run_id, std::size_t seen);
    void read_prefix(const std::string& workflow_id);
    void look_up(const std::string& workflow_id);
    void list_own(const std::string& workflow_id);
    Duration within(int milliseconds);

    Network& network_;
    Record& record_;
    const Options& options_;
    UpdateClients updates_;
    Watchers watchers_;
    std::vector<std::string> workflow_ids_;
    std::vector<std::string> crowd_ids_;
    std::vector<int> signals_;
    int open_calls_ = 0;
    int askings_left_ = 0;
};

}  // namespace stele::sim
