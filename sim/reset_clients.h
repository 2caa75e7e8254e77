#pragma once

#include "sim/network.h"
#include "sim/record.h"
#include "sim/watchers.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <functional>
#include <string>
#include <vector>

// Simulated clients of workflows of their own in the other namespace, which they reset to their past or
// delete, open or closed. Their ids are those of workflows of the first namespace, to which nothing
// of it may happen. Each call is repeated under the same request id until it is told what happened.
namespace stele::sim {

/// Not thread safe.
class ResetClients {
public:
    ResetClients(Network& network, Record& record)
        : network_(network), record_(record), watchers_(network, record) {}

    void start(int faulty_seconds);
    /// Whether every call has been answered for good.
    bool finished() const { return open_calls_ == 0; }
    /// The workflows that are not deleted.
    const std::vector<std::string>& reset_ids() const { return reset_ids_; }

private:
    using ResetRequest = temporal::api::workflowservice::v1::ResetWorkflowExecutionRequest;

    void start_workflow(const std::string& id, const std::string& script,
                        std::function<void(const std::string& run_id)> started);
    void signal(const std::string& id, const std::string& value, std::function<void()> told);
    void reset(const std::string& id);
    void choose_point(const std::string& id, const std::string& run_id);
    void send_reset(ResetRequest request);
    void note_reset(const ResetRequest& request, const std::string& run_id);
    void remove(const std::string& id, const std::string& run_id);
    /// Starts a workflow under the id of one that is deleted, as soon as it is not found any more.
    void follow_removal(const std::string& id);
    void start_again(const std::string& id);
    Duration within(int milliseconds);

    Network& network_;
    Record& record_;
    Watchers watchers_;
    std::vector<std::string> reset_ids_;
    int open_calls_ = 0;
};

}  // namespace stele::sim
