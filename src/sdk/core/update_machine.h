#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "sdk/core/machine.h"

namespace stele::core {

/// A request for an update, as the server's message or an event of the history brings it.
struct UpdateRequest {
    /// Of the message, which the answer refers to.
    std::string message_id;
    std::string update_id;
    /// What history up to and including this event has done is seen by the handler.
    std::int64_t sequencing_event_id = 0;
    temporal::api::update::v1::Request request;
};

/// One answer about an update, on its way to the server.
struct UpdateMessage {
    std::string id;
    std::string update_id;
    std::variant<temporal::api::update::v1::Acceptance, temporal::api::update::v1::Rejection,
                 temporal::api::update::v1::Response>
        body;
};

/// An update: requested → accepted → completed, or requested → rejected, of which the history keeps
/// no trace. Both steps may be taken in one task.
class UpdateMachine final : public Machine {
public:
    explicit UpdateMachine(UpdateRequest request) : request_(std::move(request)) {}

    const std::string& update_id() const { return request_.update_id; }

    /// What is said to the server. The acceptance and the completion are put in their place among
    /// the commands by one that names them.
    UpdateMessage accept() const;
    UpdateMessage reject(Failure failure) const;
    UpdateMessage complete(temporal::api::update::v1::Outcome outcome) const;

    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return state_ == State::kCompleted; }

private:
    enum class State { kRequested, kAccepted, kCompleted };

    UpdateRequest request_;
    State state_ = State::kRequested;
};

/// The command that fixes the place of a message.
Command make_message_command(const UpdateMessage& message);

}  // namespace stele::core
