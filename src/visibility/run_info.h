#pragma once

#include "history/search_attributes.h"
#include "stele/internal/rows.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include <vector>

// A run as lists show it. Pure functions.
namespace stele::visibility {

bool is_open_status(temporal::api::enums::v1::WorkflowExecutionStatus status);

/// What is known of a run only at its end is left out while it is open. With a schema each search
/// attribute says its type.
temporal::api::workflow::v1::WorkflowExecutionInfo make_run_info(
    const storage::InfoRow& info, const storage::HeaderRow& header,
    const storage::AttributesRow& attributes, const history::SearchAttributeSchema* schema);

/// The words of texts; one empty word where there is none, so that the attribute still has a value.
std::vector<history::AttributeValue> words_in(const std::vector<history::AttributeValue>& texts);

}  // namespace stele::visibility
