#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <string>

#include "stele/data_converter.h"

namespace stele::sdk {

/// The activities of one run that are at work, by the event that scheduled them: the events of their
/// ends name that event only. Kept from one part of a history to the next.
struct ScheduledActivity {
    std::string type;
    std::string id;
};
using ScheduledActivities = std::map<std::int64_t, ScheduledActivity>;

/// Runs the codecs over every payload inside a message, in place, except in search attributes and
/// headers; on the way out it also moves the attributes of failures into payloads where the
/// converter asks for it. Does nothing, at no cost, for a converter without either.
///
/// `context` says whose message it is; what in it belongs to an activity or to another workflow is
/// found out here. A history that comes in several parts is decoded in order, with the same
/// `activities`.
///
/// Throws what a codec throws. Safe to call from several threads on different messages.
void encode_outgoing(const DataConverter& converter, google::protobuf::Message& message,
                     const SerializationContext& context);
void decode_incoming(const DataConverter& converter, google::protobuf::Message& message,
                     const SerializationContext& context,
                     ScheduledActivities* activities = nullptr);

}  // namespace stele::sdk
