#pragma once

#include "sim/network.h"
#include "sim/record.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <string>

// Readers who wait for what a run does next: each reads its history event by event while the faults
// last, and no event that one of them has been shown may change.
namespace stele::sim {

/// Not thread safe.
class Watchers {
public:
    Watchers(Network& network, Record& record) : network_(network), record_(record) {}

    void watch(const std::string& namespace_name, const std::string& workflow_id,
               const std::string& run_id);

private:
    using History = std::vector<temporal::api::history::v1::HistoryEvent>;
    using Request = temporal::api::workflowservice::v1::GetWorkflowExecutionHistoryRequest;

    void read_on(Request request, History history);

    Network& network_;
    Record& record_;
};

}  // namespace stele::sim
