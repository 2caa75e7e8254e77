#pragma once

#include "history/update.h"
#include "shard/shard.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Calls that wait for an update. What becomes of it is decided by history and told by each commit;
// here is who waits for what, and the timers of the speculative tasks that carry updates and of which
// the store knows nothing. Who waits when the server goes down is told to try again.
namespace stele::shard {

/// Not thread safe: belongs to its shard's executor.
class Updates {
public:
    explicit Updates(Shard& shard) : shard_(shard) {}

    void update(const NamespacePtr& space, const service::UpdateWorkflowExecutionRequest& request,
                CallScopePtr scope, Reply<UpdateReply> reply);
    void poll(const NamespacePtr& space, const service::PollWorkflowExecutionUpdateRequest& request,
              CallScopePtr scope, Reply<UpdateReply> reply);
    /// The same as `update` for a run that has been found.
    void admit(const NamespacePtr& space, LoadedRun& run,
               const service::UpdateWorkflowExecutionRequest& request, CallScopePtr scope,
               Reply<UpdateReply> reply);

    /// A commit has changed a run: answers those whose update has come far enough, once that is
    /// durable, and minds the timeout of its speculative task.
    void changed(const LoadedRun& run, std::vector<history::UpdateChange>& changes);
    /// Answers every wait UNAVAILABLE.
    void drain();

private:
    using Stage = api::enums::v1::UpdateWorkflowExecutionLifecycleStage;
    using WaitId = std::uint64_t;
    using UpdateKey = std::pair<RunAddress, std::string>;  // run and update id
    struct Wait {
        UpdateKey update;
        RunRef ref;
        Stage stage{};
        CallScopePtr scope;
        Reply<UpdateReply> reply;
        env::TimerId timer = 0;
    };
    struct Deadline {
        Timestamp time = kNever;
        env::TimerId timer = 0;
    };

    void wait_for(LoadedRun& run, const std::string& update_id, Stage stage, CallScopePtr scope,
                  Reply<UpdateReply> reply);
    absl::StatusOr<UpdateReply> describe(LoadedRun& run, const std::string& update_id,
                                         const history::UpdateProgress& progress);
    void hold(Wait wait);
    void expire(WaitId id);
    void answer(const LoadedRun& run, history::UpdateChange& change);
    void finish(WaitId id, absl::StatusOr<UpdateReply> result, Position position);
    void mind_speculative_task(const LoadedRun& run);
    void time_out_speculative_task(RunAddress address);

    Shard& shard_;
    WaitId last_wait_ = 0;
    std::map<WaitId, Wait> waits_;
    std::map<UpdateKey, std::vector<WaitId>> by_update_;
    std::map<RunAddress, Deadline> deadlines_;  // of speculative tasks
};

/// Starts a workflow and sends it an update, or only the update where the workflow runs already and
/// may be used. The update is taken in before anybody can see the new run.
void update_with_start(Shard& shard, NamespacePtr space, UpdateWithStartRequest request,
                       CallScopePtr scope, Reply<UpdateWithStartReply> reply);

}  // namespace stele::shard
