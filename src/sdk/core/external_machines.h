#pragma once

#include <string>

#include "sdk/core/machine.h"

namespace stele::core {

/// A signal to another workflow: called → initiated → delivered or refused.
class SignalExternalMachine final : public Machine {
public:
    explicit SignalExternalMachine(const SignalExternalCall& call);
    /// True when the command has not been sent and must be taken back.
    bool drop();

    Sequence sequence() const { return sequence_; }
    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return state_ == State::kClosed; }

private:
    enum class State { kCalled, kInitiated, kClosed };
    Sequence sequence_;
    std::string workflow_id_;
    std::string signal_;
    State state_ = State::kCalled;
};

/// A cancellation of another workflow: called → initiated → requested or refused.
class CancelExternalMachine final : public Machine {
public:
    explicit CancelExternalMachine(const CancelExternalCall& call);

    Sequence sequence() const { return sequence_; }
    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return closed_; }

private:
    Sequence sequence_;
    std::optional<Sequence> child_;
    std::string workflow_id_;
    bool closed_ = false;
};

}  // namespace stele::core
