#pragma once

#include <google/protobuf/message.h>

#include "stele/data_converter.h"

namespace stele::sdk {

/// Runs the codecs over every payload inside a message, in place, except in search attributes and
/// headers; on the way out it also moves the attributes of failures into payloads where the
/// converter asks for it. Does nothing, at no cost, for a converter without either.
///
/// Throws what a codec throws. Safe to call from several threads on different messages.
void encode_outgoing(const DataConverter& converter, google::protobuf::Message& message);
void decode_incoming(const DataConverter& converter, google::protobuf::Message& message);

}  // namespace stele::sdk
