#pragma once

#include <stele/worker.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

// What the C++ programs of the polyglot tests share: a command, flags with a value each, and a worker that
// runs until it is told to end.
namespace program {

using Flags = std::map<std::string, std::string>;

/// Throws std::invalid_argument when the flag is not there.
inline const std::string& flag(const Flags& flags, const std::string& name) {
    const auto found = flags.find(name);
    if (found == flags.end()) throw std::invalid_argument(name + " is needed");
    return found->second;
}

inline sigset_t termination() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/// Says "ready" once the worker polls, and stops it at SIGTERM.
inline void serve(stele::Worker& worker) {
    worker.start();
    std::cout << "ready" << std::endl;
    const sigset_t stop_signals = termination();
    int received = 0;
    sigwait(&stop_signals, &received);
    worker.stop();
}

/// The main function of a program: `run` gets the command and its flags. `commands` is for the usage.
template <typename Run>
int main(int argc, char** argv, const std::string& name, const std::string& commands, Run run) {
    if (argc < 2) {
        std::cerr << "usage: " << name << " " << commands << " --address HOST:PORT ...\n";
        return 2;
    }
    Flags flags;
    for (int i = 2; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
    // Every thread inherits the mask, so that only sigwait gets the signal.
    const sigset_t stop_signals = termination();
    pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
    try {
        run(argv[1], flags);
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::cerr << name << ": " << error.what() << "\n";
        return EXIT_FAILURE;
    }
}

}  // namespace program
