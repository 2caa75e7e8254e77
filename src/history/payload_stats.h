#pragma once

#include "history/builder.h"

// Payloads that a codec keeps outside the server leave only a reference and a size in the history;
// a run counts them. Thread safe.
namespace stele::history {

/// Adds the number and the sizes of the external payloads of an event to what the header counts.
/// Search attributes, which are never kept outside, are not looked at.
void count_external_payloads(const HistoryEvent& event, storage::HeaderRow& header);

}  // namespace stele::history
