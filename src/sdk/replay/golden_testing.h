#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "stele/replayer.h"
#include "stele/stele.h"

// Workflows whose histories are kept for ever in tests/sdk/golden, one for each kind of step, and how
// each of them may be changed so that it can no longer have lived its history.
//
// A workflow here is never edited: what it did is recorded. New kinds get new workflows.
namespace stele::golden {

using namespace std::chrono_literals;  // NOLINT: this header is for two tests

inline const auto kCustomer = search_attribute_key::keyword("Customer");

inline int charge(int amount) { return amount; }
inline int refund(int amount) { return -amount; }
/// Waits until it is cancelled.
inline int waits() {
    while (!activity::cancelled()) {
        activity::heartbeat();
        (void)activity::sleep_for(1s);
    }
    activity::throw_if_cancelled();
    return 0;
}

inline wf::task<int> leaf() { co_return 1; }
inline wf::task<int> another_leaf() { co_return 1; }
/// The target of what the others say to it; ends when it is cancelled.
inline wf::task<int> target_workflow() {
    co_await wf::sleep(24h * 365);
    co_return 0;
}

// ---- What was recorded -------------------------------------------------------------------------

inline wf::task<int> activity_step() {
    const int sum = co_await wf::activity<charge>(7, {.start_to_close = 10s});
    co_await wf::sleep(1s);
    co_return sum;
}
inline wf::task<int> timer_step() {
    co_await wf::sleep(1min);
    co_return co_await wf::activity<charge>(7, {.start_to_close = 10s});
}
inline wf::task<int> timer_cancel_step() {
    (void)co_await wf::any(wf::activity<charge>(7, {.start_to_close = 10s}), wf::sleep(24h));
    co_await wf::sleep(1s);
    co_return 0;
}
inline wf::task<int> activity_cancel_step() {
    (void)co_await wf::any(wf::activity<waits>({.start_to_close = 24h, .heartbeat = 1min}),
                           wf::sleep(1min));
    co_await wf::sleep(5min);
    co_return 0;
}
inline wf::task<int> child_step() {
    const int sum = co_await wf::child<leaf>({.id = "leaf"});
    co_await wf::sleep(1s);
    co_return sum;
}
inline wf::task<int> signal_step() {
    co_await wf::external_workflow("target").signal("go");
    co_await wf::sleep(1s);
    co_return 0;
}
inline wf::task<int> cancel_step() {
    co_await wf::external_workflow("target").cancel();
    co_await wf::sleep(1s);
    co_return 0;
}
inline wf::task<int> local_activity_step() {
    const int sum = co_await wf::local_activity<charge>(7, {.start_to_close = 5s});
    co_await wf::sleep(1s);
    co_return sum;
}
inline wf::task<int> patch_step() {
    const bool taken = wf::patched("cheaper");
    co_await wf::sleep(1s);
    co_return taken ? 1 : 0;
}
inline wf::task<int> attributes_step() {
    wf::upsert_search_attributes({kCustomer.of("ada")});
    co_await wf::sleep(1s);
    co_return 0;
}
inline wf::task<int> memo_step() {
    wf::upsert_memo({{"note", encode_value(std::string("late"))}});
    co_await wf::sleep(1s);
    co_return 0;
}
inline wf::task<int> continue_step(int left) {
    co_await wf::sleep(1s);
    if (left > 0) co_await wf::continue_as_new<continue_step>(left - 1);
    co_return left;
}
inline wf::task<int> failure_step() {
    co_await wf::sleep(1s);
    throw ApplicationError("no");
}
inline wf::task<int> cancelled_step() {
    co_await wf::sleep(24h);
    co_return 0;
}
class UpdateStep {
public:
    wf::task<int> run() {
        co_await wf::until([this] { return added_ > 0; });
        co_await wf::sleep(1s);
        co_return added_;
    }
    int add(int amount) { return added_ += amount; }

private:
    int added_ = 0;
};

// ---- What it may be changed to -----------------------------------------------------------------

namespace removed {
inline wf::task<int> only_the_timer() {
    co_await wf::sleep(1s);
    co_return 7;
}
inline wf::task<int> timer_step() {
    co_return co_await wf::activity<charge>(7, {.start_to_close = 10s});
}
inline wf::task<int> timer_cancel_step() {
    (void)co_await wf::activity<charge>(7, {.start_to_close = 10s});
    co_await wf::sleep(1s);
    co_return 0;
}
inline wf::task<int> activity_cancel_step() {
    (void)co_await wf::any(wf::activity<waits>({.start_to_close = 24h,
                                                .heartbeat = 1min,
                                                .cancellation = ActivityCancellation::kAbandon}),
                           wf::sleep(1min));
    co_await wf::sleep(5min);
    co_return 0;
}
inline wf::task<int> end(int) {
    co_await wf::sleep(1s);
    co_return 0;
}
class UpdateStep {
public:
    wf::task<int> run() {
        co_await wf::sleep(1s);
        co_return 0;
    }
};
}  // namespace removed

namespace swapped {
inline wf::task<int> activity_step() {
    co_await wf::sleep(1s);
    co_return co_await wf::activity<charge>(7, {.start_to_close = 10s});
}
inline wf::task<int> timer_step() {
    const int sum = co_await wf::activity<charge>(7, {.start_to_close = 10s});
    co_await wf::sleep(1min);
    co_return sum;
}
inline wf::task<int> child_step() {
    co_await wf::sleep(1s);
    co_return co_await wf::child<leaf>({.id = "leaf"});
}
inline wf::task<int> signal_step() {
    co_await wf::sleep(1s);
    co_await wf::external_workflow("target").signal("go");
    co_return 0;
}
inline wf::task<int> cancel_step() {
    co_await wf::sleep(1s);
    co_await wf::external_workflow("target").cancel();
    co_return 0;
}
inline wf::task<int> local_activity_step() {
    co_await wf::sleep(1s);
    co_return co_await wf::local_activity<charge>(7, {.start_to_close = 5s});
}
inline wf::task<int> attributes_step() {
    co_await wf::sleep(1s);
    wf::upsert_search_attributes({kCustomer.of("ada")});
    co_return 0;
}
inline wf::task<int> memo_step() {
    co_await wf::sleep(1s);
    wf::upsert_memo({{"note", encode_value(std::string("late"))}});
    co_return 0;
}
inline wf::task<int> patch_step() {
    co_await wf::sleep(1s);
    co_return wf::patched("cheaper") ? 1 : 0;
}
}  // namespace swapped

namespace renamed {
inline wf::task<int> activity_step() {
    const int sum = co_await wf::activity<refund>(7, {.start_to_close = 10s});
    co_await wf::sleep(1s);
    co_return sum;
}
inline wf::task<int> child_step() {
    const int sum = co_await wf::child<another_leaf>({.id = "leaf"});
    co_await wf::sleep(1s);
    co_return sum;
}
inline wf::task<int> signal_step() {
    co_await wf::external_workflow("target").signal("stop");
    co_await wf::sleep(1s);
    co_return 0;
}
inline wf::task<int> local_activity_step() {
    const int sum = co_await wf::local_activity<refund>(7, {.start_to_close = 5s});
    co_await wf::sleep(1s);
    co_return sum;
}
inline wf::task<int> patch_step() {
    const bool taken = wf::patched("dearer");
    co_await wf::sleep(1s);
    co_return taken ? 1 : 0;
}
inline wf::task<int> cancelled_step() {
    (void)co_await wf::capture(wf::sleep(24h));
    co_return 0;
}
class UpdateStep {
public:
    wf::task<int> run() {
        co_await wf::until([this] { return added_ > 0; });
        co_await wf::sleep(1s);
        co_return added_;
    }
    int subtract(int amount) { return added_ -= amount; }

private:
    int added_ = 0;
};
}  // namespace renamed

/// All workflows as they were recorded, for a worker or a replayer.
template <class Target>
void register_recorded(Target& target) {
    target.template register_workflow<activity_step>()
        .template register_workflow<timer_step>()
        .template register_workflow<timer_cancel_step>()
        .template register_workflow<activity_cancel_step>()
        .template register_workflow<child_step>()
        .template register_workflow<signal_step>()
        .template register_workflow<cancel_step>()
        .template register_workflow<local_activity_step>()
        .template register_workflow<patch_step>()
        .template register_workflow<attributes_step>()
        .template register_workflow<memo_step>()
        .template register_workflow<continue_step>()
        .template register_workflow<failure_step>()
        .template register_workflow<cancelled_step>()
        .template register_workflow<leaf>()
        .template register_workflow<target_workflow>();
    wf::register_type<UpdateStep>(target)
        .template run<&UpdateStep::run>()
        .template update<&UpdateStep::add>();
}

inline constexpr char kDirectory[] = "tests/sdk/golden";

}  // namespace stele::golden
