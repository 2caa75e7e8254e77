#include <gtest/gtest.h>

#include <random>

#include "sdk/core/errors.h"
#include "sdk/core/history_testing.h"
#include "sdk/core/run.h"
#include "sdk/core/schedules_testing.h"
#include "sdk/worker/registry.h"
#include "stele/stele.h"

// Random lives of one workflow: what happens and in which order is drawn from a seed, and so is
// whether the worker still has the run in its cache, has lost it, or fails an attempt. However a run
// is brought back, it must give the same commands, and its whole history must replay.
namespace stele::core {
namespace {

using namespace std::chrono_literals;
using testing::Cached;
using testing::HistoryWriter;
using testing::Work;

const auto kProgress = search_attribute_key::integer("Progress");

wf::task<int> step(int number) {
    constexpr ActivityCancellation kModes[] = {ActivityCancellation::kTryCancel,
                                               ActivityCancellation::kWaitCompleted,
                                               ActivityCancellation::kAbandon};
    const ActivityCancellation mode = kModes[number % 3];
    co_return co_await wf::activity_by_name<int>(
        "work", {.start_to_close = 10s, .cancellation = mode}, number);
}

wf::task<int> guarded_step(int number) {
    auto result = co_await wf::capture(step(number));
    if (result.ok()) co_return result.value();
    if (result.cancelled()) co_await wf::shielded(wf::sleep(1s));
    co_return -1;
}

/// One in three is tried again after a pause that is a timer.
wf::task<int> near_step(int number) {
    constexpr ActivityCancellation kModes[] = {ActivityCancellation::kTryCancel,
                                               ActivityCancellation::kWaitCompleted,
                                               ActivityCancellation::kAbandon};
    const ActivityCancellation mode = kModes[number % 3];
    auto called = wf::local_activity_by_name<int>(
        "near", {.start_to_close = 5s, .cancellation = mode}, number);
    auto result = co_await wf::capture(std::move(called));
    co_return result.ok() ? result.value() : -1;
}

wf::task<int> child_step(int number) {
    constexpr ChildCancellation kModes[] = {
        ChildCancellation::kWaitCompleted, ChildCancellation::kTryCancel,
        ChildCancellation::kAbandon, ChildCancellation::kWaitRequested};
    const ChildCancellation mode = kModes[number % 4];
    auto called = wf::child_by_name<int>("leaf", {.cancellation = mode}, number);
    auto result = co_await wf::capture(std::move(called));
    co_return result.ok() ? result.value() : -1;
}

wf::task<int> tell_others(int number) {
    const wf::external_workflow other("other");
    auto signalled = co_await wf::capture(other.signal("go", number));
    auto cancelled = co_await wf::capture(other.cancel());
    co_return (signalled.ok() ? 1 : 0) + (cancelled.ok() ? 2 : 0);
}

wf::task<std::vector<std::int64_t>> busy(int rounds) {
    std::vector<std::int64_t> log;
    int received = 0;
    wf::on_signal("add", [&received](int amount) { received += amount; });
    wf::on_update(
        "bump",
        [&received](int amount) -> wf::task<int> {
            if (amount == 1) co_await wf::shielded(wf::sleep(1s));
            received += amount;
            co_return received;
        },
        [&received](int amount) {
            if (amount == 0 || received > 20) throw ApplicationError("no");
        });
    for (int round = 0; round < rounds; ++round) {
        const auto choice = wf::random_between(0, 9);
        log.push_back(choice);
        if (choice == 0) {
            auto [a, b] = co_await wf::all(guarded_step(round), guarded_step(round + 1));
            log.push_back(a + b);
        } else if (choice == 1) {
            auto raced = wf::any(guarded_step(round), wf::sleep(10s), guarded_step(round + 2));
            auto first = co_await wf::capture(std::move(raced));
            log.push_back(first.ok() ? static_cast<std::int64_t>(first.value().index()) : -2);
        } else if (choice == 2) {
            const int wanted = received + 1;
            auto enough = [&received, wanted] { return received >= wanted; };
            auto waited = co_await wf::capture(wf::until(enough, 30s));
            log.push_back(waited.ok() ? (waited.value() ? 1 : 0) : -3);
        } else if (choice == 3) {
            if (wf::patched("p" + std::to_string(round % 2))) co_await wf::shielded(wf::sleep(1s));
        } else if (choice == 4) {
            auto [a, b, c] =
                co_await wf::all(near_step(round), near_step(round + 1), guarded_step(round));
            log.push_back(a + b + c);
        } else if (choice == 5) {
            auto raced = wf::any(near_step(round), child_step(round), wf::sleep(10s));
            auto first = co_await wf::capture(std::move(raced));
            log.push_back(first.ok() ? static_cast<std::int64_t>(first.value().index()) : -2);
        } else if (choice == 6) {
            auto [a, b] = co_await wf::all(child_step(round), tell_others(round));
            log.push_back(a + b);
        } else if (choice == 7) {
            wf::upsert_search_attributes({kProgress.of(round)});
            wf::upsert_memo({{"round", encode_value(round)}});
        } else if (choice == 8) {
            auto raced = wf::any(near_step(round), near_step(round + 1), near_step(round + 2));
            auto first = co_await wf::capture(std::move(raced));
            log.push_back(first.ok() ? static_cast<std::int64_t>(first.value().index()) : -2);
        } else {
            std::vector<wf::task<int>> many;
            for (int i = 0; i < 3; ++i) many.push_back(guarded_step(10 * round + i));
            for (const int value : co_await wf::all(std::move(many))) log.push_back(value);
        }
        log.push_back(received);
    }
    if (received % 5 == 4) throw ApplicationError("too much");
    if (received % 5 == 3) co_await wf::continue_as_new_by_name("busy", {}, rounds);
    co_return log;
}

class Life {
public:
    explicit Life(std::uint64_t seed) : random_(seed), writer_("busy", {"6"}) {
        wf::detail::Definition definition;
        definition.name = "busy";
        definition.make = [] { return std::make_unique<wf::detail::FunctionBody<busy>>(); };
        replayer_.add(definition);
        registry_.add(std::move(definition));
    }

    /// Throws when anything diverges.
    void live() {
        for (int tasks = 0; !writer_.closed() && tasks < 200; ++tasks) {
            if (draw(8) == 0) fail_an_attempt();
            complete_a_task();
            // What a task that is kept for local activities waits for comes by itself.
            if (!writer_.closed() && !(heartbeat_ && draw(2) == 0)) let_something_happen();
        }
        if (!writer_.closed()) throw std::logic_error("the workflow never ends");
        const Replayer::Result result = replayer_.replay(writer_.history(), "id");
        if (!result.ok) throw std::logic_error("the history does not replay: " + result.error);
    }

private:
    std::uint64_t draw(std::uint64_t bound) { return random_() % bound; }

    std::unique_ptr<Cached> new_run() {
        return std::make_unique<Cached>([this](const InitializeJob& job) {
            return registry_.make_code(job, {"default", "id", "run"});
        });
    }

    /// How far local activities get in one task; the same for every run that has the task.
    struct Ends {
        /// So many of four stay at work, by their numbers.
        std::uint64_t kept;
        bool latest_first;
    };

    Work work(Cached& cached, std::int64_t started, const Ends& ends) {
        cached.read(writer_.history(), {last_completed_, started, updates_}, random_);
        const std::int64_t now = writer_.history().events_size() * 10 + 1'000'000;
        return cached.finish(
            ends.latest_first, [&ends](Sequence sequence) { return sequence % 4 >= ends.kept; },
            [now](const LocalActivity& activity, bool cancelled) {
                return outcome_of(activity, cancelled, now);
            });
    }

    /// Of the activity alone, so that whoever runs it comes to the same.
    static LocalActivityOutcome outcome_of(const LocalActivity& activity, bool cancelled,
                                           std::int64_t now) {
        LocalActivityOutcome outcome;
        outcome.attempt = activity.attempt;
        outcome.complete_time_nanoseconds = now * 1'000'000'000;
        outcome.original_schedule_time_nanoseconds = activity.original_schedule_time_nanoseconds;
        if (cancelled) {
            outcome.resolution.kind = Resolution::Kind::kCanceled;
            outcome.resolution.failure.set_message("told to stop");
            outcome.resolution.failure.mutable_canceled_failure_info();
        } else if (activity.sequence % 3 == 0 && activity.attempt < 3) {
            outcome.resolution.kind = Resolution::Kind::kFailed;
            outcome.resolution.failure.set_message("not yet");
            outcome.resolution.failure.mutable_application_failure_info();
            outcome.backoff = Milliseconds(90'000);
        } else {
            *outcome.resolution.result.add_payloads() =
                HistoryWriter::make(std::to_string(activity.sequence));
        }
        return outcome;
    }

    void fail_an_attempt() {
        writer_.start_task();
        writer_.fail_task();
        cached_.reset();
    }

    void complete_a_task() {
        const bool nothing_new = writer_.history().events_size() == events_at_completion_;
        for (UpdateRequest& update : updates_)
            update.sequencing_event_id = writer_.history().events_size() + 1;
        const std::int64_t started = writer_.start_task();
        const Ends ends{draw(3) == 0 ? draw(4) : 0, draw(2) == 0};
        auto cold = new_run();
        const Work expected = work(*cold, started, ends);
        if (!cached_ || draw(3) == 0)
            cached_ = std::move(cold);
        else
            compare(expected, work(*cached_, started, ends));
        updates_.clear();
        if (nothing_new && expected.commands.empty() && !expected.heartbeat) {
            writer_.drop_task();
            cached_->run().forget_task(last_completed_);
            return;
        }
        last_completed_ = started;
        heartbeat_ = expected.heartbeat;
        writer_.complete_task(expected.commands, cached_->run().take_flags(), expected.messages);
        events_at_completion_ = writer_.history().events_size();
        if (draw(4) == 0) cached_.reset();
    }

    static void compare(const Work& cold, const Work& warm) {
        if (cold.heartbeat != warm.heartbeat)
            throw std::logic_error("cold and warm do not wait for the same local activities");
        if (cold.commands.size() != warm.commands.size())
            throw std::logic_error("cold and warm differ in number");
        for (std::size_t i = 0; i < cold.commands.size(); ++i)
            if (testing::bytes_of(cold.commands[i]) != testing::bytes_of(warm.commands[i]))
                throw std::logic_error(
                    "cold and warm differ: " + cold.commands[i].ShortDebugString() + " / " +
                    warm.commands[i].ShortDebugString());
        if (cold.messages.size() != warm.messages.size())
            throw std::logic_error("cold and warm differ in the number of messages");
        for (std::size_t i = 0; i < cold.messages.size(); ++i)
            if (cold.messages[i].id != warm.messages[i].id)
                throw std::logic_error("cold and warm differ in their messages");
    }

    void let_something_happen() {
        bool anything = false;
        for (int tries = 0; !anything || draw(2) == 0; ++tries) {
            if (tries > 80) break;
            anything |= happen(draw(20));
        }
    }

    bool happen(std::uint64_t choice) {
        if (choice < 4 && !writer_.activities().empty()) {
            const std::int64_t scheduled = chosen_from(writer_.activities());
            if (choice == 0)
                writer_.fail_activity(scheduled);
            else if (writer_.cancelling().contains(scheduled))
                writer_.cancel_activity(scheduled);
            else
                writer_.complete_activity(scheduled, "3");
            return true;
        }
        if (choice < 8 && !writer_.timers().empty()) {
            writer_.fire(std::string(chosen_from(writer_.timers()).first));
            return true;
        }
        if (choice < 11) {
            writer_.signal("add", std::to_string(draw(3)));
            return true;
        }
        if (choice < 13) {
            updates_.push_back(writer_.request_update("u" + std::to_string(++last_update_), "bump",
                                                      {std::to_string(draw(3))}));
            return true;
        }
        if (choice < 16 && !writer_.children().empty()) {
            move_a_child();
            return true;
        }
        if (choice < 19 && !writer_.external().empty()) {
            const auto& [initiated, cancels] = chosen_from(writer_.external());
            writer_.answer_external(initiated, draw(3) != 0);
            return true;
        }
        if (draw(6) != 0) return false;
        writer_.request_cancel();
        return true;
    }

    void move_a_child() {
        const auto [initiated, started] = chosen_from(writer_.children());
        if (started == 0)
            writer_.start_child(initiated, draw(4) != 0);
        else
            writer_.end_child(initiated, draw(3));
    }

    template <class Container>
    const typename Container::value_type& chosen_from(const Container& container) {
        auto chosen = container.begin();
        std::advance(chosen, static_cast<long>(draw(container.size())));
        return *chosen;
    }

    std::mt19937_64 random_;
    HistoryWriter writer_;
    sdk::Registry registry_;
    Replayer replayer_;
    std::unique_ptr<Cached> cached_;
    std::int64_t last_completed_ = 0;
    bool heartbeat_ = false;
    int events_at_completion_ = 0;
    /// For the next task.
    std::vector<UpdateRequest> updates_;
    int last_update_ = 0;
};

TEST(SchedulesTest, NoScheduleMakesWarmAndColdRunsDiffer) {
    testing::for_each_seed(2000, [](std::uint64_t seed) { Life(seed).live(); });
}

}  // namespace
}  // namespace stele::core
