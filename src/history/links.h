#pragma once

#include "base/status.h"
#include "temporal/api/common/v1/message.pb.h"

#include <google/protobuf/repeated_field.h>

namespace stele::history {

/// INVALID_ARGUMENT for more links than a request may carry, for one that is too large, and for one
/// that does not say what it points to. Pure.
absl::Status validate_links(
    const google::protobuf::RepeatedPtrField<temporal::api::common::v1::Link>& links);

}  // namespace stele::history
