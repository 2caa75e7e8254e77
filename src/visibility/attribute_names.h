#pragma once

#include "history/search_attributes.h"
#include "visibility/filter/filter.h"

#include <string>
#include <vector>

// What the names in filters mean for the runs of a namespace.
namespace stele::visibility {

/// A namespace's own attributes first, then those that every run has. The prefix `Temporal` may be
/// left out or put in front, and ScheduleId is a name for WorkflowId. `schema` must outlive the
/// resolver.
filter::Resolver run_attributes(const history::SearchAttributeSchema& schema);

/// A filter over runs. INVALID_ARGUMENT in the words that users of Temporal know: an order can not
/// be chosen, and groups are made by status or division only.
absl::StatusOr<filter::Filter> parse_run_filter(std::string_view text,
                                                const history::SearchAttributeSchema& schema);

/// A condition on an attribute that every run has, which is named as records know it.
filter::Node run_condition(const char* name, filter::Operator op,
                           std::vector<filter::Value> values);

}  // namespace stele::visibility
