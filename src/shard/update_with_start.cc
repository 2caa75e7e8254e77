#include "shard/starts.h"
#include "shard/updates.h"

#include "temporal/api/failure/v1/message.pb.h"

#include <utility>

// Update-with-start: one call that starts a workflow, unless it runs already, and sends it an update.
namespace stele::shard {
namespace {

namespace enums = api::enums::v1;

/// One call. Kept alive by whatever it waits for; all of it happens on the shard's executor.
class UpdateWithStart : public std::enable_shared_from_this<UpdateWithStart> {
public:
    UpdateWithStart(Shard& shard, NamespacePtr space, UpdateWithStartRequest request,
                    CallScopePtr scope, Reply<UpdateWithStartReply> reply)
        : shard_(shard),
          space_(std::move(space)),
          request_(std::move(request)),
          scope_(std::move(scope)),
          reply_(std::move(reply)) {}

    void begin();

private:
    void update_existing(LoadedRun& run);
    void start_and_update();
    void finish_if_complete();
    void finish(absl::StatusOr<StartReply> start, absl::StatusOr<UpdateReply> update) {
        reply_(UpdateWithStartReply{std::move(start), std::move(update)});
    }
    const std::string& update_id() const { return request_.update.request().meta().update_id(); }

    Shard& shard_;
    NamespacePtr space_;
    UpdateWithStartRequest request_;
    CallScopePtr scope_;
    Reply<UpdateWithStartReply> reply_;
    bool tried_before_ = false;
    // Of a new run; the answers come in any order.
    std::optional<absl::StatusOr<StartReply>> started_;
    std::optional<absl::StatusOr<UpdateReply>> updated_;
    bool created_ = false;
};

void UpdateWithStart::begin() {
    const RunRef workflow{space_->id, request_.start.workflow_id(), {}};
    const auto current = shard_.current(workflow);
    if (!current.ok()) return finish(current.status(), operation_not_tried());
    if (!*current) return start_and_update();
    const absl::StatusOr<LoadedRun*> run = shard_.find(workflow);
    if (!run.ok()) return finish(run.status(), operation_not_tried());
    const history::Run& state = *(*run)->run;
    const auto progress = history::find_update(state, update_id());
    const bool has_outcome = progress && progress->completed_event != kNoEvent;
    const bool usable =
        state.is_open() &&
        (progress || state.info.create_request_id() == request_.start.request_id() ||
         request_.start.workflow_id_conflict_policy() ==
             enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    if (has_outcome || usable) return update_existing(**run);
    start_and_update();
}

void UpdateWithStart::update_existing(LoadedRun& run) {
    StartReply start;
    start.run_id = run.run->info.run_id();
    start.status = run.run->header.status();
    const std::shared_ptr<UpdateWithStart> self = shared_from_this();
    shard_.updates().admit(
        space_, run, request_.update, scope_,
        [self, start = std::move(start)](absl::StatusOr<UpdateReply> update) mutable {
            if (update.ok()) return self->finish(std::move(start), std::move(update));
            if (!history::is_aborted_by_close(update.status())) {
                return self->finish(operation_not_tried(), update.status());
            }
            // The run closed under it; unlike a mere update, this call may start another.
            if (!std::exchange(self->tried_before_, true)) {
                return self->shard_.executor().post([self] { self->begin(); });
            }
            self->finish(operation_not_tried(), make_error(absl::StatusCode::kAborted,
                                                 message_of(update.status())));
        });
}

void UpdateWithStart::start_and_update() {
    const CommandContext context = shard_.context_for(space_);
    const absl::Status status =
        history::check_first_update(request_.update.request(), context.context);
    if (!status.ok()) return finish(operation_not_tried(), status);
    const std::shared_ptr<UpdateWithStart> self = shared_from_this();
    shard_.starts().start(
        space_, request_.start,
        [self](absl::StatusOr<StartReply> reply) {
            self->started_ = std::move(reply);
            self->finish_if_complete();
        },
        // In the same turn of the executor: no task of the new run can start before.
        [self](LoadedRun& run) {
            self->created_ = true;
            self->shard_.updates().admit(self->space_, run, self->request_.update, self->scope_,
                                         [self](absl::StatusOr<UpdateReply> reply) {
                                             self->updated_ = std::move(reply);
                                             self->finish_if_complete();
                                         });
        });
}

void UpdateWithStart::finish_if_complete() {
    if (!started_) return;
    if (!started_->ok()) return finish(*std::move(started_), operation_not_tried());
    if (!created_) {
        // The request id is that of a run that has closed.
        return finish(unavailable("Workflow was not started: the request has been seen before"),
                      operation_not_tried());
    }
    if (updated_) finish(*std::move(started_), *std::move(updated_));
}

}  // namespace

absl::Status operation_not_tried() {
    return make_error(absl::StatusCode::kAborted, "Operation was aborted.",
                      api::failure::v1::MultiOperationExecutionAborted());
}

void update_with_start(Shard& shard, NamespacePtr space, UpdateWithStartRequest request,
                       CallScopePtr scope, Reply<UpdateWithStartReply> reply) {
    std::make_shared<UpdateWithStart>(shard, std::move(space), std::move(request),
                                      std::move(scope), std::move(reply))
        ->begin();
}

}  // namespace stele::shard
