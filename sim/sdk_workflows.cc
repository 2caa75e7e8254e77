#include "sim/sdk_workflows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace stele::sim {
namespace {

using namespace std::chrono_literals;

ReplayedJournal* replayed = nullptr;

/// What the main routine and the handlers of a run share.
struct State {
    Journal journal;
    int steps = 0;

    void note(std::string entry) { journal.push_back(std::move(entry)); }
    std::int64_t count(char kind) const {
        return std::count_if(journal.begin(), journal.end(),
                             [kind](const std::string& entry) { return entry[0] == kind; });
    }
};
using StatePointer = std::shared_ptr<State>;

/// In one word why there is no value.
std::string reason_of(const FailureError& error) {
    if (error.is_cancellation()) return "cancelled";
    const auto cause = error.cause();
    if (cause && dynamic_cast<const TimeoutError*>(cause.get()) != nullptr) return "timeout";
    return "failed";
}

void note_outcome(State& state, char letter, int number, const outcome<std::string>& result) {
    if (result.ok()) {
        state.note(fmt::format("{} {} = {}", letter, number, outcome<std::string>(result).value()));
    } else if (const auto error = result.error()) {
        state.note(fmt::format("{} {} {}", letter, number, reason_of(*error)));
    }
}

/// A step that goes with the workflow when that is cancelled, and not otherwise.
void go_on_unless_cancelled(outcome<std::string>& result) {
    const bool of_workflow = result.cancelled() && wf::cancel_requested();
    if (!result.ok() && (of_workflow || !result.error())) (void)result.value();
}

constexpr RetryPolicy kRetries{.initial_interval = 200ms,
                               .backoff_coefficient = 2,
                               .maximum_interval = 1s,
                               .maximum_attempts = 5};

ActivityOptions activity_options(int number) {
    constexpr ActivityCancellation kModes[] = {ActivityCancellation::kTryCancel,
                                               ActivityCancellation::kWaitCompleted,
                                               ActivityCancellation::kAbandon};
    ActivityOptions options{.start_to_close = 3s, .retry = kRetries};
    options.cancellation = kModes[number % 3];
    if (number % 2 == 0) options.heartbeat = 2s;
    if (number % 5 == 0) options.schedule_to_close = 6s;
    return options;
}

wf::task<void> activity_step(StatePointer state) {
    const int number = ++state->steps;
    auto called = wf::activity_by_name<std::string>(kSdkActivity, activity_options(number), number);
    auto result = co_await wf::capture(std::move(called));
    note_outcome(*state, 'A', number, result);
    go_on_unless_cancelled(result);
}

wf::task<void> parallel_step(StatePointer state) {
    std::vector<wf::task<void>> many;
    for (int i = 0; i < 3; ++i) many.push_back(activity_step(state));
    auto together = wf::all(std::move(many));
    co_await together;
}

wf::task<void> local_step(StatePointer state) {
    const int number = ++state->steps;
    LocalActivityOptions options{.start_to_close = 2s, .retry = kRetries};
    options.retry->maximum_attempts = 3;
    options.local_retry_max = Milliseconds(number % 2 == 0 ? 250 : 10'000);
    if (number % 3 == 0) options.cancellation = ActivityCancellation::kWaitCompleted;
    auto called = wf::local_activity_by_name<std::string>(kSdkLocalActivity, options, number);
    auto result = co_await wf::capture(std::move(called));
    note_outcome(*state, 'L', number, result);
    go_on_unless_cancelled(result);
}

wf::task<void> timer_step(StatePointer state) {
    const Milliseconds asked(wf::random_between(1, 3'000));
    const wf::Time before = wf::now();
    co_await wf::sleep(asked);
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(wf::now() - before);
    state->note(fmt::format("T {} {}", asked.count(), passed.count()));
}

wf::task<void> child_step(StatePointer state) {
    constexpr ChildCancellation kModes[] = {
        ChildCancellation::kWaitCompleted, ChildCancellation::kTryCancel,
        ChildCancellation::kWaitRequested, ChildCancellation::kAbandon};
    const int number = ++state->steps;
    const std::string id = wf::info().workflow_id + "/" + wf::uuid();
    ChildOptions options{.id = id, .task_timeout = 3s};
    options.cancellation = kModes[number % 4];
    auto called = wf::child_by_name<std::string>(kSdkChildType, options, number);
    auto result = co_await wf::capture(std::move(called));
    note_outcome(*state, 'C', number, result);
    go_on_unless_cancelled(result);
}

template <class Step>
wf::task<void> against_a_timer(Step step) {
    auto raced = wf::any(std::move(step), wf::sleep(Milliseconds(wf::random_between(1, 2'000))));
    (void)co_await raced;
}

/// Cancelled or not, what has been asked for is waited for: so what was done can be counted.
wf::task<void> signal_step(StatePointer state, std::string neighbour) {
    const int number = ++state->steps;
    const std::string text = fmt::format("{}/{}", wf::info().run_id, number);
    const wf::external_workflow other(neighbour);
    auto shield = wf::shielded(other.signal(kSdkGreeting, text));
    auto result = co_await wf::capture(std::move(shield));
    state->note(result.ok() ? fmt::format("X {} {}", number, text)
                            : fmt::format("X {} failed", number));
}

wf::task<void> wait_step(StatePointer state) {
    const std::int64_t wanted = state->count('W') + 1;
    auto enough = [raw = state.get(), wanted] { return raw->count('S') >= wanted; };
    co_await wf::until(enough);
    state->note("W");
}

wf::task<void> short_wait_step(StatePointer state) {
    const std::int64_t wanted = state->count('S') + 1;
    auto enough = [raw = state.get(), wanted] { return raw->count('S') >= wanted; };
    const bool came = co_await wf::until(enough, 1'500ms);
    state->note(came ? "Q in time" : "Q too late");
}

wf::task<void> close_step(StatePointer state) {
    auto all_done = [] { return wf::all_handlers_finished(); };
    auto shield = wf::shielded(wf::until(all_done));
    co_await shield;
    if (replayed != nullptr) replayed->journal = state->journal;
}

wf::task<void> continue_step(StatePointer state, std::string rest, std::string neighbour) {
    auto closed = close_step(state);
    co_await closed;
    co_await wf::continue_as_new_by_name(kSdkType, {}, rest, neighbour, state->journal);
}

wf::task<void> step(StatePointer state, char letter, std::string rest, std::string neighbour) {
    switch (letter) {
        case 'A': co_await activity_step(state); break;
        case 'P': co_await parallel_step(state); break;
        case 'R': co_await against_a_timer(activity_step(state)); break;
        case 'L': co_await local_step(state); break;
        case 'M': {
            auto together = wf::all(local_step(state), timer_step(state), local_step(state));
            (void)co_await together;
            break;
        }
        case 'T': co_await timer_step(state); break;
        case 'S': co_await wait_step(state); break;
        case 'Q': co_await short_wait_step(state); break;
        case 'C': co_await child_step(state); break;
        case 'K': co_await against_a_timer(child_step(state)); break;
        case 'X': co_await signal_step(state, neighbour); break;
        case 'V': wf::upsert_memo({{"steps", encode_value(state->steps)}}); break;
        case 'D': state->note(wf::patched("new-way") ? "D new" : "D old"); break;
        case 'I': state->note("I " + wf::uuid()); break;
        case 'N': co_await continue_step(state, rest, neighbour); break;
        default: break;
    }
}

wf::task<void> work_through(StatePointer state, std::string script, std::string neighbour) {
    for (std::size_t i = 0; i < script.size(); ++i) {
        auto next = step(state, script[i], script.substr(i + 1), neighbour);
        co_await next;
    }
}

wf::task<void> clean_up(StatePointer state) {
    const int number = ++state->steps;
    RetryPolicy for_ever = kRetries;
    for_ever.maximum_attempts = 0;
    auto called = wf::activity_by_name<std::string>(
        kSdkActivity, {.start_to_close = 3s, .retry = for_ever}, number);
    auto result = co_await wf::capture(std::move(called));
    note_outcome(*state, 'Z', number, result);
}

wf::task<std::string> update(StatePointer state, std::string id) {
    state->note("U " + id);
    if (id.front() == 'l') {
        auto pause = wf::shielded(wf::sleep(Milliseconds(wf::random_between(1, 800))));
        co_await pause;
    }
    state->note("V " + id);
    co_return "did " + id;
}

void listen(const StatePointer& state) {
    wf::on_query(kSdkQuery, [state]() -> Journal { return state->journal; });
    wf::on_signal(kSdkSignal, [state](std::string text) { state->note("S " + text); });
    wf::on_signal(kSdkGreeting, [state](std::string text) { state->note("G " + text); });
    wf::on_update(
        kSdkSignal,
        [state](std::string id) -> wf::task<std::string> { return update(state, std::move(id)); },
        [](std::string id) {
            if (id.front() == 'r') throw ApplicationError("it asks for that");
        });
}

}  // namespace

wf::task<Journal> sdk_script(std::string script, std::string neighbour, Journal journal) {
    const auto state = std::make_shared<State>(State{std::move(journal)});
    listen(state);
    auto work = work_through(state, script, neighbour);
    auto worked = co_await wf::capture(std::move(work));
    if (worked.cancelled()) {
        auto shield = wf::shielded(clean_up(state));
        co_await shield;
    }
    auto closed = close_step(state);
    co_await closed;
    if (!worked.ok() && (!worked.cancelled() || script.ends_with('!'))) worked.value();
    if (script.ends_with('F')) {
        throw ApplicationError("as the script has it", {.details = {encode_value(state->journal)}});
    }
    co_return state->journal;
}

wf::task<std::string> sdk_leaf(int number) {
    co_await wf::sleep(Milliseconds(wf::random_between(1, 1'000)));
    const int input = -number;
    auto called = wf::activity_by_name<std::string>(
        kSdkActivity, {.start_to_close = 3s, .retry = kRetries}, input);
    co_return "a child's " + co_await called;
}

ReplayedJournal::ReplayedJournal() { replayed = this; }
ReplayedJournal::~ReplayedJournal() { replayed = nullptr; }

}  // namespace stele::sim
