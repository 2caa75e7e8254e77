#pragma once

#include <filesystem>

namespace stele::store {

/// A fresh directory for one test, removed with all that is in it. Not thread safe.
class TestingDirectory {
public:
    TestingDirectory();
    ~TestingDirectory();
    TestingDirectory(const TestingDirectory&) = delete;
    TestingDirectory& operator=(const TestingDirectory&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace stele::store
