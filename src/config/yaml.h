#pragma once

#include "config/registry.h"

#include <string>
#include <vector>

// Settings as a file or a flag has them. The file is YAML in the form that Temporal uses:
//
//   limit.blobSize.error:
//     - value: 1048576
//       constraints:
//         namespace: "payments"
//     - value: 2097152
namespace stele::config {

struct Parsed {
    Values values;
    std::vector<std::string> warnings;  // a sentence for each key that this server does not know
};

/// INVALID_ARGUMENT that names `name`, the line and the key when the text is not well formed or a
/// value does not fit its key. Pure.
absl::StatusOr<Parsed> parse_yaml(const Registry& registry, const std::string& name,
                                  const std::string& text);

/// Settings given as KEY=JSON; text that is not JSON stands for itself. Of two for one key, the later
/// counts. Pure.
absl::StatusOr<Parsed> parse_assignments(const Registry& registry,
                                         const std::vector<std::string>& texts);

}  // namespace stele::config
