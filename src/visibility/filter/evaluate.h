#pragma once

#include "visibility/filter/filter.h"

#include <functional>
#include <vector>

// A filter on one record in memory. What a database makes of the same tree is tested against it.
namespace stele::visibility::filter {

/// The values that a record has of an attribute: none, one, or several of a list; of a Text its text.
using Record = std::function<std::vector<Value>(const Attribute&)>;

/// Whether the record is one that the filter wants. Pure.
bool matches(const Filter& filter, const Record& record);

}  // namespace stele::visibility::filter
