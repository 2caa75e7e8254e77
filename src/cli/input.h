#pragma once

#include "base/status.h"
#include "temporal/api/common/v1/message.pb.h"

#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <vector>

// Arguments of workflows, signals and queries, as flags give them. Not thread safe.
namespace stele::cli {

struct InputFlags {
    std::vector<std::string> values;    // JSON
    std::vector<std::string> files;     // names of files with JSON
    std::vector<std::string> metadata;  // KEY=VALUE
    bool is_base64 = false;
};

/// Adds -i, --input-file, --input-meta and --input-base64, with names that start with `prefix`
/// ("" or "signal-").
void add_input_flags(CLI::App& app, InputFlags& flags, const std::string& prefix = "");

/// One payload per value. INVALID_ARGUMENT tells which value is not JSON.
absl::StatusOr<temporal::api::common::v1::Payloads> read_input(const InputFlags& flags);

/// KEY=JSON pairs, as of --memo and --search-attribute; errors name `flag`.
absl::StatusOr<std::map<std::string, temporal::api::common::v1::Payload>> read_json_pairs(
    const std::string& flag, const std::vector<std::string>& pairs);

/// A payload of encoding json/plain.
temporal::api::common::v1::Payload json_payload(const std::string& json);

}  // namespace stele::cli
