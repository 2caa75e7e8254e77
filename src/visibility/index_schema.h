#pragma once

#include "visibility/filter/filter.h"

// The tables of the index, and where filters find the attributes that every run has.
namespace stele::visibility {

/// Grows with every change of the tables, or of what is put into them.
inline constexpr int kIndexVersion = 3;

/// Makes the tables in an empty database.
extern const char* const kCreateTables;
/// Tells the query planner what their indexes find.
extern const char* const kDescribeIndexes;

/// The column of a system attribute or of TemporalNamespaceDivision, else null.
const char* column_of(const filter::Attribute& attribute);

}  // namespace stele::visibility
