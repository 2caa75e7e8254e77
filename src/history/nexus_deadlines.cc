#include "history/nexus_family.h"

#include <algorithm>
#include <array>

// Operations of Nexus services as time passes: calls that are due, and the three timeouts.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

/// What an operation waits for. Of several that are due at the same moment the first one counts.
struct NexusDeadline {
    enum class Kind { kTimeout, kStart, kCancellation };
    Timestamp time = kNever;
    Kind kind = Kind::kTimeout;
    TimeoutType timeout = enums::TIMEOUT_TYPE_UNSPECIFIED;
};

Timestamp after(Timestamp begin, const google::protobuf::Duration& limit) {
    const Duration duration = from_proto(limit);
    return duration == Duration::zero() ? kNever : add_saturating(begin, duration);
}

NexusDeadline earliest_of(const storage::NexusOperationRow& row) {
    using Kind = NexusDeadline::Kind;
    const Timestamp scheduled = from_proto(row.scheduled_time());
    const bool started = is_started(row);
    const auto time_of = [](const auto& holder) {
        return holder.has_next_attempt_time() ? from_proto(holder.next_attempt_time()) : kNever;
    };
    const std::array<NexusDeadline, 5> all = {{
        {after(scheduled, row.schedule_to_close()), Kind::kTimeout,
         enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE},
        {started ? kNever : after(scheduled, row.schedule_to_start()), Kind::kTimeout,
         enums::TIMEOUT_TYPE_SCHEDULE_TO_START},
        {started ? after(from_proto(row.started_time()), row.start_to_close()) : kNever,
         Kind::kTimeout, enums::TIMEOUT_TYPE_START_TO_CLOSE},
        {time_of(row), Kind::kStart},
        {time_of(row.cancellation()), Kind::kCancellation},
    }};
    return *std::min_element(
        all.begin(), all.end(),
        [](const NexusDeadline& a, const NexusDeadline& b) { return a.time < b.time; });
}

}  // namespace

Timestamp row_deadline(const storage::NexusOperationRow& row) { return earliest_of(row).time; }

api::failure::v1::Failure nexus_timeout_failure(TimeoutType type) {
    api::failure::v1::Failure failure;
    failure.set_message("operation timed out");
    failure.mutable_timeout_failure_info()->set_timeout_type(type);
    return failure;
}

void fire_nexus_deadline(Builder& builder, ItemId scheduled) {
    while (const storage::NexusOperationRow* row =
               builder.draft().nexus_operations.find(scheduled)) {
        const NexusDeadline due = earliest_of(*row);
        if (due.time > builder.now()) return;
        if (due.kind == NexusDeadline::Kind::kTimeout) {
            NexusOutcome outcome;
            outcome.kind = NexusOutcome::Kind::kTimedOut;
            outcome.failure = nexus_timeout_failure(due.timeout);
            end_nexus_operation(builder, scheduled, outcome);
            builder.schedule_workflow_task_if_needed();
            return;
        }
        storage::NexusOperationRow& waiting = builder.draft().nexus_operations.edit(scheduled);
        if (due.kind == NexusDeadline::Kind::kStart) {
            waiting.clear_next_attempt_time();
            send_nexus_start(builder, waiting);
        } else {
            waiting.mutable_cancellation()->clear_next_attempt_time();
            send_nexus_cancellation(builder, waiting);
        }
    }
}

}  // namespace stele::history
