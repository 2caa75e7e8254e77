#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>

#include "sdk/core/history_testing.h"
#include "stele/replayer.h"
#include "stele/stele.h"

// What a run of the SDK takes: the replay of a history, by its events, and the switch between coroutines.
namespace stele {
namespace {

using namespace std::chrono_literals;  // NOLINT: for a workflow that reads as one

wf::task<int> sleeps(int times) {
    for (int i = 0; i < times; ++i) co_await wf::sleep(1s);
    co_return times;
}

wf::task<int> next(int number) { co_return number + 1; }
wf::task<int> counts(int to) {
    int number = 0;
    while (number < to) number = co_await next(number);
    co_return number;
}

/// The history of a run of `sleeps`.
core::testing::HistoryWriter history_of_sleeps(std::int64_t times) {
    core::testing::HistoryWriter history("sleeps", {std::to_string(times)});
    history.start_task();
    for (std::int64_t i = 1; i <= times; ++i) {
        core::Command timer;
        timer.set_command_type(core::testing::enums::COMMAND_TYPE_START_TIMER);
        auto& attributes = *timer.mutable_start_timer_command_attributes();
        attributes.set_timer_id(std::to_string(i));
        attributes.mutable_start_to_fire_timeout()->set_seconds(1);
        history.complete_task({timer});
        history.fire(std::to_string(i));
        history.start_task();
    }
    return history;
}

void replay_all(benchmark::State& state, Replayer& replayer,
                const temporal::api::history::v1::History& history) {
    for (auto _ : state) {
        const Replayer::Result result = replayer.replay(history, "workflow");
        if (result.ok) continue;
        std::cerr << result.error << "\n";
        std::abort();
    }
}

void replay(benchmark::State& state) {
    Replayer replayer;
    replayer.register_workflow<sleeps>();
    const auto history = history_of_sleeps(state.range(0));
    replay_all(state, replayer, history.history());
    state.SetItemsProcessed(state.iterations() * history.history().events_size());
}
BENCHMARK(replay)->ArgName("timers")->Arg(1)->Arg(100)->Arg(2000);

/// Each step begins a coroutine, waits for it and ends it: two switches.
void switches_between_coroutines(benchmark::State& state) {
    Replayer replayer;
    replayer.register_workflow<counts>();
    core::testing::HistoryWriter history("counts", {std::to_string(state.range(0))});
    history.start_task();
    core::Command completion;
    completion.set_command_type(core::testing::enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    *completion.mutable_complete_workflow_execution_command_attributes()
         ->mutable_result()
         ->add_payloads() = core::testing::HistoryWriter::make(std::to_string(state.range(0)));
    history.complete_task({completion});
    replay_all(state, replayer, history.history());
    state.SetItemsProcessed(state.iterations() * 2 * state.range(0));
}
BENCHMARK(switches_between_coroutines)->ArgName("steps")->Arg(1)->Arg(100'000);

}  // namespace
}  // namespace stele
