#pragma once

#include "history/children.h"
#include "shard/commit.h"
#include "shard/current_cache.h"
#include "shard/engine.h"
#include "shard/run_cache.h"
#include "store/keys.h"

#include <memory>
#include <utility>
#include <variant>
#include <vector>

// One shard: a range of slots, the runs in them, and the one executor that touches them. It applies
// a transition in memory, hands its rows to the committer and goes on; a reply waits for the position
// of what it reveals. This file is what all parts of a shard share; each part is a file of its own.
namespace stele::shard {

class Alarms;
class Backlog;
class CompletionPages;
class HistoryReads;
class IndexFeed;
class Outbox;
class PageBudget;
class Queries;
class Starts;
class Tasks;
class Updates;

/// The parent has recorded the start of its child.
struct ReleaseChild {};
/// The parent has closed.
struct EndChild {
    api::enums::v1::ParentClosePolicy policy{};
};

/// What one run has to tell another.
struct Delivery {
    NamespacePtr space;  // of the target
    RunRef target;
    RunRef source;
    bool child_workflow_only = false;  // refuse unless the source is the target's parent
    std::variant<history::SignalInput, history::CancelInput, history::ChildStart, ReleaseChild,
                 EndChild, history::ChildReport>
        what;
};

/// What a shard asks of the others. Thread safe.
class Router {
public:
    virtual ~Router() = default;
    /// Replies, on some executor, once the effect is durable.
    virtual void deliver(Delivery delivery, Reply<history::None> reply) = 0;
    /// A signal with start that another run has asked for. `new_run_id` names the run that it starts, if it
    /// does, so that a request which was obeyed before is known for ever.
    virtual void deliver_signal_with_start(NamespacePtr space,
                                           service::SignalWithStartWorkflowExecutionRequest request,
                                           std::string new_run_id, Reply<StartReply> reply) = 0;
};

/// What every shard stands on; all of it outlives the shards.
struct Surroundings {
    env::Env& env;
    store::Store& store;
    store::Committer& committer;
    NamespaceSource& namespaces;
    EngineOptions options;
    Router* router = nullptr;
    PageBudget* page_budget = nullptr;
    DispatchSink* sink = nullptr;  // set by connect
    NexusSender* nexus = nullptr;  // set by connect_nexus; may be null
};

/// A namespace and what the pure core is told about the world, for one command.
struct CommandContext {
    NamespacePtr space;
    history::Context context;
};

/// A run and the transition that is to be written for it.
struct Change {
    LoadedRun* run = nullptr;
    history::Transition* transition = nullptr;
    bool is_new = false;
    bool offer = true;  // false: its tasks are started in place and not offered
    /// The outbox row whose outcome this is; erased in the same batch.
    std::optional<store::OutboxKey> outbox_done = std::nullopt;
    /// Events from this one on are withdrawn (a start that is taken back); kNoEvent: none.
    EventId truncate_from = kNoEvent;
};

/// Not thread safe: everything but the constructor, `executor` and the destructor belongs on the
/// executor.
class Shard {
public:
    Shard(Surroundings& surroundings, ShardId id, store::SlotRange slots);
    ~Shard();

    env::Executor& executor() { return *executor_; }
    Surroundings& around() { return around_; }
    store::SlotRange slots() const { return slots_; }
    Timestamp now() { return around_.env.now(); }

    // ---- Parts ---------------------------------------------------------------------------------
    Starts& starts() { return *starts_; }
    Tasks& tasks() { return *tasks_; }
    Queries& queries() { return *queries_; }
    Updates& updates() { return *updates_; }
    HistoryReads& reads() { return *reads_; }
    Backlog& backlog() { return *backlog_; }
    Alarms& alarms() { return *alarms_; }
    Outbox& outbox() { return *outbox_; }
    IndexFeed& index_feed() { return *index_feed_; }
    CompletionPages& completion_pages() { return *completion_pages_; }

    // ---- Runs ----------------------------------------------------------------------------------
    /// The run, or the current one when the run id is empty. NOT_FOUND as clients expect it. The
    /// pointer is valid until the closure under way ends.
    absl::StatusOr<LoadedRun*> find(const RunRef& run);
    /// The run under an address, or null.
    absl::StatusOr<LoadedRun*> load(RunAddress address);
    /// The newest run of a workflow id, or nullopt.
    absl::StatusOr<std::optional<storage::CurrentRow>> current(const RunRef& workflow);
    /// The address of a run that is about to be created.
    RunAddress allocate(const RunRef& workflow);
    /// Keeps a new run in memory. The transition that creates it must be committed next.
    LoadedRun& adopt(RunAddress address, history::NewRun& created);
    /// The run is its workflow id's newest.
    bool is_current(const LoadedRun& run);
    /// A batch that was just submitted erases the run: from now on nobody finds it.
    void forget(LoadedRun& run);

    CommandContext context_for(NamespacePtr space);
    /// For work that no call started: the namespace of the run.
    CommandContext context_of(const LoadedRun& run);

    // ---- Writing -------------------------------------------------------------------------------
    /// Writes transitions in one batch, applies them, and tells the other parts what is new. A
    /// successor is created in the same batch. Does nothing for empty transitions; those that stay
    /// in memory are only applied.
    void commit(std::vector<Change> changes);
    void commit(LoadedRun& run, history::Transition& transition);
    /// An alarm that found nothing to do: moves the alarm row to the next deadline.
    void reset_alarm(LoadedRun& run, Timestamp earliest);
    /// Writes rows that belong to no transition. `run` may be null.
    Position submit(store::WriteBatch batch, store::Urgency urgency, LoadedRun* run);

    /// The last position that this shard submitted.
    Position last_submitted() const { return last_submitted_; }

    // ---- Replying ------------------------------------------------------------------------------
    /// Runs the closure on the executor once `position` is durable; at once if it is.
    void when_durable(Position position, env::Closure closure);
    /// Runs the closure once everything that this shard submitted can be read.
    void when_readable(env::Closure closure);

    template <typename T>
    void reply_at(Position position, Reply<T> reply, absl::StatusOr<T> result) {
        when_durable(position, [reply = std::move(reply), result = std::move(result)]() mutable {
            reply(std::move(result));
        });
    }
    /// Commits what a command has decided and replies when that is durable. A refusal waits too,
    /// since it may follow from a transition that is not durable yet.
    template <typename T>
    void conclude(LoadedRun& run, absl::StatusOr<history::Applied<T>> applied, Reply<T> reply) {
        if (!applied.ok()) {
            reply_at<T>(run.last_synced, std::move(reply), std::move(applied).status());
            return;
        }
        commit(run, applied->transition);
        if (!applied->transition.overruled.ok()) {
            reply_at<T>(run.last_synced, std::move(reply), applied->transition.overruled);
            return;
        }
        reply_at<T>(run.last_synced, std::move(reply), std::move(applied->reply));
    }

    // ---- Life cycle ----------------------------------------------------------------------------
    /// Reads what is to be done from the store and starts none of it: the only method that runs
    /// elsewhere, before anything else does.
    absl::Status recover();
    /// Starts what was read.
    void begin();
    /// Answers every wait and takes no more work.
    void drain();
    bool draining() const { return draining_; }

    /// Adds how runs in memory differ from their rows; see Engine.
    void compare_with_store(std::vector<std::string>& found);

private:
    void write(store::WriteBatch& batch, Change& change);
    void settle(Change& change, Position position);
    void announce(Change& change, Position position);
    void apply_in_memory(Change& change);
    void remember_current(const LoadedRun& run, Position position);
    static bool changes_status(const Change& change);
    Timestamp alarm_after(const Change& change);
    /// The row of the newest run, or null. Valid until another one is asked for.
    absl::StatusOr<const storage::CurrentRow*> find_current(const RunRef& workflow);
    Slot slot_of(const RunRef& run) const;
    void schedule_eviction();

    Surroundings& around_;
    store::SlotRange slots_;
    RunCache cache_;
    CurrentCache currents_;
    /// Of all runs that were there when this process began, and those of this shard since. A task on offer names its
    /// run by the key, so no other run gets it while the offers of this process live, not even when the run is deleted.
    RunKey last_run_key_;
    Position last_submitted_;
    bool eviction_scheduled_ = false;
    bool draining_ = false;

    std::unique_ptr<Starts> starts_;
    std::unique_ptr<Tasks> tasks_;
    std::unique_ptr<Queries> queries_;
    std::unique_ptr<Updates> updates_;
    std::unique_ptr<HistoryReads> reads_;
    std::unique_ptr<Backlog> backlog_;
    std::unique_ptr<Alarms> alarms_;
    std::unique_ptr<Outbox> outbox_;
    std::unique_ptr<IndexFeed> index_feed_;
    std::unique_ptr<CompletionPages> completion_pages_;

    // Last, so that it stops before anything that its closures touch goes away.
    std::unique_ptr<env::Executor> executor_;
};

}  // namespace stele::shard
