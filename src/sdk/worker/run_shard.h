#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "sdk/core/errors.h"
#include "sdk/core/queue.h"
#include "sdk/core/run.h"
#include "sdk/data/codec.h"
#include "sdk/worker/context.h"
#include "sdk/worker/eager_activities.h"
#include "sdk/worker/local_activity_attempts.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sdk {

/// A share of a worker's runs: the sticky cache, and the way of a workflow task through it.
///
/// All runs of a shard live on its executor: a task is replayed, run and answered there, and only
/// calls to the server happen elsewhere. A run has one task at a time; more wait behind it.
class RunShard : public std::enable_shared_from_this<RunShard> {
public:
    using Task = temporal::api::workflowservice::v1::PollWorkflowTaskQueueResponse;
    using TaskPointer = std::shared_ptr<Task>;

    /// The limits of this shard's part of the cache; a limit of no bytes means that only runs count.
    struct CacheLimits {
        int runs_max = 0;
        std::int64_t bytes_max = 0;
    };

    RunShard(std::shared_ptr<const WorkerContext> context, const CacheLimits& cache)
        : context_(std::move(context)),
          executor_(context_->client->runtime()->make_executor()),
          cache_(cache),
          instruments_(context_->metrics->meter(), "workflow_type"),
          local_instruments_(context_->metrics->meter(), "activity_type") {}

    /// From any thread. `finished` is called on the shard's executor when the task, and what came
    /// inline with its answer, has been dealt with.
    void post(TaskPointer task, std::function<void()> finished);
    /// From any thread.
    void set_eager_activities(std::shared_ptr<const EagerActivities> eager);
    /// Forgets all runs; from any thread, when no task is under way.
    void clear();
    /// The same at once, when the runtime runs nothing any more: see WorkerCore::abandon().
    void abandon();
    /// Gives up the tasks that wait for local activities, and all that come to wait. From any thread.
    void stop_local_activities();

private:
    struct Pending {
        TaskPointer task;
        std::function<void()> finished;
    };
    struct Entry {
        std::unique_ptr<core::Run> run;
        bool busy = false;
        /// What the run is taken to weigh, by what has been read of its history.
        std::int64_t bytes = 0;
        /// When the task at hand came, and whether the past has to be repeated for it.
        Runtime::Time begun{};
        bool repeats_past = false;
        /// The command that ends the run, in the completion under way.
        core::Command::AttributesCase end{};
        core::Queue<Pending> waiting;
        std::list<std::string>::iterator position;
        /// The task at hand, and how its history is read on.
        Pending current;
        std::vector<core::UpdateRequest> updates;
        /// At work, the outcomes that the run has not heard of, and whether the task's completion is
        /// held back for more.
        std::map<core::Sequence, std::shared_ptr<LocalActivityAttempts>> local_activities;
        core::Queue<std::pair<core::Sequence, core::LocalActivityOutcome>> outcomes;
        bool holding = false;
        std::unique_ptr<Runtime::Timer> heartbeat_timer;
        /// Attempts of local activities beyond their first ones, for the next completion.
        int later_attempts = 0;
        /// Slots that the completion under way has taken for activities.
        int eager_slots = 0;
        std::string next_page_token;
        /// Of what has been read of the history.
        ScheduledActivities activities;
    };

    void accept(Pending pending);
    void begin(Entry& entry, Pending pending);
    void prepare(Entry& entry);
    void new_run(Entry& entry);
    void refetch(Entry& entry);
    void fetch_page(Entry& entry);
    void on_page(const std::string& run_id, const Transport::Status& status,
                 temporal::api::workflowservice::v1::GetWorkflowExecutionHistoryResponse& page);
    void advance(Entry& entry);
    void guarded(Entry& entry, const std::function<void()>& step);

    void answer(Entry& entry);
    void answer_legacy_query(Entry& entry);
    void answer_queries(Entry& entry,
                        temporal::api::workflowservice::v1::RespondWorkflowTaskCompletedRequest&);
    void work_on_local_activities(Entry& entry);
    void begin_local_work(Entry& entry);
    void on_local_outcome(const std::string& run_id, core::Sequence sequence,
                          core::LocalActivityOutcome outcome);
    void hold(Entry& entry);
    void send_heartbeat(const std::string& run_id);
    void abandon_local_activities(Entry& entry);
    /// With `heartbeat` the task goes on in another one, which follows at once.
    void complete(Entry& entry, bool heartbeat);
    void on_completed(const std::string& run_id, const Transport::Status& status,
                      temporal::api::workflowservice::v1::RespondWorkflowTaskCompletedResponse&);
    void fail(Entry& entry, core::WorkflowTaskFailure::Cause cause, const std::string& message);
    void finish(const std::string& run_id, bool keep);
    void evict_surplus();
    bool has_surplus() const;
    void weigh(Entry& entry, std::int64_t bytes);
    std::unordered_map<std::string, Entry>::iterator forget(
        std::unordered_map<std::string, Entry>::iterator found);
    void measure_begin(Entry& entry);
    void measure_end(const Entry& entry);
    const WorkflowInstruments& instruments_of(const Entry& entry);
    void use(Entry& entry);
    SerializationContext data_context(const Entry& entry) const;

    std::shared_ptr<const WorkerContext> context_;
    std::shared_ptr<Executor> executor_;
    const CacheLimits cache_;
    InstrumentsBy<WorkflowInstruments> instruments_;
    InstrumentsBy<LocalActivityInstruments> local_instruments_;
    std::shared_ptr<const EagerActivities> eager_;
    bool stopping_ = false;
    std::unordered_map<std::string, Entry> runs_;
    /// What all of them weigh.
    std::int64_t bytes_ = 0;
    /// Least recently used first.
    std::list<std::string> recency_;
};

}  // namespace stele::sdk
