#pragma once

#include "config/fields.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

// Which settings there are: for each key whether a value fits it. Filled at start, then only read.
namespace stele::config {

class Registry {
public:
    template <typename Struct>
    void add(const Fields<Struct>& fields) {
        for (const Field<Struct>& field : fields) {
            checks_[lower_case(field.key)] = [field](const Value& value) {
                return check(field, value);
            };
        }
    }
    /// A key of Temporal's that tunes what this server does not have; every value is taken, and
    /// nothing comes of it.
    void add_without_effect(std::string_view key) { checks_[lower_case(key)] = nullptr; }

    /// The keys whose values matter, in lower case.
    std::vector<std::string> keys() const {
        std::vector<std::string> result;
        for (const auto& [key, check] : checks_) {
            if (check) result.push_back(key);
        }
        return result;
    }

    bool knows(std::string_view key) const { return checks_.contains(key); }
    /// INVALID_ARGUMENT that says what is wrong with the value. An unknown key takes everything.
    absl::Status check_value(std::string_view key, const Value& value) const {
        const auto found = checks_.find(key);
        if (found == checks_.end() || !found->second) return absl::OkStatus();
        return found->second(value);
    }

private:
    std::map<std::string, std::function<absl::Status(const Value&)>, KeyLess> checks_;
};

}  // namespace stele::config
