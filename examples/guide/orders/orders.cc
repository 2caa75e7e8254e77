#include "orders.h"

#include <iostream>

using namespace std::chrono_literals;

void reserve(Order order) { std::cout << "reserved " << order.id << std::endl; }
std::string charge(Order order) { return "payment of " + order.id; }
void ship(Order order) { std::cout << "shipped " << order.id << std::endl; }
void refund(std::string payment) { std::cout << "refunded " << payment << std::endl; }

// >>> run
wf::task<std::string> Purchase::run(Order order) {
    if (order.cents > 10'000) {
        status_ = "waiting";
        if (!co_await wf::until([this] { return approved_; }, 24h * 7)) co_return "nobody decided";
    }
    // <<<
    // >>> patch
    // Added later. Runs that were past this point by then, or in the middle of it, go on without.
    if (wf::patched("reserve-first"))
        co_await wf::activity<reserve>(order, {.start_to_close = 30s});
    // <<<
    // >>> run
    status_ = "paying";
    const auto payment = co_await wf::activity<charge>(order, {.start_to_close = 30s});
    status_ = "shipping";
    auto shipped = co_await wf::capture(
        wf::activity<ship>(order, {.start_to_close = 1h, .schedule_to_close = 24h * 3}));
    if (shipped.ok()) co_return "shipped";
    co_await wf::shielded(wf::activity<refund>(payment, {.start_to_close = 30s}));
    co_return "refunded";
}
// <<<
