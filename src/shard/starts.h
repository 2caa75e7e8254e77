#pragma once

#include "shard/shard.h"

// Starting runs: what happens when the workflow id is in use. The newest run of the id decides: a
// request id that it was started with gets the same answer again; an open run goes by the conflict
// policy, a closed one by the reuse policy. Terminating the old run and creating the new one is one
// batch.
namespace stele::shard {

/// Not thread safe: belongs to its shard's executor.
class Starts {
public:
    explicit Starts(Shard& shard) : shard_(shard) {}

    /// `created`, if given, sees a run that this call has created before anybody else can.
    void start(NamespacePtr space, service::StartWorkflowExecutionRequest request,
               Reply<StartReply> reply, absl::AnyInvocable<void(LoadedRun&)> created = {});
    void signal_with_start(NamespacePtr space,
                           service::SignalWithStartWorkflowExecutionRequest request,
                           Reply<StartReply> reply);
    /// The same as another run has asked for it. The id of the run that it may start is given, and what
    /// has been obeyed before is answered alike.
    void signal_with_start_once(NamespacePtr space,
                                service::SignalWithStartWorkflowExecutionRequest request,
                                std::string run_id, Reply<StartReply> reply);
    /// A start that another run has asked for. The run id is given, so that one that has been obeyed
    /// before is known for ever.
    void start_child(NamespacePtr space, history::ChildStart start, Reply<history::None> reply);

private:
    struct Call {
        NamespacePtr space;
        service::StartWorkflowExecutionRequest request;
        std::optional<history::SignalInput> signal;
        Reply<StartReply> reply;
        absl::AnyInvocable<void(LoadedRun&)> created = {};
        std::optional<history::ParentLink> parent = std::nullopt;
        std::string run_id = {};  // empty: any
    };

    void decide(Call call);
    void meet_open(Call call, const storage::CurrentRow& current);
    void meet_closed(Call call, const storage::CurrentRow& current);
    void answer_repeated(Call call, const storage::CurrentRow& current);
    void use_existing(Call call, const storage::CurrentRow& current, LoadedRun& run);
    void answer_existing(Call call, const storage::CurrentRow& current, LoadedRun& run,
                         bool attached);
    /// Creates the run; `terminated` is the open run that makes room for it, or null.
    void create(Call call, LoadedRun* terminated);
    void reply_started(Call call, LoadedRun& run);
    std::optional<PolledWorkflowTask> start_eagerly(const Call& call, LoadedRun& run);
    absl::StatusOr<LoadedRun*> load_current(const Call& call, const storage::CurrentRow& current);

    Shard& shard_;
};

}  // namespace stele::shard
