#pragma once

#include <string>

#include "temporal/api/history/v1/message.pb.h"

namespace stele::sdk {

/// Reads a history in any of the forms that the official tools have exported: enumerators by their
/// full names or, as older tools write them, in short form ("WorkflowExecutionStarted"). Throws
/// DataConversionError with what is wrong.
temporal::api::history::v1::History read_history_json(const std::string& json);

}  // namespace stele::sdk
