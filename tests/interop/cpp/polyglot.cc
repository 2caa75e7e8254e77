// The C++ side of the polyglot tests.
//
//     polyglot worker --task-queue NAME
//     polyglot start --type NAME --id ID --task-queue NAME --argument JSON
//     polyglot result --id ID
//
// All take --address HOST:PORT. `worker` serves the workflows below until it gets SIGTERM; `start`
// returns as soon as the workflow is started; `result` waits for its end, in whatever
// process and language it runs, and prints its result as JSON.

#include <stele/stele.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

namespace {

namespace wf = stele::wf;
using namespace std::chrono_literals;

std::string compose_greeting(std::string name) { return "Hello, " + name + ", from C++!"; }

/// Greets through an activity and a timer, so that several workflow tasks are needed.
wf::task<std::string> greet_cpp(std::string name) {
    co_await wf::sleep(100ms);
    co_return co_await wf::activity<compose_greeting>(name, {.start_to_close = 20s});
}

/// Sends so many signals named "add" to another workflow, each after the one before has arrived.
wf::task<int> send_signals(std::string workflow_id, int count) {
    const wf::external_workflow other(workflow_id);
    for (int i = 0; i < count; ++i) {
        const std::string value = "signal " + std::to_string(i);
        co_await other.signal("add", value);
    }
    co_return count;
}

using Flags = std::map<std::string, std::string>;

const std::string& flag(const Flags& flags, const std::string& name) {
    const auto found = flags.find(name);
    if (found == flags.end()) throw std::invalid_argument(name + " is needed");
    return found->second;
}

sigset_t termination() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    return signals;
}

void serve(const stele::Client& client, const Flags& flags) {
    stele::Worker worker(client, flag(flags, "--task-queue"));
    worker.register_workflow<greet_cpp>("greet_cpp")
        .register_workflow<send_signals>("send_signals")
        .register_activity<compose_greeting>();
    worker.start();
    std::cout << "ready" << std::endl;
    const sigset_t stop_signals = termination();
    int received = 0;
    sigwait(&stop_signals, &received);
    worker.stop();
}

void start(stele::Client client, const Flags& flags) {
    const auto handle = client.start<nlohmann::json>(
        flag(flags, "--type"),
        {.id = flag(flags, "--id"), .task_queue = flag(flags, "--task-queue")},
        nlohmann::json::parse(flag(flags, "--argument")));
    std::cout << handle.run_id() << std::endl;
}

void print_result(const stele::Client& client, const Flags& flags) {
    const auto handle = client.handle<nlohmann::json>(flag(flags, "--id"));
    std::cout << handle.result({.timeout = 60s}).dump() << std::endl;
}

void run(const std::string& command, const Flags& flags) {
    const auto client = stele::Client::connect({.address = flag(flags, "--address")});
    if (command == "worker") {
        serve(client, flags);
    } else if (command == "start") {
        start(client, flags);
    } else if (command == "result") {
        print_result(client, flags);
    } else {
        throw std::invalid_argument("unknown command " + command);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: polyglot worker|start|result --address HOST:PORT ...\n";
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
        std::cerr << "polyglot: " << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
