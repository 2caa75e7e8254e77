#pragma once

#include "history/attributes.h"
#include "history/builder.h"
#include "temporal/api/common/v1/message.pb.h"

#include <optional>

// The search attribute BuildIds: which builds of workers have worked on a run. Operators look there
// before they take an old build away.
namespace stele::history {

using temporal::api::common::v1::Payload;
using temporal::api::common::v1::WorkerVersionStamp;

inline constexpr char kBuildIds[] = "BuildIds";
/// In the list of a run that a worker without versioning has worked on.
inline constexpr char kUnversioned[] = "unversioned";
/// In the list of a run that a versioned worker of this build has worked on.
std::string versioned_mark(const std::string& build_id);

/// The attribute after a worker of this version has completed a task: it begins with "unversioned"
/// unless the worker is versioned, and has every build id once. Oldest ids go where it would become
/// larger than `bytes_max`. nullopt where it stays as it is. Pure.
std::optional<Payload> add_build_id(const PayloadMap& attributes, const WorkerVersionStamp& stamp,
                                    std::size_t bytes_max);

/// The same for the run that a builder changes.
void record_build_id(Builder& builder, const WorkerVersionStamp& stamp);

/// What a run that is to stay with the workers of another one begins with: the version of the worker
/// that completed the last task of that one, if it is versioned.
std::optional<WorkerVersionStamp> version_to_inherit(const storage::HeaderRow& header);

}  // namespace stele::history
