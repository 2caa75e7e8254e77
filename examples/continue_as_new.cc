// A workflow that goes on for ever keeps its history short: it ends its run and starts the next one
// with the state that matters. Who waits for the result follows the chain.
//
//     continue_as_new

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

struct Progress {
    int round = 1;
    int visited = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Progress, round, visited)

int visit(int place) {
    std::cout << "  visiting " << place << "\n";
    return 1;
}

wf::task<int> tour(Progress progress) {
    // A run knows whether it goes on from another one, from which, and why.
    const wf::Info& info = wf::info();
    if (info.continuation == wf::Continuation::kContinueAsNew)
        wf::set_current_details("continued from run " + info.continued_from_run_id);
    for (int i = 0; i < 3; ++i)
        progress.visited +=
            co_await wf::activity<visit>(progress.visited + 1, {.start_to_close = 10s});
    if (progress.round == 3) co_return progress.visited;
    ++progress.round;
    co_await wf::continue_as_new<tour>(progress);
    co_return 0;  // never reached
}

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "tours");
        worker.register_workflow<tour>().register_activity<visit>();
        worker.start();

        auto handle = client.start<tour>({.task_queue = "tours"}, Progress{});
        std::cout << "first run: " << handle.run_id() << "\n";
        const int visited = handle.result();
        std::cout << "visited " << visited << " places\n";
        const auto last = client.handle<tour>(handle.workflow_id()).describe();
        std::cout << "last run:  " << last.run_id << " of the chain that began with "
                  << last.first_run_id << "\n";
        if (last.run_id != last.first_run_id)
            std::cout << "so it came from continue-as-new" << std::endl;
    });
}
