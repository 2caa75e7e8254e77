#pragma once

#include <exception>
#include <string>

namespace stele::sdk {

/// The class of an exception as people write it, without namespaces: "PaymentRefused".
std::string class_name_of(const std::exception& exception);

}  // namespace stele::sdk
