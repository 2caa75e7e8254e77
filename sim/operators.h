#pragma once

#include "sim/network.h"
#include "sim/record.h"

#include <map>
#include <string>
#include <vector>

// The simulated operators: they pause, unpause and reset the activities of some workflows and change
// their options. Whatever of it is lost or repeated, they unpause again and again until the
// workflow has ended, so that everything can end. One of them signals all workflows in a batch.
namespace stele::sim {

/// The signal that the batch sends.
inline constexpr char kBatchSignal[] = "batch";

/// Not thread safe.
class Operators {
public:
    Operators(Network& network, Record& record) : network_(network), record_(record) {}

    /// Chooses some of the workflows and begins.
    void start(const std::vector<std::string>& workflow_ids, int faulty_seconds);

private:
    void act(const std::string& workflow_id);
    void pause(const std::string& workflow_id);
    void reset(const std::string& workflow_id);
    void change_options(const std::string& workflow_id);
    void keep_unpausing(const std::string& workflow_id);
    void start_batch(const std::string& job, const std::string& input);
    Duration within(int milliseconds);

    Network& network_;
    Record& record_;
    std::map<std::string, int> acts_left_;  // by workflow id
};

}  // namespace stele::sim
