#pragma once

namespace stele::sdk {

/// As recorded in histories and sent with every call.
inline constexpr char kSdkName[] = "stele-cpp";
inline constexpr char kSdkVersion[] = "0.1.0";

}  // namespace stele::sdk
