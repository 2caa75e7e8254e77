#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sdk/worker/activity_attempt.h"
#include "sdk/worker/context.h"
#include "sdk/worker/heartbeats.h"
#include "sdk/worker/poller.h"
#include "sdk/worker/run_shard.h"

namespace stele::sdk {

/// One worker at work: pollers, the shards that run workflows, and the activities under way. All of
/// it lives on one executor except the shards, which have their own.
class WorkerCore final : public std::enable_shared_from_this<WorkerCore> {
public:
    explicit WorkerCore(std::shared_ptr<const WorkerContext> context);

    /// From any thread.
    void start();
    /// From any thread; `stopped` is called once, when nothing is under way any more.
    void stop(std::function<void()> stopped);
    /// Lets go of what keeps this object alive, without a word to the server. For a simulation whose
    /// process has died: when the runtime runs nothing any more, stop() could not end either.
    void abandon();

private:
    class FirstTasks;

    void start_workflow_pollers();
    void run_workflow_task(const RunShard::TaskPointer& task);
    void start_activity_poller();
    std::shared_ptr<Poller> make_workflow_poller(bool sticky);
    OptionalGauge poller_gauge(const char* type) const;
    PollReply on_workflow_reply(const RunShard::TaskPointer& task);
    PollReply on_activity_reply(std::shared_ptr<ActivityAttempt::Task> task);
    void on_activity_task(std::shared_ptr<ActivityAttempt::Task> task);
    void allow_eager_activities();
    RunShard& shard_of(const std::string& run_id);
    void task_finished();
    void fill_workflow_pollers();
    void activity_finished(std::uint64_t number);
    void describe(Heartbeats::Message& message) const;
    void send_shutdown();
    void cancel_polls();
    void cancel_activities();
    void flush_cancellations();
    bool polls_idle() const;
    void check_stopped();

    std::shared_ptr<const WorkerContext> context_;
    std::shared_ptr<Executor> executor_;
    std::vector<std::shared_ptr<RunShard>> shards_;
    std::vector<std::shared_ptr<Poller>> workflow_pollers_;
    std::shared_ptr<Poller> activity_poller_;
    std::shared_ptr<Heartbeats> heartbeats_;
    std::shared_ptr<Slots> workflow_slots_;
    std::shared_ptr<FirstTasks> first_tasks_;  // null without workflows
    std::shared_ptr<Slots> activity_slots_;
    /// By the order in which they began, so that they are cancelled in it.
    std::map<std::uint64_t, std::shared_ptr<ActivityAttempt>> activities_;
    std::uint64_t last_activity_ = 0;
    InstrumentsBy<ActivityInstruments> activity_instruments_;
    int workflow_tasks_ = 0;
    bool shutdown_sent_ = false;
    bool flush_sent_ = false;
    bool flushed_ = false;
    bool stopping_ = false;
    std::unique_ptr<Runtime::Timer> grace_;
    std::function<void()> stopped_;
};

}  // namespace stele::sdk
