#pragma once

#include <stele/stele.h>

#include <string>

namespace wf = stele::wf;

struct Order {
    std::string id;
    int cents = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Order, id, cents)

// Activities: they may block, call the world and fail.
void reserve(Order order);
std::string charge(Order order);
void ship(Order order);
void refund(std::string payment);

// A workflow as a class: one object for each run. Large orders wait for an approval.
class Purchase {
public:
    wf::task<std::string> run(Order order);
    void approve() { approved_ = true; }            // a signal
    std::string status() const { return status_; }  // a query

private:
    bool approved_ = false;
    std::string status_ = "new";
};

// For workers and for the replayer, so that both know the same.
template <class Target>
void register_workflows(Target& target) {
    wf::register_type<Purchase>(target)
        .template run<&Purchase::run>()
        .template signal<&Purchase::approve>()
        .template query<&Purchase::status>();
}
