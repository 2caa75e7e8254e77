#pragma once

#include <google/protobuf/message.h>

#include "stele/data_converter.h"
#include "stele/log.h"

namespace stele::sdk {

/// Holds what a request carries against the limits, as it is about to be sent. Throws
/// PayloadTooLargeError; logs a warning for what is large but allowed. Search attributes and headers
/// have limits of their own, which are the server's business.
///
/// Safe to call from several threads.
void check_limits(const PayloadLimits& limits, const google::protobuf::Message& request,
                  const Logger& logger);

}  // namespace stele::sdk
