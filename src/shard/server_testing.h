#pragma once

#include "env/sim/sim_env.h"
#include "shard/engine.h"
#include "store/sim/sim_disk.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// An engine on a simulated disk for tests: it can be killed, lose its power and start again, and
// every call is played to its end in virtual time. In the place of matching stands a list of what
// was offered. Not thread safe.
namespace stele::shard::testing {

namespace service = temporal::api::workflowservice::v1;
namespace api = temporal::api;

class Offers final : public DispatchSink {
public:
    void offer(TaskOffer offer) override { tasks.push_back(std::move(offer)); }
    void offer_backlog(BacklogPart part) override {
        for (TaskOffer& task : part.tasks) tasks.push_back(std::move(task));
    }
    void offer_query(QueryOffer offer, absl::AnyInvocable<void(absl::Status)> unmatched) override {
        queries.push_back({std::move(offer), std::move(unmatched)});
    }
    bool has_recent_poller(const QueueId&) override { return true; }

    /// The oldest task of a queue, taken out; nullopt when there is none.
    std::optional<TaskOffer> take(const std::string& queue, QueueKind kind);

    struct Query {
        QueryOffer offer;
        absl::AnyInvocable<void(absl::Status)> unmatched;
    };
    std::vector<TaskOffer> tasks;
    std::vector<Query> queries;
};

/// Keeps what was sent, to be answered by the test.
class SentToWorkers final : public NexusSender {
public:
    template <typename Request>
    struct Sent {
        Request request;
        Reply<history::NexusAnswer> reply;
    };
    void send(NexusRequest request, Reply<history::NexusAnswer> reply) override {
        calls.push_back({std::move(request), std::move(reply)});
    }
    void send(CancelActivities request, Reply<history::NexusAnswer> reply) override {
        commands.push_back({std::move(request), std::move(reply)});
    }
    std::vector<Sent<NexusRequest>> calls;
    std::vector<Sent<CancelActivities>> commands;
    int answered = 0;
};

class OneNamespace final : public NamespaceSource {
public:
    explicit OneNamespace(const history::Limits& limits = {});
    NamespacePtr by_id(const std::string& id) override;
    NamespacePtr by_name(const std::string& name) override;
    const NamespacePtr& space() const { return space_; }

private:
    NamespacePtr space_;
};

/// A caller that can go away.
class Caller final : public CallScope {
public:
    explicit Caller(Timestamp deadline) : deadline_(deadline) {}
    Timestamp deadline() const override { return deadline_; }
    bool cancelled() const override { return cancelled_; }
    void on_cancel(absl::AnyInvocable<void()> closure) override { closure_ = std::move(closure); }
    void cancel() {
        cancelled_ = true;
        if (closure_) std::exchange(closure_, {})();
    }

private:
    Timestamp deadline_;
    bool cancelled_ = false;
    absl::AnyInvocable<void()> closure_;
};

/// The answer to a call, once it is there.
template <typename T>
class Answer {
public:
    Reply<T> reply() {
        return [value = value_](absl::StatusOr<T> result) {
            EXPECT_FALSE(value->has_value()) << "a call was answered twice";
            value->emplace(std::move(result));
        };
    }
    bool arrived() const { return value_->has_value(); }
    absl::StatusOr<T>& get() const { return **value_; }

private:
    std::shared_ptr<std::optional<absl::StatusOr<T>>> value_ =
        std::make_shared<std::optional<absl::StatusOr<T>>>();
};

class TestServer {
public:
    explicit TestServer(std::uint64_t seed = 1, EngineOptions options = {},
                        const history::Limits& limits = {});
    ~TestServer();

    env::SimEnv& sim() { return sim_; }
    store::SimDisk& disk() { return disk_; }
    Engine& engine() { return *engine_; }
    store::Committer& committer() { return *committer_; }
    Offers& offers() { return offers_; }
    SentToWorkers& nexus() { return nexus_; }
    const NamespacePtr& space() const { return namespaces_.space(); }
    Timestamp now() { return process_->now(); }
    EngineOptions& options() { return options_; }

    /// Kills the process and starts it again on the same disk.
    void restart();
    /// The same, and what was not synced is gone.
    void lose_power();
    /// Runs what is ready and what little waits for the disk.
    void settle() { sim_.run_for(std::chrono::milliseconds(400)); }

    /// Plays a call until its answer is there, or fails the test.
    template <typename T, typename Call>
    absl::StatusOr<T> play(Call call) {
        Answer<T> answer;
        call(answer.reply());
        const bool answered =
            sim_.run_until([&answer] { return answer.arrived(); }, std::chrono::seconds(120));
        EXPECT_TRUE(answered) << "a call was never answered";
        if (!answered) return internal_error("never answered");
        return std::move(answer.get());
    }

    // Calls that need an answer to something else first: sent, and not waited for.
    template <typename T, typename Call>
    Answer<T> send(Call call) {
        Answer<T> answer;
        call(answer.reply());
        return answer;
    }

    // Calls with what they need least.
    service::StartWorkflowExecutionRequest start_request(const std::string& workflow_id,
                                                         const std::string& request_id = "");
    absl::StatusOr<StartReply> start(const std::string& workflow_id);
    absl::StatusOr<StartReply> start(service::StartWorkflowExecutionRequest request);
    absl::StatusOr<history::None> signal(const std::string& workflow_id, const std::string& name,
                                         const std::string& request_id = "");
    absl::StatusOr<history::None> terminate(const std::string& workflow_id);
    absl::StatusOr<PolledWorkflowTask> poll(const std::string& queue = "queue");
    absl::StatusOr<PolledWorkflowTask> start_task(const TaskOffer& offer,
                                                  const std::string& poll_id = "");
    absl::StatusOr<PolledActivityTask> poll_activity(const std::string& queue = "queue",
                                                     const std::string& control_queue = "");
    absl::StatusOr<CompletedTaskReply> complete(
        const PolledWorkflowTask& task, const std::vector<api::command::v1::Command>& commands,
        const std::function<void(service::RespondWorkflowTaskCompletedRequest&)>& change = {});
    absl::StatusOr<history::None> complete_activity(const PolledActivityTask& task);
    absl::StatusOr<HistoryReply> history(const std::string& workflow_id,
                                         const std::string& run_id = "");
    /// The event types of the whole history, without their common prefix, joined by spaces.
    std::string events(const std::string& workflow_id, const std::string& run_id = "");
    /// What verify_store and the comparison with memory find, after everything has settled.
    std::vector<std::string> violations();

private:
    void boot();
    void shut_down();

    env::SimEnv sim_;
    store::SimDisk disk_;
    EngineOptions options_;
    OneNamespace namespaces_;
    Offers offers_;
    SentToWorkers nexus_;
    std::unique_ptr<env::SimProcess> process_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<store::Committer> committer_;
    std::unique_ptr<Engine> engine_;
    int polls_ = 0;
};

// Commands with the least that makes them valid.
api::command::v1::Command complete_workflow();
api::command::v1::Command continue_as_new();
api::command::v1::Command schedule_activity(const std::string& id);
api::command::v1::Command start_timer(const std::string& id, Duration after);
api::command::v1::Command start_child(
    const std::string& workflow_id,
    api::enums::v1::ParentClosePolicy policy = api::enums::v1::PARENT_CLOSE_POLICY_TERMINATE);
api::command::v1::Command signal_external(const std::string& workflow_id,
                                          const std::string& signal);

/// The events of a page.
api::history::v1::History parse(const HistoryPage& page);
std::string types(const api::history::v1::History& history);

/// How many signals a text of `TestServer::events` tells of.
int signals_in(const std::string& events);

}  // namespace stele::shard::testing
