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

/// The attribute after a worker of this version has completed a task: it begins with "unversioned"
/// unless the worker is versioned, and has every build id once. Oldest ids go where it would become
/// larger than `bytes_max`. nullopt where it stays as it is. Pure.
std::optional<Payload> add_build_id(const PayloadMap& attributes, const WorkerVersionStamp& stamp,
                                    std::size_t bytes_max);

/// The same for the run that a builder changes.
void record_build_id(Builder& builder, const WorkerVersionStamp& stamp);

}  // namespace stele::history
