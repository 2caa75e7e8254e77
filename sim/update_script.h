#pragma once

#include "sim/script.h"
#include "temporal/api/protocol/v1/message.pb.h"

#include <string>
#include <vector>

// How the simulated workflows answer updates: by the first letter of the update id, so that any
// worker says the same.
//
//   r  rejected        a  accepted and completed at once
//   l  accepted, and completed by a later task (later: whichever comes)
namespace stele::sim {

using Message = temporal::api::protocol::v1::Message;

struct UpdateAnswers {
    std::vector<Command> commands;
    std::vector<Message> messages;
};

/// The answers to the updates that a task has brought, and the outcomes that are still owed after
/// this whole history.
UpdateAnswers answer_updates(const std::vector<HistoryEvent>& history,
                             const std::vector<Message>& updates);

inline bool is_to_be_rejected(const std::string& update_id) { return update_id.front() == 'r'; }

}  // namespace stele::sim
