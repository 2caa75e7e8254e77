#pragma once

#include "cli/settings.h"

// The TOML file of profiles, which the official tools and SDKs share.
namespace stele::cli {

/// What the profile says. The file and the profile are those of the flags, or of the variables
/// TEMPORAL_CONFIG_FILE and TEMPORAL_PROFILE, or the defaults; only the defaults may be missing.
absl::StatusOr<ClientFlags> read_profile(const std::optional<std::string>& file,
                                         const std::optional<std::string>& profile);

}  // namespace stele::cli
