#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "sdk/core/errors.h"
#include "sdk/core/history_testing.h"
#include "sdk/core/run.h"
#include "sdk/worker/registry.h"
#include "stele/stele.h"

// Random lives of one workflow: what happens and in which order is drawn from a seed, and so is
// whether the worker still has the run in its cache, has lost it, or fails an attempt. However a run
// is brought back, it must give the same commands, and its whole history must replay.
namespace stele::core {
namespace {

using namespace std::chrono_literals;
using testing::HistoryWriter;

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
        const auto choice = wf::random_between(0, 4);
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
        } else {
            std::vector<wf::task<int>> many;
            for (int i = 0; i < 3; ++i) many.push_back(guarded_step(10 * round + i));
            for (const int value : co_await wf::all(std::move(many))) log.push_back(value);
        }
        log.push_back(received);
    }
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
            if (!writer_.closed()) let_something_happen();
        }
        if (!writer_.closed()) throw std::logic_error("the workflow never ends");
        const Replayer::Result result = replayer_.replay(writer_.history(), "id");
        if (!result.ok) throw std::logic_error("the history does not replay: " + result.error);
    }

private:
    std::uint64_t draw(std::uint64_t bound) { return random_() % bound; }

    std::unique_ptr<Run> new_run() {
        return std::make_unique<Run>([this](const InitializeJob& job) {
            return registry_.make_code(job, {"default", "id", "run"});
        });
    }

    struct Work {
        std::vector<Command> commands;
        std::vector<UpdateMessage> messages;
    };

    Work work(Run& run, std::int64_t started) {
        run.history().reset(run.last_read_event_id());
        auto events = writer_.from(run.last_started_event_id() + 1);
        run.begin({last_completed_, started, updates_});
        // In pages of random size.
        for (std::size_t i = 0; i < events.size();) {
            const std::size_t count = 1 + draw(events.size());
            std::vector<HistoryEvent> page(
                events.begin() + static_cast<std::ptrdiff_t>(i),
                events.begin() + static_cast<std::ptrdiff_t>(std::min(i + count, events.size())));
            i += page.size();
            run.history().add(std::move(page));
            if (i < events.size()) (void)run.advance();
        }
        run.history().finish();
        if (run.advance() != Run::Progress::kCaughtUp) throw std::logic_error("not caught up");
        return {run.take_commands(), run.take_messages()};
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
        auto cold = new_run();
        const Work expected = work(*cold, started);
        if (!cached_ || draw(3) == 0)
            cached_ = std::move(cold);
        else
            compare(expected, work(*cached_, started));
        updates_.clear();
        if (nothing_new && expected.commands.empty()) {
            writer_.drop_task();
            cached_->forget_task(last_completed_);
            return;
        }
        last_completed_ = started;
        writer_.complete_task(expected.commands, cached_->take_flags(), expected.messages);
        events_at_completion_ = writer_.history().events_size();
        if (draw(4) == 0) cached_.reset();
    }

    static void compare(const Work& cold, const Work& warm) {
        if (cold.commands.size() != warm.commands.size())
            throw std::logic_error("cold and warm differ in number");
        for (std::size_t i = 0; i < cold.commands.size(); ++i)
            if (cold.commands[i].SerializeAsString() != warm.commands[i].SerializeAsString())
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
            if (tries > 50) break;
            anything |= happen(draw(14));
        }
    }

    bool happen(std::uint64_t choice) {
        if (choice < 4 && !writer_.activities().empty()) {
            auto activity = writer_.activities().begin();
            std::advance(activity, static_cast<long>(draw(writer_.activities().size())));
            const std::int64_t scheduled = *activity;
            if (choice == 0)
                writer_.fail_activity(scheduled);
            else if (writer_.cancelling().contains(scheduled))
                writer_.cancel_activity(scheduled);
            else
                writer_.complete_activity(scheduled, "3");
            return true;
        }
        if (choice < 8 && !writer_.timers().empty()) {
            auto timer = writer_.timers().begin();
            std::advance(timer, static_cast<long>(draw(writer_.timers().size())));
            writer_.fire(std::string(timer->first));
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
        if (draw(6) != 0) return false;
        writer_.request_cancel();
        return true;
    }

    std::mt19937_64 random_;
    HistoryWriter writer_;
    sdk::Registry registry_;
    Replayer replayer_;
    std::unique_ptr<Run> cached_;
    std::int64_t last_completed_ = 0;
    int events_at_completion_ = 0;
    /// For the next task.
    std::vector<UpdateRequest> updates_;
    int last_update_ = 0;
};

TEST(SchedulesTest, NoScheduleMakesWarmAndColdRunsDiffer) {
    const char* chosen = std::getenv("STELE_SDK_SCHEDULES");
    const std::uint64_t seeds = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 500;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        try {
            Life(seed).live();
        } catch (const std::exception& error) {
            FAIL() << "seed " << seed << ": " << error.what();
        }
    }
}

}  // namespace
}  // namespace stele::core
