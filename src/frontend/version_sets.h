#pragma once

#include "base/status.h"
#include "base/time.h"
#include "stele/internal/rows.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <optional>
#include <string>

// The first form of worker versioning: a task queue has sets of build ids, oldest first and the
// default set last; in each the build that new work of the set is for is last. This server keeps the
// sets and answers by them which builds are still needed; it does not give tasks out by them.
namespace stele::frontend {

struct VersionSetLimits {
    std::size_t sets = 10;        // limit.versionCompatibleSetLimitPerQueue
    std::size_t build_ids = 100;  // limit.versionBuildIdLimitPerQueue
};

struct BuildPlace {
    int set = 0;
    int build = 0;
};
/// Where a build is, or nullopt. Pure.
std::optional<BuildPlace> find_build(const storage::VersionSets& sets, const std::string& build_id);

/// Carries a request out. NOT_FOUND for a build that must be there and is not, INVALID_ARGUMENT for
/// one that is there and must not be, FAILED_PRECONDITION over the limits; then nothing is to be
/// kept of `sets`. A request whose outcome is there already changes nothing. Pure.
absl::Status change_version_sets(
    storage::VersionSets& sets,
    const temporal::api::workflowservice::v1::UpdateWorkerBuildIdCompatibilityRequest& request,
    Timestamp now, const VersionSetLimits& limits);

}  // namespace stele::frontend
