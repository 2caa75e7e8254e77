// Cancellation arrives as an exception at the await. What must still happen is shielded from it.
//
//     cancel_and_clean_up

#include <stele/stele.h>

#include <thread>

#include "common.h"

namespace wf = stele::wf;
namespace activity = stele::activity;
using namespace std::chrono_literals;

void reserve(std::string seat) { std::cout << "reserved " << seat << "\n"; }
void release(std::string seat) { std::cout << "released " << seat << "\n"; }

// Hears of the cancellation because it sends heartbeats.
void print_tickets() {
    for (int page = 1;; ++page) {
        activity::heartbeat(page);
        if (!activity::sleep_for(200ms)) throw stele::CanceledError("stopped printing");
    }
}

wf::task<std::string> book(std::string seat) {
    co_await wf::activity<reserve>(seat, {.start_to_close = 10s});
    auto printed = co_await wf::capture(
        wf::activity<print_tickets>({.start_to_close = 1h,
                                     .heartbeat = 2s,
                                     .cancellation = stele::ActivityCancellation::kWaitCompleted}));
    // Outside of any catch block, because co_await is not allowed in one.
    if (printed.cancelled())
        co_await wf::shielded(wf::activity<release>(seat, {.start_to_close = 10s}));
    printed.value();  // rethrows: the workflow ends as cancelled
    co_return seat;
}

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "cancel-and-clean-up");
        worker.register_workflow<book>()
            .register_activity<reserve>()
            .register_activity<release>()
            .register_activity<print_tickets>();
        worker.start();

        auto handle = client.start<book>({.task_queue = "cancel-and-clean-up"}, "12A");
        std::this_thread::sleep_for(1s);
        handle.cancel("changed my mind");
        try {
            (void)handle.result();
        } catch (const stele::WorkflowFailedError& error) {
            std::cout << "the workflow ended: " << error.cause().what() << std::endl;
        }
    });
}
