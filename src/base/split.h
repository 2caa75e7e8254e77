#pragma once

#include <string_view>
#include <vector>

namespace stele {

/// The parts around every separator; empty parts count. They point into `text`.
std::vector<std::string_view> split_all(std::string_view text, char separator);

}  // namespace stele
