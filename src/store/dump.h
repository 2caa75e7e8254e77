#pragma once

#include "store/store.h"

#include <string>
#include <string_view>

// Rows as text, for golden files and for comparing whole stores. One line per row, ordered by key:
//
//   <key in hexadecimal> <value in hexadecimal>
//
// Empty lines and lines that start with # are comments. An empty value is written as "-".
namespace stele::store {

/// Every row of a store.
absl::StatusOr<std::string> dump(Store& store);

/// A batch that puts every row of a dump. INVALID_ARGUMENT with the line's number when one is not
/// of the form above.
absl::StatusOr<WriteBatch> parse_dump(std::string_view text);

/// The same from a file. NOT_FOUND with the path when it can not be read.
absl::StatusOr<WriteBatch> read_dump(const std::string& path);

}  // namespace stele::store
