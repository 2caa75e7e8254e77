#pragma once

#include "base/status.h"
#include "base/time.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

// The conditions of workflow rules: comparisons of fields with constants, joined by AND, OR and
// parentheses, as in `ActivityType = 'charge' AND Attempts > 3`. Functions of their arguments. Thread
// safe.
namespace stele::history {

/// What a field holds; none when it has no value, and then no comparison with it holds.
using RuleValue = std::variant<std::monostate, std::string, std::int64_t, Timestamp>;
/// The value of a field, or nullopt for one that does not exist.
using RuleFields = std::function<std::optional<RuleValue>(std::string_view name)>;

/// Whether the condition holds. INVALID_ARGUMENT when it can not be read, names a field that does not
/// exist, or compares values of different kinds.
absl::StatusOr<bool> evaluate_condition(std::string_view condition, const RuleFields& fields);

}  // namespace stele::history
