#pragma once

#include <string>
#include <string_view>

// Clients that wait for a result by the closing event must follow a run that was retried or
// restarted to its successor. Older ones (they lack the feature in their `supported-features`
// header) only know how to follow a continue-as-new, so for them such a closing event is dressed
// as one.
namespace stele::frontend {

/// Whether the header's comma-separated list says that the client follows successors by itself.
bool follows_next_run(std::string_view supported_features);

/// The page of serialised history with its last event dressed as ContinuedAsNew if that event
/// completed, failed or timed out with a successor; otherwise the page as it is.
std::string dress_successor(std::string history_bytes);

}  // namespace stele::frontend
