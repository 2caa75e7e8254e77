#pragma once

#include "visibility/filter/filter.h"

#include <variant>

// What stands on the two sides of a comparison, as written, and its value in the type of the
// attribute that it is compared with.
namespace stele::visibility::filter {

struct Operand {
    enum class Kind {
        kName,
        kString,
        kInteger,
        kFloat,
        kBool,
        kNull,
        kList,
        kParenthesised,
        kFunction
    };
    Kind kind = Kind::kNull;
    std::string text;           // of a name, string or number; a number with its sign
    bool boolean = false;       // of kBool
    std::vector<Operand> list;  // of kList and kParenthesised
};

/// The attribute that the left side of a comparison names.
absl::StatusOr<Attribute> resolve(const Operand& operand, const Resolver& resolver);

/// The values that the right side stands for, several for a list.
absl::StatusOr<std::vector<Value>> values_of(const Operand& operand, const Attribute& attribute);

/// Nanoseconds of "1h30m", "2d", "10:30:00" or "5000"; nullopt for anything else.
std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace stele::visibility::filter
