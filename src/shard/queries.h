#pragma once

#include "shard/shard.h"

#include <map>
#include <memory>

// Questions that wait for an answer. A run that is idle or closed is asked directly: a task that is
// nothing but the query, to the worker that has the run in its cache, else to any worker of its
// queue. Where a workflow task is pending the query rides on it, so that it sees what came before
// it. Nothing of this is stored: who waits when the server goes down is told to try again.
namespace stele::shard {

/// Not thread safe: belongs to its shard's executor.
class Queries {
public:
    explicit Queries(Shard& shard) : shard_(shard) {}

    void query(const NamespacePtr& space, service::QueryWorkflowRequest request, CallScopePtr scope,
               Reply<service::QueryWorkflowResponse> reply);
    /// A worker takes a direct query: loads the history that it needs.
    void start(const QueryOffer& offer, Reply<PolledWorkflowTask> reply);
    /// A worker answers a direct query.
    void respond(const RunRef& run, const std::string& query_id,
                 service::RespondQueryTaskCompletedRequest request, Reply<history::None> reply);

    /// The waiting queries of a run, for the workflow task that starts now.
    using Attached = std::vector<std::pair<std::string, api::query::v1::WorkflowQuery>>;
    Attached attach(RunAddress run);
    /// The answers that came with a workflow task whose completion has just been committed; given on
    /// when that is durable.
    using Results = google::protobuf::Map<std::string, api::query::v1::WorkflowQueryResult>;
    void answer(const LoadedRun& run, Results& results);
    /// A commit has changed a run: where no workflow task is left to ride on, what waits is asked
    /// directly.
    void changed(const LoadedRun& run);
    /// Answers every wait UNAVAILABLE.
    void drain();

private:
    enum class Stage { kBuffered, kSticky, kNormal };
    struct Query {
        RunAddress run;
        RunRef ref;
        NamespacePtr space;
        service::QueryWorkflowRequest request;
        CallScopePtr scope;
        Reply<service::QueryWorkflowResponse> reply;
        Timestamp deadline = kNever;
        Stage stage = Stage::kBuffered;
        bool taken = false;  // a worker has the direct query
        env::TimerId timer = 0;
    };
    using Id = std::string;

    /// NOT_FOUND when the run has been deleted since it was asked.
    absl::StatusOr<LoadedRun*> load(RunAddress address);
    void hold(const Id& id, Query query);
    void ask_directly(const Id& id);
    void offer(const Id& id, const QueueId& queue, bool sticky, Timestamp until);
    void unmatched(const Id& id, Stage stage, absl::Status status);
    void leave_sticky(const Id& id);
    void set_timer(const Id& id, Timestamp when);
    void expired(const Id& id);
    void finish(Id id, absl::StatusOr<service::QueryWorkflowResponse> result, Position position);
    std::size_t buffered(RunAddress run) const;

    Shard& shard_;
    std::map<Id, Query> queries_;
    std::map<RunAddress, std::vector<Id>> by_run_;  // in order of arrival
};

}  // namespace stele::shard
