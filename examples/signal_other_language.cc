// A C++ workflow sends ten signals to a workflow of another language, which returns what it got.
// The other side is `collect_signals` of tests/interop/python/polyglot_worker.py.
//
//     signal_other_language --task-queue python

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;

// The target is known by its id alone; what it is written in does not matter.
wf::task<int> send_ten(std::string target_id) {
    wf::external_workflow target(target_id);
    for (int i = 1; i <= 10; ++i) {
        const std::string item = "item " + std::to_string(i);
        co_await target.signal("add", item);
    }
    co_return 10;
}

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "signal-other-language");
        worker.register_workflow<send_ten>();
        worker.start();

        auto collector = client.start<std::vector<std::string>>(
            "collect_signals", {.task_queue = examples::flag(argc, argv, "--task-queue", "python")},
            10);
        const int sent = client.execute<send_ten>({.task_queue = "signal-other-language"},
                                                  collector.workflow_id());
        std::cout << "sent " << sent << " signals; the other workflow received:\n";
        for (const std::string& item : collector.result()) std::cout << "  " << item << "\n";
    });
}
