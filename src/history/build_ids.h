#pragma once

#include "history/builder.h"
#include "temporal/api/common/v1/message.pb.h"

// The search attribute BuildIds: which builds of workers have worked on a run. Operators look there
// before they take an old build away.
namespace stele::history {

/// A worker with this version has completed a task: the attribute begins with "unversioned" unless
/// the worker is versioned, and has every build id once. Oldest ids go where the list would become
/// larger than a search attribute may be.
void record_build_id(Builder& builder, const temporal::api::common::v1::WorkerVersionStamp& stamp);

}  // namespace stele::history
