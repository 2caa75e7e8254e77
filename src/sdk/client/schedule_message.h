#pragma once

#include "stele/schedule.h"
#include "temporal/api/schedule/v1/message.pb.h"

// Schedules between the SDK's own types and the API's messages. Pure.
namespace stele::sdk {

/// Writes what a Schedule knows into a message and leaves the rest of it as it is, so that changing one
/// thing does not lose what another SDK has set.
void write_schedule(const Schedule& schedule, temporal::api::schedule::v1::Schedule& message);

Schedule read_schedule(const temporal::api::schedule::v1::Schedule& message);

}  // namespace stele::sdk
