#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"
#include "shard/verify.h"

#include <functional>
#include <set>
#include <utility>

namespace stele::shard::testing {
namespace {

using ::testing::IsEmpty;

TEST(Durability, NothingIsAnsweredBeforeItIsDurable) {
    TestServer server;
    const Answer<StartReply> answer = server.send<StartReply>([&](Reply<StartReply> reply) {
        server.engine().start_workflow(server.space(), server.start_request("w"), std::move(reply));
    });
    while (server.committer().durable() == Position()) {
        ASSERT_FALSE(answer.arrived());
        ASSERT_TRUE(server.sim().run_one());
    }
    server.settle();
    EXPECT_TRUE(answer.arrived());
}

TEST(Durability, NewWorkIsRefusedWhileTooMuchWaitsToBeWritten) {
    EngineOptions options;
    options.pending_commit_bytes = 100;
    TestServer server(1, options);
    const auto begin = [&server](const std::string& id) {
        return server.send<StartReply>([&](Reply<StartReply> reply) {
            server.engine().start_workflow(server.space(), server.start_request(id),
                                           std::move(reply));
        });
    };
    const Answer<StartReply> first = begin("first");
    while (server.committer().pending_bytes() == 0) ASSERT_TRUE(server.sim().run_one());
    const Answer<StartReply> refused = begin("second");
    ASSERT_TRUE(refused.arrived());
    EXPECT_EQ(refused.get().status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(detail_of(refused.get().status()).has_value());
    server.settle();
    EXPECT_TRUE(first.arrived() && first.get().ok());
    EXPECT_TRUE(server.start("second").ok());
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Durability, WhatWasAnsweredSurvivesALossOfPower) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        TestServer server(seed);
        ASSERT_TRUE(server.start("w").ok());
        server.lose_power();
        ASSERT_TRUE(server.signal("w", "one", "request").ok()) << seed;
        server.lose_power();
        ASSERT_TRUE(server.signal("w", "one", "request").ok());
        EXPECT_EQ(server.events("w"),
                  "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_EXECUTION_SIGNALED");
        EXPECT_THAT(server.violations(), IsEmpty());
        EXPECT_EQ(server.offers().tasks.size(), 1U);
    }
}

TEST(Durability, ALostStartIsDispatchedAgainAndItsTokenRefused) {
    int lost = 0;
    int kept = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        TestServer server(seed);
        ASSERT_TRUE(server.start("w").ok());
        const auto task = server.poll();
        ASSERT_TRUE(task.ok());
        if (seed % 2 == 0) server.settle();  // then it has been written, but not synced
        server.lose_power();
        EXPECT_THAT(server.violations(), IsEmpty());
        const bool offered = !server.offers().tasks.empty();
        const auto completed = server.complete(*task, {complete_workflow()});
        if (offered) {
            ++lost;
            EXPECT_EQ(completed.status().code(), absl::StatusCode::kNotFound);
            const auto again = server.poll();
            ASSERT_TRUE(again.ok());
            EXPECT_EQ(server.complete(*task, {complete_workflow()}).status().code(),
                      absl::StatusCode::kNotFound);
            EXPECT_TRUE(server.complete(*again, {complete_workflow()}).ok());
        } else {
            ++kept;
            EXPECT_TRUE(completed.ok());
        }
        EXPECT_THAT(server.violations(), IsEmpty());
    }
    EXPECT_GT(lost, 0);
    EXPECT_GT(kept, 0);
}

TEST(Durability, ALazyWriteForcedByAReaderStays) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        TestServer server(seed);
        ASSERT_TRUE(server.start("w").ok());
        ASSERT_TRUE(server.poll().ok());
        const std::string seen = server.events("w");
        EXPECT_THAT(seen, ::testing::EndsWith("WORKFLOW_TASK_STARTED"));
        server.lose_power();
        EXPECT_EQ(server.events("w"), seen);
    }
}

/// A worker and a client that repeat what was not answered. The workflow runs an activity beside a
/// timer, waits for one signal, and ends.
class Actors {
public:
    explicit Actors(TestServer& server) : server_(server) {}

    /// One round: sends what can be sent, and looks at what was answered.
    void act() {
        start_and_signal();
        poll();
        std::vector<Pending> waiting = std::exchange(calls_, {});
        for (Pending& call : waiting) {
            if (!call()) calls_.push_back(std::move(call));
        }
    }
    /// The server is gone, and with it whatever was under way.
    void forget() {
        calls_.clear();
        started_asked_ = signal_asked_ = false;
    }
    bool done() const { return done_; }

private:
    /// Looks whether its answer is there, and says whether it was.
    using Pending = std::function<bool()>;

    void start_and_signal() {
        if (!started_ && !started_asked_) {
            started_asked_ = true;
            auto answer = server_.send<StartReply>([&](Reply<StartReply> reply) {
                server_.engine().start_workflow(server_.space(), server_.start_request("w"),
                                                std::move(reply));
            });
            await(answer, [this](const absl::StatusOr<StartReply>& reply) {
                EXPECT_TRUE(reply.ok());
                started_ = true;
            });
        }
        if (started_ && !signalled_ && !signal_asked_) {
            signal_asked_ = true;
            service::SignalWorkflowExecutionRequest request;
            request.mutable_workflow_execution()->set_workflow_id("w");
            request.set_signal_name("go");
            request.set_request_id("signal-request");
            auto answer = server_.send<history::None>([&](Reply<history::None> reply) {
                server_.engine().signal(server_.space(), request, std::move(reply));
            });
            await(answer, [this](const absl::StatusOr<history::None>& reply) {
                EXPECT_TRUE(reply.ok()) << message_of(reply.status());
                signalled_ = true;
            });
        }
    }

    void poll() {
        while (const auto offer = server_.offers().take("queue", QueueKind::kWorkflow)) {
            history::StartWorkflowTaskInput input{offer->scheduled, offer->stamp,      next_id(),
                                                  "worker",         offer->queue.name, {}};
            auto answer = server_.send<PolledWorkflowTask>([&](Reply<PolledWorkflowTask> reply) {
                server_.engine().start_workflow_task(*offer, input, std::move(reply));
            });
            await(answer, [this](absl::StatusOr<PolledWorkflowTask>& task) {
                if (task.ok()) respond(*task);
            });
        }
        while (const auto offer = server_.offers().take("queue", QueueKind::kActivity)) {
            history::StartActivityInput input{offer->scheduled, offer->stamp, next_id(), "worker"};
            auto answer = server_.send<PolledActivityTask>([&](Reply<PolledActivityTask> reply) {
                server_.engine().start_activity(*offer, input, std::move(reply));
            });
            await(answer, [this](absl::StatusOr<PolledActivityTask>& task) {
                if (!task.ok()) return;
                server_.send<history::None>([&](Reply<history::None> reply) {
                    server_.engine().complete_activity(server_.space(), task->run,
                                                       task->activity.token, {}, "worker",
                                                       std::move(reply));
                });
            });
        }
    }

    void respond(const PolledWorkflowTask& task) {
        std::set<api::enums::v1::EventType> seen;
        const auto history = parse(task.history);
        for (const auto& event : history.events()) seen.insert(event.event_type());
        service::RespondWorkflowTaskCompletedRequest request;
        if (!seen.contains(api::enums::v1::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)) {
            *request.add_commands() = schedule_activity("a");
            *request.add_commands() = start_timer("t", std::chrono::seconds(3));
        }
        const bool ends = seen.contains(api::enums::v1::EVENT_TYPE_ACTIVITY_TASK_COMPLETED) &&
                          seen.contains(api::enums::v1::EVENT_TYPE_TIMER_FIRED) &&
                          seen.contains(api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
        if (ends) *request.add_commands() = complete_workflow();
        auto answer = server_.send<CompletedTaskReply>([&](Reply<CompletedTaskReply> reply) {
            server_.engine().complete_workflow_task(server_.space(), task.run, task.task.token,
                                                    std::move(request), std::move(reply));
        });
        await(answer, [this, ends](const absl::StatusOr<CompletedTaskReply>& reply) {
            if (reply.ok() && ends) done_ = true;
        });
    }

    template <typename T, typename Then>
    void await(Answer<T> answer, Then then) {
        calls_.push_back([answer, then]() mutable {
            if (answer.arrived()) then(answer.get());
            return answer.arrived();
        });
    }
    std::string next_id() { return "poll-" + std::to_string(++ids_); }

    TestServer& server_;
    std::vector<Pending> calls_;
    int ids_ = 0;
    bool started_ = false, started_asked_ = false, signalled_ = false, signal_asked_ = false;
    bool done_ = false;
};

bool play_on(TestServer& server, Actors& actors, std::uint64_t steps) {
    // Whose last answer the crash has swallowed finds nothing left to do; the run shall not be
    // waited for until its retention is over.
    const Timestamp end = server.now() + std::chrono::hours(1);
    for (std::uint64_t i = 0; i < steps && !actors.done() && server.now() < end; ++i) {
        actors.act();
        server.sim().run_one();
    }
    return actors.done();
}

int count_of(const std::string& text, const std::string& word) {
    int count = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        ++count;
    }
    return count;
}

TEST(Durability, ACrashAtAnyStepLosesNothingAndRepeatsNothing) {
    constexpr std::uint64_t kEnough = 200'000;
    bool finished_without_crash = false;
    for (std::uint64_t step = 1; !finished_without_crash; step += 1 + step / 25) {
        TestServer server(step);
        Actors actors(server);
        finished_without_crash = play_on(server, actors, step);
        if (!finished_without_crash) {
            actors.forget();
            if (step % 2 == 0) {
                server.lose_power();
            } else {
                server.restart();
            }
            const auto found = verify_store(server.disk().content());
            ASSERT_THAT(found, IsEmpty()) << "after a crash at step " << step;
            play_on(server, actors, kEnough);
        }
        const std::string events = server.events("w");
        for (const char* once :
             {"EXECUTION_STARTED", "EXECUTION_SIGNALED", "TIMER_FIRED", "ACTIVITY_TASK_SCHEDULED",
              "ACTIVITY_TASK_COMPLETED", "WORKFLOW_EXECUTION_COMPLETED"}) {
            EXPECT_EQ(count_of(events, once), 1) << once << " in " << events;
        }
        ASSERT_THAT(server.violations(), IsEmpty()) << "after a crash at step " << step;
    }
}

}  // namespace
}  // namespace stele::shard::testing
