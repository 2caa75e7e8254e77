// Default and explicit names. A function is known by its own name unless told otherwise; an explicit
// name survives a rename in the code, which a running workflow would not.
//
//     names

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

namespace billing {
std::string charge_v2(std::string customer) { return "charged " + customer; }
wf::task<std::string> renew(std::string customer);
}  // namespace billing

// One place for the name: workers register it, callers use it.
template <>
inline constexpr std::string_view stele::activity_name<billing::charge_v2> = "ChargeCard";

wf::task<std::string> billing::renew(std::string customer) {
    co_return co_await wf::activity<billing::charge_v2>(customer, {.start_to_close = 10s});
}

int main(int argc, char** argv) {
    return examples::run([&] {
        std::cout << "default name of the workflow:  "
                  << stele::workflow_name<billing::renew> << "\nexplicit name of the activity: "
                  << stele::activity_name<billing::charge_v2> << "\n";
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "names");
        worker.register_workflow<billing::renew>()
            .register_workflow<billing::renew>("RenewContract")
            .register_activity<billing::charge_v2>();
        worker.start();

        std::cout << client.execute<billing::renew>({.task_queue = "names"}, "Ada") << "\n";
        std::cout
            << client.start<std::string>("RenewContract", {.task_queue = "names"}, "Bob").result()
            << std::endl;
    });
}
