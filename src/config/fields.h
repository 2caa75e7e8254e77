#pragma once

#include "config/values.h"

#include <string_view>
#include <variant>
#include <vector>

// Settings are fields of plain structures, which their users receive without knowing of keys. A
// table says which key sets which field. Pure.
namespace stele::config {

template <typename Struct>
struct Field {
    std::string_view key;  // as Temporal writes it
    std::variant<bool Struct::*, std::int32_t Struct::*, std::size_t Struct::*, double Struct::*,
                 Duration Struct::*, std::string Struct::*, std::vector<std::string> Struct::*,
                 AddressRules Struct::*>
        member;
};

template <typename Struct>
using Fields = std::vector<Field<Struct>>;

/// `defaults` with every field replaced that has a value for this scope. Values that do not fit
/// their field have been refused when they were set; should one come here, the default stands.
template <typename Struct>
Struct resolve(const Fields<Struct>& fields, const Values& values, const Scope& scope,
               Struct defaults) {
    for (const Field<Struct>& field : fields) {
        const Value* value = values.find(field.key, scope);
        if (value == nullptr) continue;
        std::visit([&](auto member) { convert(*value, defaults.*member).IgnoreError(); },
                   field.member);
    }
    return defaults;
}

/// Whether the field takes the value; INVALID_ARGUMENT says why not.
template <typename Struct>
absl::Status check(const Field<Struct>& field, const Value& value) {
    return std::visit(
        [&](auto member) {
            Struct scratch{};
            return convert(value, scratch.*member);
        },
        field.member);
}

}  // namespace stele::config
