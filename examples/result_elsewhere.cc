// A result is read by another process than the one that started the workflow. Run without --id it
// starts a workflow and then itself a second time, with the id as all that it hands over.
//
//     result_elsewhere [--id ID]

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

wf::task<int> add_slowly(int a, int b) {
    co_await wf::sleep(2s);
    co_return a + b;
}

int main(int argc, char** argv) {
    return examples::run([&] {
        const std::string address = examples::address(argc, argv);
        auto client = stele::Client::connect({.address = address});

        const std::string id = examples::flag(argc, argv, "--id", "");
        if (!id.empty()) {
            auto handle = client.handle<add_slowly>(id);
            std::cout << "another process reads the result of " << id << ": " << handle.result()
                      << std::endl;
            return;
        }

        stele::Worker worker(client, "result-elsewhere");
        worker.register_workflow<add_slowly>();
        worker.start();
        auto handle = client.start<add_slowly>({.task_queue = "result-elsewhere"}, 19, 23);
        std::cout << "started " << handle.workflow_id() << std::endl;
        const std::string command =
            std::string(argv[0]) + " --address " + address + " --id " + handle.workflow_id();
        if (std::system(command.c_str()) != 0) throw std::runtime_error("the reader failed");
    });
}
