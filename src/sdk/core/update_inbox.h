#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sdk/core/history_buffer.h"
#include "sdk/core/update_machine.h"

namespace stele::core {

/// The updates that one chunk of history brings, in the order in which they must be delivered,
/// wherever they are told of:
///
///   * while replaying, in the acceptances that the chunk's own task recorded;
///   * live, in the messages of the task at hand;
///   * in either case the request itself may stand in an admitted event instead, which is where a
///     reset keeps the updates that it carries over.
///
/// Belongs to one run; not thread safe.
class UpdateInbox {
public:
    /// Takes in what `chunk` and, when it is the task at hand, its `messages` bring.
    void fill(const HistoryBuffer::Chunk& chunk, std::vector<UpdateRequest> messages);

    /// The next update that is due before the event `event_id` is applied.
    std::optional<UpdateRequest> take_before(std::int64_t event_id);
    /// The next update of the chunk.
    std::optional<UpdateRequest> take();

private:
    Queue<UpdateRequest> due_;
};

}  // namespace stele::core
