// Short steps that need no worker to be found for them run inside the workflow task. Ten of them cost
// ten markers; as activities they would cost ten round trips and thirty events.
//
//     local_activities

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;
namespace activity = stele::activity;
using namespace std::chrono_literals;

int price_of(std::string article) { return static_cast<int>(article.size()) * 10; }

// Fails now and then, like everything; attempts are repeated in the worker.
int discount_of(std::string customer) {
    if (activity::info().attempt == 1) throw std::runtime_error("the line is busy");
    return customer == "Ada" ? 20 : 0;
}

void print_bill(std::string text) { std::cout << "  " << text << "\n"; }

wf::task<int> bill(std::string customer, std::vector<std::string> articles) {
    int total = 0;
    for (const std::string& article : articles)
        total += co_await wf::local_activity<price_of>(article, {.start_to_close = 2s});
    total -= co_await wf::local_activity<discount_of>(
        customer, {.start_to_close = 2s,
                   .retry = stele::RetryPolicy{.initial_interval = 10ms, .maximum_attempts = 5}});
    // What must not happen twice, or takes long, stays an activity.
    const std::string text = customer + " pays " + std::to_string(total);
    co_await wf::activity<print_bill>(text, {.start_to_close = 10s});
    co_return total;
}

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "bills");
        worker.register_workflow<bill>()
            .register_activity<price_of>()
            .register_activity<discount_of>()
            .register_activity<print_bill>();
        worker.start();
        const std::vector<std::string> articles = {"pen",   "paper", "ink",  "lamp", "desk",
                                                   "chair", "shelf", "book", "clock"};
        auto handle = client.start<bill>({.task_queue = "bills"}, "Ada", articles);
        const int total = handle.result();
        std::cout << "total: " << total << "\n";
        std::cout << "events: " << handle.describe().history_length << std::endl;
    });
}
