#pragma once

#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/nexus/v1/message.pb.h"

#include <optional>

// Links to workflow events as Nexus handlers and callers pass them to each other: as addresses.
// Functions of their arguments.
namespace stele::history {

temporal::api::nexus::v1::Link to_nexus_link(
    const temporal::api::common::v1::Link::WorkflowEvent& event);

/// nullopt for a link to something else, or one that can not be read: nobody is told of it.
std::optional<temporal::api::common::v1::Link> from_nexus_link(
    const temporal::api::nexus::v1::Link& link);

}  // namespace stele::history
