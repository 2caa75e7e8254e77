#pragma once

#include "shard/shard.h"

// Tasks on their way to workers: matching has paired one with a poll, the start is recorded here, and
// the answer is put together. The start of a workflow task is lazy: its poller waits for the scheduling
// only, and a crash that loses the record has the task dispatched again. The start of an activity
// is durable before the worker gets it, since an attempt that ran must be counted.
namespace stele::shard {

/// Not thread safe: belongs to its shard's executor.
class Tasks {
public:
    explicit Tasks(Shard& shard) : shard_(shard) {}

    void start_workflow_task(const TaskOffer& offer, history::StartWorkflowTaskInput input,
                             Reply<PolledWorkflowTask> reply);
    void start_activity(const TaskOffer& offer, history::StartActivityInput input,
                        Reply<PolledActivityTask> reply);
    void give_up_sticky(const TaskOffer& offer);

    /// A started task whose poll has gone: as if it had never been started. Where the start has
    /// been seen by somebody it stays and times out.
    void take_back(const RunRef& run, const history::WorkflowTaskToken& token);
    void take_back(const RunRef& run, const history::ActivityToken& token);

    void complete(const NamespacePtr& space, const RunRef& run,
                  const history::WorkflowTaskToken& token,
                  service::RespondWorkflowTaskCompletedRequest request,
                  Reply<CompletedTaskReply> reply);

    /// What a poll answers for a task of this run that has been started.
    absl::StatusOr<PolledWorkflowTask> polled(LoadedRun& run, history::StartedWorkflowTask task,
                                              const history::Limits& limits);
    PolledActivityTask polled(const LoadedRun& run, history::StartedActivity activity);

private:
    enum class Paged { kComplete, kKept, kTooLarge };
    /// Keeps an intermediate page, or gives the last one the commands of all.
    absl::StatusOr<Paged> take_page(const LoadedRun& run, const history::WorkflowTaskToken& token,
                                    const history::Limits& limits,
                                    service::RespondWorkflowTaskCompletedRequest& request);
    absl::StatusOr<CompletedTaskReply> completed_reply(LoadedRun& run,
                                                       history::CompletedWorkflowTask& completed,
                                                       const history::Context& context);

    Shard& shard_;
};

}  // namespace stele::shard
