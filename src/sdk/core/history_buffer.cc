#include "sdk/core/history_buffer.h"

#include <utility>

#include "sdk/core/errors.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

namespace {

bool is_known_ahead(const HistoryEvent& event) {
    return event.event_type() == enums::EVENT_TYPE_MARKER_RECORDED ||
           event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED;
}

}  // namespace

void HistoryBuffer::reset(std::int64_t last_read_event_id) {
    events_.clear();
    last_read_ = last_read_event_id;
    complete_ = false;
}

void HistoryBuffer::add_event(HistoryEvent event) {
    const std::int64_t expected = last_event_id() + 1;
    if (event.event_id() < expected) return;
    if (event.event_id() > expected)
        fail_task("the history has a gap: event " + std::to_string(expected) +
                  " is missing before " + describe(event));
    events_.push_back(std::move(event));
}

// Whether a started event ends a chunk shows in the event behind it; before that is known the
// answer is "not yet". The last event of the history is the start of the task at hand.
std::optional<std::size_t> HistoryBuffer::find_end() const {
    for (std::size_t i = 0; i < events_.size(); ++i) {
        if (events_[i].event_type() != enums::EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;
        if (i + 1 == events_.size()) {
            if (complete_) return i;
            return std::nullopt;
        }
        if (events_[i + 1].event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) return i;
    }
    return std::nullopt;
}

// The events of one task's commands stand between its completion and the next task's scheduling.
// Something else can stand among them, such as the end of an activity that had not started yet.
std::optional<std::size_t> HistoryBuffer::find_look_ahead_end(std::size_t begin) const {
    for (std::size_t i = begin; i < events_.size(); ++i)
        if (events_[i].event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) return i;
    if (complete_) return events_.size();
    return std::nullopt;
}

std::optional<HistoryBuffer::Chunk> HistoryBuffer::next(std::int64_t limit) {
    const std::optional<std::size_t> end = find_end();
    if (!end || events_[*end].event_id() > limit) return std::nullopt;
    const std::size_t behind = *end + 1;
    const std::optional<std::size_t> ahead = find_look_ahead_end(behind);
    if (!ahead) return std::nullopt;

    std::optional<HistoryEvent> completed;
    std::vector<HistoryEvent> known;
    if (behind < events_.size()) {
        completed = events_[behind];
        for (std::size_t i = behind + 1; i < *ahead; ++i)
            if (is_known_ahead(events_[i])) known.push_back(events_[i]);
    }
    Chunk chunk = cut(behind);
    chunk.started_event_id = chunk.events.back().event_id();
    chunk.ahead = std::move(known);
    chunk.last = !completed;
    chunk.completed = std::move(completed);
    return chunk;
}

std::optional<HistoryBuffer::Chunk> HistoryBuffer::rest() {
    if (!complete_ || events_.empty()) return std::nullopt;
    Chunk chunk = cut(events_.size());
    chunk.last = true;
    return chunk;
}

HistoryBuffer::Chunk HistoryBuffer::cut(std::size_t end) {
    Chunk chunk;
    chunk.events.reserve(end);
    for (std::size_t i = 0; i < end; ++i) chunk.events.push_back(std::move(events_[i]));
    events_.pop_front(end);
    last_read_ = chunk.events.back().event_id();
    return chunk;
}

bool is_command_event(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
        case enums::EVENT_TYPE_TIMER_STARTED:
        case enums::EVENT_TYPE_TIMER_CANCELED:
        case enums::EVENT_TYPE_MARKER_RECORDED:
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        case enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
        case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
        case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
        case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: return true;
        default: return false;
    }
}

std::string describe(const HistoryEvent& event) {
    std::string name = enums::EventType_Name(event.event_type());
    constexpr std::string_view kPrefix = "EVENT_TYPE_";
    if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
    std::string text = "event " + std::to_string(event.event_id()) + " (";
    bool capital = true;
    for (const char letter : name) {
        if (letter == '_') {
            capital = true;
            continue;
        }
        text += capital || letter < 'A' || letter > 'Z' ? letter
                                                        : static_cast<char>(letter - 'A' + 'a');
        capital = false;
    }
    return text + ")";
}

}  // namespace stele::core
