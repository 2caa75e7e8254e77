#include "store/testing_directory.h"

#include <stdlib.h>

#include <stdexcept>
#include <string>

namespace stele::store {

TestingDirectory::TestingDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "stele-store-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
}

TestingDirectory::~TestingDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace stele::store
