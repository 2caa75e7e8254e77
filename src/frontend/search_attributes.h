#pragma once

#include "base/status.h"
#include "stele/internal/rows.pb.h"
#include "temporal/api/common/v1/message.pb.h"

#include <string>

// Which search attributes a namespace knows. The server fills in some by itself, some have a fixed
// meaning and may be set by SDKs, the rest are the namespace's own.
namespace stele::frontend {

/// Whether a namespace can not have an attribute of its own with this name.
bool is_reserved_search_attribute(const std::string& name);

/// INVALID_ARGUMENT that names the first attribute which the namespace does not know or which only
/// the server may set. Pure.
absl::Status check_search_attributes(const storage::NamespaceRow& space,
                                     const temporal::api::common::v1::SearchAttributes& attributes);

}  // namespace stele::frontend
