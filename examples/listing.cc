// Workflows are found by what they say about themselves: a filter over their type, status, times and
// the search attributes of one's own, which have typed keys.
//
//     listing

#include <stele/stele.h>

#include <algorithm>
#include <thread>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

std::string look_up(std::string customer) { return customer + " of Wherever"; }

wf::task<std::string> visit(std::string customer) {
    // What the web page and the command line show of a running workflow.
    wf::set_current_details("on the way to " + customer);
    wf::upsert_memo({{"customer", stele::encode_value(customer)}});
    // A short activity in the worker's own process: one event instead of three.
    co_return co_await wf::local_activity<look_up>(customer, {.start_to_close = 5s});
}

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "visits");
        worker.register_workflow<visit>().register_activity<look_up>();
        worker.start();

        for (const char* customer : {"Ada", "Bob", "Eve"}) {
            stele::StartOptions options;
            options.task_queue = "visits";
            options.static_summary = std::string("a visit to ") + customer;
            std::cout << client.execute<visit>(options, customer) << "\n";
        }

        // Lists follow the truth by a moment, so this may have to ask more than once.
        const std::string query = "WorkflowType = 'visit' AND ExecutionStatus = 'Completed'";
        std::vector<std::string> customers;
        for (int i = 0; i < 50 && customers.size() < 3; ++i) {
            customers.clear();
            for (const auto& found : client.list({.query = query, .page_size = 2}))
                customers.push_back(stele::decode_value<std::string>(found.memo.at("customer")));
            if (customers.size() < 3) std::this_thread::sleep_for(100ms);
        }
        std::sort(customers.begin(), customers.end());
        for (const std::string& customer : customers) std::cout << "visited " << customer << "\n";
        std::cout << "count: " << client.count(query).count << std::endl;
    });
}
