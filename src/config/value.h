#pragma once

#include "base/address_rule.h"
#include "base/status.h"
#include "base/time.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// The value of a setting as an operator writes it, and what it means as one of the types that
// settings have. All functions are pure.
namespace stele::config {

using Value = nlohmann::json;

// Each leaves `out` alone and answers INVALID_ARGUMENT, "… is not a …", when the value does not fit.
absl::Status convert(const Value& value, bool& out);
absl::Status convert(const Value& value, std::int32_t& out);
/// Not negative.
absl::Status convert(const Value& value, std::size_t& out);
absl::Status convert(const Value& value, double& out);
/// "1h30m", "250ms", or a number of seconds.
absl::Status convert(const Value& value, Duration& out);
absl::Status convert(const Value& value, std::string& out);
absl::Status convert(const Value& value, std::vector<std::string>& out);
/// A list of {"Pattern": text, "AllowInsecure": true or false}, where only the first is needed.
absl::Status convert(const Value& value, AddressRules& out);

}  // namespace stele::config
