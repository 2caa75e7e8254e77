#include "sdk/data/class_name.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <typeinfo>

namespace stele::sdk {

std::string class_name_of(const std::exception& exception) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled(
        abi::__cxa_demangle(typeid(exception).name(), nullptr, nullptr, &status), &std::free);
    std::string name = status == 0 ? demangled.get() : typeid(exception).name();
    const std::size_t arguments = name.find('<');
    const std::size_t colon = name.rfind("::", arguments);
    return colon == std::string::npos ? name : name.substr(colon + 2);
}

}  // namespace stele::sdk
