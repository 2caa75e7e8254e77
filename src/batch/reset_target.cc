#include "batch/reset_target.h"

#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/enums/v1/reset.pb.h"
#include "temporal/api/history/v1/message.pb.h"

#include <memory>
#include <utility>

namespace stele::batch {
namespace {

namespace api = temporal::api;
namespace enums = api::enums::v1;
using api::batch::v1::BatchOperationReset;
using api::common::v1::ResetOptions;

/// Reads a history from one end until a completed workflow task is found. Holds itself alive until
/// it has replied.
class TaskSearch : public std::enable_shared_from_this<TaskSearch> {
public:
    TaskSearch(shard::Engine& engine, shard::NamespacePtr space, const RunRef& run, bool last,
               Reply<ResetTarget> reply)
        : engine_(engine), space_(std::move(space)), reply_(std::move(reply)) {
        query_.run = run;
        query_.reverse = last;
        query_.from = last ? kNoEvent : kFirstEvent;
        query_.to = kNoEvent;
    }

    void read() {
        engine_.get_history(space_, query_, nullptr,
                            [self = shared_from_this()](absl::StatusOr<shard::HistoryReply> page) {
                                self->take(std::move(page));
                            });
    }

private:
    void take(absl::StatusOr<shard::HistoryReply> page) {
        if (!page.ok()) return reply_(std::move(page).status());
        query_.run.run_id = page->run_id;
        for (const std::string& bytes : page->page.batches) {
            api::history::v1::History batch;
            if (!batch.ParseFromString(bytes)) return reply_(internal_error("a damaged history"));
            for (const auto& event : batch.events()) {
                if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
                    return found(event.event_id());
                }
                const bool scheduled =
                    event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED;
                // The event behind it will do where no task was ever completed.
                if (scheduled && (query_.reverse || otherwise_ == 0)) {
                    otherwise_ = event.event_id() + 1;
                }
            }
        }
        if (page->page.next != kNoEvent) {
            query_.from = page->page.next;
            return read();
        }
        if (otherwise_ != 0) return found(otherwise_);
        reply_(invalid_argument("unable to find any scheduled or completed task"));
    }

    void found(std::int64_t event_id) { reply_(ResetTarget{query_.run.run_id, event_id}); }

    shard::Engine& engine_;
    shard::NamespacePtr space_;
    shard::HistoryQuery query_;
    Reply<ResetTarget> reply_;
    std::int64_t otherwise_ = 0;
};

absl::StatusOr<ResetTarget> reset_point(const api::workflow::v1::WorkflowExecutionInfo& info,
                                        const ResetOptions& options, Timestamp now) {
    for (const auto& point : info.auto_reset_points().points()) {
        if (point.build_id() != options.build_id()) continue;
        const std::string name = "Reset point for " + options.build_id();
        if (!point.resettable()) return invalid_argument(name + " is not resettable");
        if (point.has_expire_time() && from_proto(point.expire_time()) < now) {
            return invalid_argument(name + " is expired");
        }
        if (point.run_id() != info.execution().run_id() && options.current_run_only()) {
            return invalid_argument(name + " points to previous run and CurrentRunOnly is set");
        }
        return ResetTarget{point.run_id(), point.first_workflow_task_completed_id()};
    }
    return invalid_argument("Can't find reset point for " + options.build_id());
}

void find_by_build(shard::Engine& engine, const shard::NamespacePtr& space, const RunRef& run,
                   const ResetOptions& options, Timestamp now, Reply<ResetTarget> reply) {
    using Response = api::workflowservice::v1::DescribeWorkflowExecutionResponse;
    engine.describe(
        space, run,
        [options, now, reply = std::move(reply)](absl::StatusOr<Response> described) mutable {
            if (!described.ok()) return reply(std::move(described).status());
            reply(reset_point(described->workflow_execution_info(), options, now));
        });
}

enum class Way { kFirst, kLast, kEvent, kBuild, kNone };

Way way_of(const BatchOperationReset& reset) {
    if (!reset.has_options()) {
        if (reset.reset_type() == enums::RESET_TYPE_FIRST_WORKFLOW_TASK) return Way::kFirst;
        if (reset.reset_type() == enums::RESET_TYPE_LAST_WORKFLOW_TASK) return Way::kLast;
        return Way::kNone;
    }
    switch (reset.options().target_case()) {
        case ResetOptions::kFirstWorkflowTask: return Way::kFirst;
        case ResetOptions::kLastWorkflowTask: return Way::kLast;
        case ResetOptions::kWorkflowTaskId: return Way::kEvent;
        case ResetOptions::kBuildId: return Way::kBuild;
        case ResetOptions::TARGET_NOT_SET: break;
    }
    return Way::kNone;
}

}  // namespace

void find_reset_target(shard::Engine& engine, const shard::NamespacePtr& space, const RunRef& run,
                       const BatchOperationReset& reset, Timestamp now, Reply<ResetTarget> reply) {
    const Way way = way_of(reset);
    switch (way) {
        case Way::kEvent: return reply(ResetTarget{run.run_id, reset.options().workflow_task_id()});
        case Way::kBuild:
            return find_by_build(engine, space, run, reset.options(), now, std::move(reply));
        case Way::kFirst:
        case Way::kLast:
            return std::make_shared<TaskSearch>(engine, space, run, way == Way::kLast,
                                                std::move(reply))
                ->read();
        case Way::kNone: break;
    }
    reply(invalid_argument("provided reset type is not supported."));
}

}  // namespace stele::batch
