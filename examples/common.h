#pragma once

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

// The command line that all examples share: --address HOST:PORT, or TEMPORAL_ADDRESS.
namespace examples {

inline std::string flag(int argc, char** argv, std::string_view name, std::string fallback) {
    for (int i = 1; i + 1 < argc; ++i)
        if (argv[i] == name) return argv[i + 1];
    return fallback;
}

inline std::string address(int argc, char** argv) {
    const char* from_environment = std::getenv("TEMPORAL_ADDRESS");
    return flag(argc, argv, "--address",
                from_environment != nullptr ? from_environment : "127.0.0.1:7233");
}

/// Runs an example; prints the error and returns 1 when it throws.
template <class Body>
int run(Body body) {
    try {
        body();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
}

}  // namespace examples
