#pragma once

#include "visibility/filter/filter.h"

#include <functional>
#include <string>
#include <vector>

// A filter as a condition in SQL. Values never become part of the text: each is a parameter.
namespace stele::visibility::filter {

struct Sql {
    std::string text;
    std::vector<Value> parameters;  // of the question marks, in their order
};

/// Where a database keeps what conditions are about.
struct Layout {
    /// The column of an attribute that every record has, or null for one whose values are rows of
    /// the table attribute(name, value, run), a row for each value or word.
    std::function<const char*(const Attribute&)> column;
    /// What stands in `name` for an attribute of the second kind.
    std::function<std::int64_t(const Attribute&)> name;
};

/// The condition. However many parts it has, it is nested only as deep as their logarithm.
Sql print(const Node& node, const Layout& layout);

}  // namespace stele::visibility::filter
