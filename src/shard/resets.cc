#include "shard/resets.h"

#include "base/probe.h"
#include "history/reset.h"
#include "shard/history_pages.h"

#include <utility>

namespace stele::shard::control {
namespace {

namespace enums = api::enums::v1;
using api::history::v1::History;
using api::history::v1::HistoryEvent;
using service::ResetWorkflowExecutionRequest;
using service::ResetWorkflowExecutionResponse;

absl::StatusOr<History> parse(const history::EventBatch& batch) {
    History history;
    if (!history.ParseFromString(batch.bytes)) {
        return make_error(absl::StatusCode::kDataLoss, "a batch of events can not be parsed");
    }
    return history;
}

/// One reset on its way: what it reads, then what it writes.
class Reset {
public:
    Reset(Shard& shard, const NamespacePtr& space, ResetWorkflowExecutionRequest request)
        : shard_(shard),
          request_(std::move(request)),
          workflow_{space->id, request_.workflow_execution().workflow_id(), {}},
          excluded_(history::reapply_exclusions(request_)),
          context_(shard.context_for(space)) {}

    /// Finds the base and the current run.
    absl::Status find_runs();
    /// The run that this request has made before, or null.
    absl::StatusOr<LoadedRun*> made_before() const;
    /// Makes the new run and commits it.
    absl::StatusOr<LoadedRun*> perform();

private:
    absl::Status end_current();
    void link_base();
    absl::Status read_kept();
    /// What is wanted of the events behind the reset point.
    struct Wanted {
        bool reapplied = true;
        /// Of the base only: the runs behind it have children of their own.
        bool of_children = false;
    };
    absl::Status read_later();
    absl::StatusOr<std::string> read_later_of(const LoadedRun& run, EventId from, Wanted wanted);
    absl::Status take_later(const history::EventBatch& batch, EventId from, Wanted wanted);
    history::RunIdentity identity(RunAddress address) const;

    Shard& shard_;
    ResetWorkflowExecutionRequest request_;
    RunRef workflow_;
    history::ReapplyExclusions excluded_;
    CommandContext context_;
    LoadedRun* base_ = nullptr;
    LoadedRun* current_ = nullptr;  // null: deleted
    history::ResetInput input_;
    std::optional<history::Applied<history::None>> ended_;   // the current run, if it was open
    std::optional<history::Applied<history::None>> linked_;  // the base, if that is another
};

absl::Status Reset::find_runs() {
    RunRef base = workflow_;
    base.run_id = request_.workflow_execution().run_id();
    STELE_ASSIGN_OR_RETURN(base_, shard_.find(base));
    input_.finish = EventId(request_.workflow_task_finish_event_id());
    if (input_.finish <= kFirstEvent || input_.finish > last_event(*base_)) {
        return invalid_argument(
            "Workflow task finish ID must be > 1 && <= workflow last event ID.");
    }
    STELE_ASSIGN_OR_RETURN(const auto current, shard_.current(workflow_));
    if (!current) return absl::OkStatus();
    RunRef newest = workflow_;
    newest.run_id = current->run_id();
    STELE_ASSIGN_OR_RETURN(current_, shard_.find(newest));
    return absl::OkStatus();
}

absl::StatusOr<LoadedRun*> Reset::made_before() const {
    const auto made = [this](const LoadedRun& run) {
        return run.run->info.reset_request_id() == request_.request_id();
    };
    if (STELE_BUG("reset.request-id-ignored")) return static_cast<LoadedRun*>(nullptr);
    if (current_ != nullptr && made(*current_)) {
        STELE_PROBE("reset.made-before");
        return current_;
    }
    STELE_PROBE_IF("reset.of-a-reset-base", !base_->run->header.reset_run_id().empty());
    // It may have continued as new since.
    RunRef last = workflow_;
    last.run_id = base_->run->header.reset_run_id();
    if (last.run_id.empty()) return static_cast<LoadedRun*>(nullptr);
    const absl::StatusOr<LoadedRun*> run = shard_.find(last);
    if (!run.ok() && run.status().code() != absl::StatusCode::kNotFound) return run.status();
    return run.ok() && made(**run) ? *run : nullptr;
}

history::RunIdentity Reset::identity(RunAddress address) const {
    const storage::InfoRow& info = base_->run->info;
    return {.namespace_id = info.namespace_id(),
            .namespace_name = info.namespace_(),
            .run_id = context_.context.new_id(),
            .run_key = address.key,
            .create_request_id = info.create_request_id(),
            .start_time = context_.context.now};
}

absl::StatusOr<LoadedRun*> Reset::perform() {
    const RunAddress address = shard_.allocate(workflow_);
    input_.identity = identity(address);
    input_.base_run_id = base_->run->info.run_id();
    input_.request_id = request_.request_id();
    input_.reason = request_.reason();
    input_.operations = std::move(*request_.mutable_post_reset_operations());
    STELE_RETURN_IF_ERROR(end_current());
    STELE_RETURN_IF_ERROR(read_kept());
    STELE_RETURN_IF_ERROR(read_later());
    for (const auto& [id, child] : base_->run->children.rows()) {
        if (history::is_started(child)) input_.running_children[id] = child.run_id();
    }
    link_base();
    STELE_ASSIGN_OR_RETURN(history::NewRun made,
                           history::reset_run(std::move(input_), context_.context));
    std::vector<Change> changes;
    if (linked_) changes.push_back({base_, &linked_->transition});
    if (ended_) changes.push_back({current_, &ended_->transition});
    LoadedRun& run = shard_.adopt(address, made);
    changes.push_back({&run, made.transition.get(), true});
    shard_.commit(std::move(changes));
    return &run;
}

absl::Status Reset::end_current() {
    if (current_ == nullptr || !current_->run->is_open()) return absl::OkStatus();
    STELE_PROBE("reset.of-an-open-run");
    if (STELE_BUG("reset.current-left-open")) return absl::OkStatus();
    const std::string reset_run_id = base_ == current_ ? input_.identity.run_id : "";
    STELE_ASSIGN_OR_RETURN(ended_, history::terminate_for_reset(*current_->run, request_.reason(),
                                                                reset_run_id, context_.context));
    return absl::OkStatus();
}

void Reset::link_base() {
    if (ended_ && base_ == current_) return;
    linked_ = history::link_reset_run(*base_->run, input_.identity.run_id, context_.context);
}

absl::Status Reset::read_kept() {
    return read_batches(shard_.around().store, *base_, kFirstEvent, input_.finish,
                        [this](history::EventBatch batch) -> absl::StatusOr<bool> {
                            input_.kept.push_back(std::move(batch));
                            return true;
                        });
}

/// Of the base, and of the runs that it continued as, whatever has not been deleted.
absl::Status Reset::read_later() {
    RunRef last = base_->run->ref();
    STELE_ASSIGN_OR_RETURN(std::string next,
                           read_later_of(*base_, input_.finish, {!excluded_.all(), true}));
    if (excluded_.all()) next.clear();
    while (!next.empty()) {
        RunRef ref = workflow_;
        ref.run_id = next;
        const absl::StatusOr<LoadedRun*> run = shard_.find(ref);
        if (!run.ok() && run.status().code() == absl::StatusCode::kNotFound) break;
        if (!run.ok()) return run.status();
        STELE_PROBE("reset.reapplies-from-successor");
        last = ref;
        STELE_ASSIGN_OR_RETURN(next, read_later_of(**run, kFirstEvent, {}));
    }
    // What the current run had buffered was written when it was ended just now.
    if (!ended_ || last != current_->run->ref()) return absl::OkStatus();
    for (const history::EventBatch& batch : ended_->transition.events) {
        STELE_RETURN_IF_ERROR(take_later(batch, kFirstEvent, {true, base_ == current_}));
    }
    return absl::OkStatus();
}

/// Returns the run id of the run that this one continued as, or "".
absl::StatusOr<std::string> Reset::read_later_of(const LoadedRun& run, EventId from,
                                                 Wanted wanted) {
    const auto take = [&](const history::EventBatch& batch) -> absl::StatusOr<bool> {
        STELE_RETURN_IF_ERROR(take_later(batch, from, wanted));
        return true;
    };
    STELE_RETURN_IF_ERROR(
        read_batches(shard_.around().store, run, from, last_event(run).next(), take));
    const storage::HeaderRow& header = run.run->header;
    if (header.status() != enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW) return std::string();
    return header.successor_run_id();
}

absl::Status Reset::take_later(const history::EventBatch& batch, EventId from, Wanted wanted) {
    STELE_ASSIGN_OR_RETURN(History history, parse(batch));
    for (HistoryEvent& event : *history.mutable_events()) {
        if (EventId(event.event_id()) < from) continue;
        if (wanted.reapplied && history::is_reapplied(event, excluded_)) {
            input_.later.push_back(std::move(event));
        } else if (wanted.of_children && history::tells_of_child(event)) {
            input_.later_of_children.push_back(std::move(event));
        }
    }
    return absl::OkStatus();
}

}  // namespace

void reset(Shard& shard, const NamespacePtr& space, ResetWorkflowExecutionRequest request,
           Reply<ResetWorkflowExecutionResponse> reply) {
    Reset reset(shard, space, std::move(request));
    if (absl::Status found = reset.find_runs(); !found.ok()) return reply(std::move(found));
    absl::StatusOr<LoadedRun*> made = reset.made_before();
    if (made.ok() && *made == nullptr) made = reset.perform();
    if (!made.ok()) {
        // It may follow from what is not durable yet.
        return shard.reply_at<ResetWorkflowExecutionResponse>(shard.last_submitted(),
                                                              std::move(reply), made.status());
    }
    ResetWorkflowExecutionResponse response;
    response.set_run_id((*made)->run->info.run_id());
    shard.reply_at<ResetWorkflowExecutionResponse>((*made)->last_synced, std::move(reply),
                                                   std::move(response));
}

}  // namespace stele::shard::control
