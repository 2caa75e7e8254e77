#pragma once

#include <string>

#include "sdk/core/machine.h"

namespace stele::core {

/// A command that leaves one event and has no consequences: an upsert, or the end of the run.
class PairedMachine final : public Machine {
public:
    explicit PairedMachine(const Command& command);

    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return matched_; }

private:
    temporal::api::enums::v1::CommandType type_;
    bool matched_ = false;
};

}  // namespace stele::core
