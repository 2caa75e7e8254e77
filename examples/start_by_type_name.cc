// Starts a workflow that is written in another language: all that is known is its type name and its
// task queue. For the other side see tests/interop/python/polyglot_worker.py.
//
//     start_by_type_name --task-queue python [--type greet_python] [--name world] [--id ID]

#include <stele/stele.h>

#include "common.h"

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::StartOptions options;
        options.id = examples::flag(argc, argv, "--id", "");
        options.task_queue = examples::flag(argc, argv, "--task-queue", "python");

        auto handle =
            client.start<std::string>(examples::flag(argc, argv, "--type", "greet_python"), options,
                                      examples::flag(argc, argv, "--name", "world"));
        std::cout << "workflow " << handle.workflow_id() << ", run " << handle.run_id() << "\n";
        std::cout << "result: " << handle.result() << std::endl;
    });
}
