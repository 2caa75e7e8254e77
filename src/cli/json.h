#pragma once

#include "base/status.h"
#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/failure/v1/message.pb.h"

#include <nlohmann/json.hpp>

#include <string>

// Messages of the API as JSON, and the values inside payloads. Plain functions, safe from any
// thread.
namespace stele::cli {

/// Fields keep the order of the message.
using Json = nlohmann::ordered_json;

/// How payloads look. Shorthand is the value that was encoded instead of metadata and base64; it is
/// for people and scripts, and can not be read back, which is why histories for replayers use none.
enum class PayloadStyle { kShorthand, kVerbatim };

/// The JSON form that Protobuf defines. INTERNAL if a message can not be written so.
absl::StatusOr<Json> message_to_json(const google::protobuf::Message& message, PayloadStyle style);

/// The values of a result or of arguments: null for none, the value itself for one, else a list.
Json payloads_to_json(const temporal::api::common::v1::Payloads& payloads);
Json payload_to_json(const temporal::api::common::v1::Payload& payload);
/// One line of compact JSON.
std::string payload_text(const temporal::api::common::v1::Payload& payload);

/// Message, type and causes of a failure, for people.
std::string failure_text(const temporal::api::failure::v1::Failure& failure);

}  // namespace stele::cli
