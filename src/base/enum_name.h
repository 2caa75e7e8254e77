#pragma once

#include <string>
#include <string_view>

namespace stele {

/// The short name of an enum's value: "RpsLimit" of RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT with the prefix
/// RESOURCE_EXHAUSTED_CAUSE_, as Temporal's SDKs and headers call it.
std::string short_enum_name(std::string_view name, std::string_view prefix);

}  // namespace stele
