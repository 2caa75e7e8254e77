// The C++ side of the polyglot tests.
//
//     polyglot worker --task-queue NAME
//     polyglot start --type NAME --id ID --task-queue NAME --argument JSON
//     polyglot result --id ID
//
// All take --address HOST:PORT. `worker` serves the workflows below until it gets SIGTERM; `start`
// returns as soon as the workflow is started; `result` waits for its end, in whatever
// process and language it runs, and prints its result as JSON.

#include "program.h"

#include <stele/stele.h>

#include <iostream>
#include <stdexcept>
#include <string>

namespace {

namespace wf = stele::wf;
using program::flag;
using program::Flags;
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

void serve(const stele::Client& client, const Flags& flags) {
    stele::Worker worker(client, flag(flags, "--task-queue"));
    worker.register_workflow<greet_cpp>("greet_cpp")
        .register_workflow<send_signals>("send_signals")
        .register_activity<compose_greeting>();
    program::serve(worker);
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
    return program::main(argc, argv, "polyglot", "worker|start|result", run);
}
