#pragma once

#include "stele/internal/rows.pb.h"

#include <optional>
#include <string>

namespace stele::history {

/// The endpoint whose operations the server itself handles; nobody can make one of this name.
inline constexpr char kSystemEndpoint[] = "__temporal_system";

/// Where the operations of a name are handled, as it is known now. Thread safe.
class NexusEndpoints {
public:
    virtual ~NexusEndpoints() = default;
    virtual std::optional<storage::NexusEndpointRow> by_name(const std::string& name) const = 0;
    virtual std::optional<storage::NexusEndpointRow> by_id(const std::string& id) const = 0;
};

}  // namespace stele::history
