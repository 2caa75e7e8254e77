#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sdk/core/run.h"

namespace stele::core::testing {

/// Calls the function with the seeds from 1 on, on all processors. How many there are is said by
/// STELE_SDK_SCHEDULES; STELE_SDK_SEED names a single one, which repeats a failure.
template <class Function>
void for_each_seed(std::uint64_t usual, Function function) {
    auto number = [](const char* name, std::uint64_t otherwise) {
        const char* chosen = std::getenv(name);
        return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : otherwise;
    };
    const std::uint64_t only = number("STELE_SDK_SEED", 0);
    const std::uint64_t last = only > 0 ? only : number("STELE_SDK_SCHEDULES", usual);
    std::atomic<std::uint64_t> next = only > 0 ? only : 1;
    std::atomic<bool> failed = false;
    auto work = [&] {
        for (std::uint64_t seed = next++; seed <= last && !failed; seed = next++) {
            try {
                function(seed);
            } catch (const std::exception& error) {
                failed = true;
                ADD_FAILURE()
                    << "seed " << seed << ": " << error.what()
                    << "\nrepeat it with STELE_SDK_SEED=" << seed
                    << " stele_sdk_test --gtest_filter="
                    << ::testing::UnitTest::GetInstance()->current_test_info()->test_suite_name()
                    << "*";
            }
        }
    };
    std::vector<std::thread> others(std::max(std::thread::hardware_concurrency(), 1u) - 1);
    for (std::thread& thread : others) thread = std::thread(work);
    work();
    for (std::thread& thread : others) thread.join();
}

/// The same for equal messages, whatever the order in which their maps are kept.
inline std::string bytes_of(const google::protobuf::Message& message) {
    std::string bytes;
    {
        google::protobuf::io::StringOutputStream stream(&bytes);
        google::protobuf::io::CodedOutputStream coded(&stream);
        coded.SetSerializationDeterministic(true);
        message.SerializeToCodedStream(&coded);
    }
    return bytes;
}

/// What a run says about one workflow task.
struct Work {
    std::vector<Command> commands;
    std::vector<UpdateMessage> messages;
    /// Local activities are still at work: the task is completed to be followed by another at once.
    bool heartbeat = false;
};

/// A run in a worker's cache, or on its way into it, and the worker's side of its local activities.
class Cached {
public:
    explicit Cached(Run::CodeFactory factory) : run_(std::move(factory)) {}

    Run& run() { return run_; }

    /// Feeds the events that the run has not seen, in pages of random size, up to the task.
    template <class Random>
    void read(const temporal::api::history::v1::History& history, Run::Task task, Random& random) {
        run_.history().reset(run_.last_read_event_id());
        auto first = std::find_if(history.events().begin(), history.events().end(),
                                  [&](const HistoryEvent& event) {
                                      return event.event_id() > run_.last_started_event_id();
                                  });
        const auto last = std::find_if(
            first, history.events().end(),
            [&](const HistoryEvent& event) { return event.event_id() > task.target_event_id; });
        run_.begin(std::move(task));
        while (first != last) {
            const auto left = static_cast<std::uint64_t>(last - first);
            const auto end = first + static_cast<std::ptrdiff_t>(1 + random() % left);
            run_.history().add(std::vector<HistoryEvent>(first, end));
            first = end;
            if (first != last) (void)run_.advance();
        }
        run_.history().finish();
        if (run_.advance() != Run::Progress::kCaughtUp) throw std::logic_error("not caught up");
    }

    /// Lets local activities come to their ends, those that may, in the order in which they were asked
    /// for or in the opposite one; then takes what is to be sent. `outcome_of` gets the activity and
    /// whether it was told to stop.
    ///
    /// Which of them may is said by their numbers and not by how many: a warm run has some at work that
    /// the code has given up, whose ends nobody hears of, and a cold one never begins with those.
    template <class MayEnd, class OutcomeOf>
    Work finish(bool latest_first, MayEnd may_end, OutcomeOf outcome_of) {
        take_local_work();
        while (run_.waits_for_local_activities()) {
            const std::optional<Sequence> sequence = next_to_end(latest_first, may_end);
            if (!sequence) break;
            const Local local = std::move(at_work_.extract(*sequence).mapped());
            run_.resolve_local_activity(*sequence, outcome_of(local.activity, local.cancelled));
            take_local_work();
        }
        return {run_.take_commands(), run_.take_messages(), run_.waits_for_local_activities()};
    }

private:
    struct Local {
        LocalActivity activity;
        bool cancelled = false;
    };

    template <class MayEnd>
    std::optional<Sequence> next_to_end(bool latest_first, MayEnd may_end) const {
        std::optional<Sequence> chosen;
        for (const auto& [sequence, local] : at_work_)
            if (may_end(sequence) && (latest_first || !chosen)) chosen = sequence;
        return chosen;
    }

    void take_local_work() {
        Run::LocalWork work = run_.take_local_work();
        for (LocalActivity& activity : work.start) {
            const Sequence sequence = activity.sequence;
            at_work_[sequence] = {std::move(activity)};
        }
        for (const Sequence sequence : work.cancel)
            if (at_work_.contains(sequence)) at_work_[sequence].cancelled = true;
    }

    Run run_;
    std::map<Sequence, Local> at_work_;
};

}  // namespace stele::core::testing
