#pragma once

#include "base/status.h"
#include "history/context.h"
#include "temporal/api/command/v1/message.pb.h"

#include <string>

// What an activity is scheduled with: checked, and completed where the caller left something open.
// The same rules hold for the command that schedules it and for a later change of its options.
// Functions of their arguments. Thread safe.
namespace stele::history {

using temporal::api::command::v1::ScheduleActivityTaskCommandAttributes;

/// What attributes are judged against.
struct ActivityBounds {
    const Limits& limits;
    const std::string& workflow_task_queue;
    google::protobuf::Duration run_timeout;  // zero: no bound
};

/// Fills in defaults and timeouts that follow from others, or says INVALID_ARGUMENT; the attributes are
/// of no use then.
absl::Status complete_activity_attributes(ScheduleActivityTaskCommandAttributes& attributes,
                                          const ActivityBounds& bounds);

/// INVALID_ARGUMENT for a priority that is out of its ranges.
absl::Status validate_priority(const temporal::api::common::v1::Priority& priority);

}  // namespace stele::history
