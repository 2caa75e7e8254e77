#pragma once

#include <string>

#include "sdk/data/codec.h"
#include "temporal/api/command/v1/message.pb.h"
#include "temporal/api/history/v1/message.pb.h"

// To whom the data in a part of a message belongs. Pure.
namespace stele::sdk {

/// A workflow, or an activity of one.
struct Owner {
    std::string workflow_id;
    std::string activity_type = {};
    std::string activity_id = {};
};

/// Of what a command of the workflow `outer` carries.
Owner owner_of(const temporal::api::command::v1::Command& command, const Owner& outer);

/// Of what an event in the history of `outer` carries. Notes activities that are scheduled and
/// forgets those that end.
Owner owner_of(const temporal::api::history::v1::HistoryEvent& event, const Owner& outer,
               ScheduledActivities& activities);

}  // namespace stele::sdk
