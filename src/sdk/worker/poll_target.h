#pragma once

#include <algorithm>
#include <optional>

#include "stele/tuner.h"

namespace stele::sdk {

/// How many polls are to be open at a time: a fixed number, or one that follows the server's advice.
/// Not thread safe.
class PollTarget {
public:
    PollTarget() = default;
    explicit PollTarget(int polls) : polls_(polls) {}
    explicit PollTarget(const PollerAutoscaling& scaling)
        : scaling_(scaling),
          polls_(std::clamp(scaling.polls_at_start, scaling.polls_min, scaling.polls_max)) {}

    int polls() const { return polls_; }
    bool scales() const { return scaling_.has_value(); }

    /// What a reply advised, if anything; `has_task`: whether it brought a task.
    void on_reply(std::optional<int> advice, bool has_task) {
        if (advice) {
            // Only a server that gives advice at all can be taken to mean something by silence.
            server_advises_ = true;
            change(*advice);
        } else if (!has_task && server_advises_) {
            change(-1);
        }
    }
    void on_exhausted() { change(-polls_ / 2); }

private:
    void change(int by) {
        if (scaling_) polls_ = std::clamp(polls_ + by, scaling_->polls_min, scaling_->polls_max);
    }

    std::optional<PollerAutoscaling> scaling_;
    int polls_ = 0;
    bool server_advises_ = false;
};

}  // namespace stele::sdk
