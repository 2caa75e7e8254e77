#pragma once

#include "base/status.h"
#include "base/time.h"
#include "history/search_attributes.h"
#include "temporal/api/enums/v1/batch_operation.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
#include "visibility/filter/filter.h"

#include <cstddef>
#include <string>
#include <vector>

// What a batch operation is asked to do, and to which runs. Pure functions.
namespace stele::batch {

namespace api = temporal::api;
using Request = api::workflowservice::v1::StartBatchOperationRequest;

/// Whether the request can be taken, in the words that users of Temporal know; at most so many
/// executions may be listed.
absl::Status validate(const Request& request, const history::SearchAttributeSchema& schema,
                      std::size_t executions_max);

api::enums::v1::BatchOperationType type_of(const Request& request);
std::string identity_of(const Request& request);

/// The executions that the request lists, whichever way; none where it has a query.
std::vector<api::common::v1::Execution> executions_of(const Request& request);

/// The runs that a query means. An operation that only makes sense on open runs is for those, and
/// none is for runs that began after the job: it might have made them itself.
absl::StatusOr<visibility::filter::Filter> filter_of(const Request& request, Timestamp job_started,
                                                     const history::SearchAttributeSchema& schema);

}  // namespace stele::batch
