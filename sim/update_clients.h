#pragma once

#include "sim/network.h"
#include "sim/record.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <functional>
#include <string>

// Clients that send updates, each until it is told what became of it, and ask for the outcome of one
// that was accepted.
namespace stele::sim {

/// Not thread safe.
class UpdateClients {
public:
    UpdateClients(Network& network, Record& record) : network_(network), record_(record) {}

    /// Sends a few updates, at random moments, to a workflow that has been started.
    void update(const std::string& workflow_id);
    /// Sends one now that the workflow completes at once; `answered` follows when it has.
    void update_now(const std::string& workflow_id, std::function<void()> answered);
    bool finished() const { return open_calls_ == 0; }

private:
    using UpdateRequest = temporal::api::workflowservice::v1::UpdateWorkflowExecutionRequest;

    /// `answered` follows when the update was accepted, at least.
    void send(const UpdateRequest& request, std::function<void()> answered);
    void poll(const temporal::api::update::v1::UpdateRef& update);

    Network& network_;
    Record& record_;
    int open_calls_ = 0;
};

}  // namespace stele::sim
