#include "sdk/worker/activity_attempt.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "sdk/data/versioning.h"

namespace stele::sdk {

namespace api = temporal::api::workflowservice::v1;

namespace {

activity::Info make_info(const WorkerContext& context, const ActivityAttempt::Task& task) {
    activity::Info info;
    info.activity_id = task.activity_id();
    info.activity_type = task.activity_type().name();
    info.workflow_id = task.workflow_execution().workflow_id();
    info.run_id = task.workflow_execution().run_id();
    info.workflow_type = task.workflow_type().name();
    info.namespace_name = task.workflow_namespace();
    info.task_queue = context.task_queue;
    info.task_token = task.task_token();
    info.attempt = task.attempt();
    info.start_to_close = from_duration(task.start_to_close_timeout());
    info.schedule_to_close = from_duration(task.schedule_to_close_timeout());
    info.heartbeat_timeout = from_duration(task.heartbeat_timeout());
    info.scheduled_time = from_timestamp(task.scheduled_time());
    info.attempt_scheduled_time = from_timestamp(task.current_attempt_scheduled_time());
    info.started_time = from_timestamp(task.started_time());
    if (task.has_retry_policy()) info.retry = to_retry_info(task.retry_policy());
    info.priority = to_priority_info(task.priority());
    return info;
}

activity::StopReason why_to_stop(const Transport::Status& status,
                                 const api::RecordActivityTaskHeartbeatResponse& reply) {
    using activity::StopReason;
    if (status.code == kRpcNotFound) return StopReason::kUnknown;
    if (reply.cancel_requested()) return StopReason::kCancelRequested;
    if (reply.activity_paused()) return StopReason::kPaused;
    if (reply.activity_reset()) return StopReason::kReset;
    return StopReason::kNone;
}

}  // namespace

ActivityAttempt::ActivityAttempt(std::shared_ptr<const WorkerContext> context,
                                 std::shared_ptr<Executor> executor, std::shared_ptr<Task> task,
                                 const ActivityInstruments& instruments,
                                 std::function<void()> finished)
    : WorkerActivity(context, make_info(*context, *task)),
      executor_(std::move(executor)),
      task_(std::move(task)),
      instruments_(instruments),
      finished_(std::move(finished)) {}

void ActivityAttempt::start() {
    begun_ = context_->client->runtime()->now();
    if (task_->has_started_time() && task_->has_current_attempt_scheduled_time())
        instruments_.schedule_to_start.record(
            from_timestamp(task_->started_time()) -
            from_timestamp(task_->current_attempt_scheduled_time()));
    if (const Milliseconds deadline = local_deadline(); deadline.count() > 0)
        deadline_timer_ = context_->client->runtime()->start_timer(
            deadline, executor_, [weak = weak_from_this()] {
                if (const auto self = weak.lock()) {
                    self->expired_ = true;
                    self->stop(activity::StopReason::kTimedOut);
                }
            });
    context_->client->runtime()->run_blocking([self = shared_from_this()] { self->run(); });
}

Milliseconds ActivityAttempt::local_deadline() const {
    if (info_.start_to_close.count() == 0) return info_.schedule_to_close;
    if (info_.schedule_to_close.count() == 0) return info_.start_to_close;
    return std::min(info_.start_to_close, info_.schedule_to_close);
}

SerializationContext ActivityAttempt::data_context() const {
    return {context_->client->namespace_name(), info_.workflow_id, info_.activity_type,
            info_.activity_id};
}

Payloads ActivityAttempt::previous_details() const { return to_vector(task_->heartbeat_details()); }

void ActivityAttempt::run() {
    Outcome outcome;
    try {
        decode_incoming(context_->client->converter(), *task_, data_context());
        outcome = call_function(to_vector(task_->input()), task_->header());
    } catch (...) {
        outcome.kind = Outcome::Kind::kFailed;
        outcome.failure = error_to_failure(std::current_exception());
    }
    if (outcome.kind == Outcome::Kind::kFailed && outcome.failure.has_canceled_failure_info())
        judge_cancellation(outcome);
    executor_->post([self = shared_from_this(), outcome = std::move(outcome)]() mutable {
        self->on_outcome(std::move(outcome));
    });
}

// Only what the workflow cancelled may end as cancelled; the rest is tried again elsewhere.
void ActivityAttempt::judge_cancellation(Outcome& outcome) const {
    if (cancel_requested_)
        outcome.kind = Outcome::Kind::kCanceled;
    else if (cancelled())
        outcome.failure = ApplicationError("the worker stops", {.type = "WorkerShutdown"}).proto();
}

void ActivityAttempt::heartbeat(Payloads details) {
    executor_->post([self = shared_from_this(), details = std::move(details)]() mutable {
        self->on_heartbeat(std::move(details));
    });
}

Milliseconds ActivityAttempt::throttle() const {
    const WorkerOptions& options = context_->options;
    if (info_.heartbeat_timeout.count() == 0) return options.heartbeat_throttle_default;
    return std::min(info_.heartbeat_timeout * 4 / 5, options.heartbeat_throttle_max);
}

void ActivityAttempt::on_heartbeat(Payloads details) {
    if (ended_) return;
    unsent_details_ = std::move(details);
    if (!throttle_timer_ && !heartbeat_under_way_) send_heartbeat();
}

void ActivityAttempt::send_heartbeat() {
    heartbeat_under_way_ = true;
    auto request = std::make_shared<api::RecordActivityTaskHeartbeatRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_task_token(task_->task_token());
    request->set_identity(context_->client->identity());
    *request->mutable_details() = to_message(std::move(*std::exchange(unsent_details_, {})));
    try {
        context_->client->encode(*request, data_context());
    } catch (const std::exception&) {
        request->clear_details();  // being alive is still worth telling
    }
    auto reply = std::make_shared<api::RecordActivityTaskHeartbeatResponse>();
    context_->client->rpc().call(
        "RecordActivityTaskHeartbeat", request, reply, default_retries(),
        [self = shared_from_this(), reply](const Transport::Status& status) {
            if (reply->cancel_requested()) self->cancel_requested_ = true;
            const activity::StopReason reason = why_to_stop(status, *reply);
            if (reason != activity::StopReason::kNone) self->stop(reason);
            self->executor_->post([self] { self->on_heartbeat_answered(); });
        });
    if (ended_) return;
    throttle_timer_ =
        context_->client->runtime()->start_timer(throttle(), executor_, [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self || self->ended_) return;
            self->throttle_timer_.reset();
            if (self->unsent_details_ && !self->heartbeat_under_way_) self->send_heartbeat();
        });
}

void ActivityAttempt::on_heartbeat_answered() {
    heartbeat_under_way_ = false;
    if (unsent_details_ && (held_outcome_ || (!ended_ && !throttle_timer_)))
        send_heartbeat();
    else if (held_outcome_)
        answer(*std::exchange(held_outcome_, {}));
}

// The next attempt shall see how far this one came.
void ActivityAttempt::on_outcome(Outcome outcome) {
    ended_ = true;
    measure(outcome);
    throttle_timer_.reset();
    deadline_timer_.reset();
    if (outcome.kind == Outcome::Kind::kFailed && (unsent_details_ || heartbeat_under_way_)) {
        held_outcome_ = std::move(outcome);
        if (!heartbeat_under_way_) send_heartbeat();
        return;
    }
    answer(std::move(outcome));
}

void ActivityAttempt::measure(const Outcome& outcome) const {
    const Runtime::Time now = context_->client->runtime()->now();
    instruments_.execution.record(now - begun_);
    switch (outcome.kind) {
        case Outcome::Kind::kCompleted:
            instruments_.succeeded_end_to_end.record(now - from_timestamp(task_->scheduled_time()));
            return;
        case Outcome::Kind::kFailed:
            context_->metrics->activity_failed();
            instruments_.failed.add();
            return;
        case Outcome::Kind::kCanceled: instruments_.cancelled.add(); return;
        case Outcome::Kind::kElsewhere: return;
    }
}

// What a codec refuses to encode becomes a failure of the attempt, which says so in the clear.
template <class Request, class Reply>
void ActivityAttempt::respond(const char* method, std::shared_ptr<Request> request) {
    try {
        context_->client->encode(*request, data_context());
    } catch (const std::exception&) {
        auto refused = std::make_shared<api::RespondActivityTaskFailedRequest>();
        *refused->mutable_failure() = error_to_failure(std::current_exception());
        send<api::RespondActivityTaskFailedRequest, api::RespondActivityTaskFailedResponse>(
            "RespondActivityTaskFailed", std::move(refused));
        return;
    }
    send<Request, Reply>(method, std::move(request));
}

template <class Request, class Reply>
void ActivityAttempt::send(const char* method, std::shared_ptr<Request> request) {
    request->set_namespace_(context_->client->namespace_name());
    request->set_task_token(task_->task_token());
    request->set_identity(context_->client->identity());
    tell_deployment(context_->options.deployment, *request);
    context_->client->rpc().call(method, request, std::make_shared<Reply>(), answer_retries(),
                                 [self = shared_from_this()](const Transport::Status&) {
                                     self->executor_->post([self] { self->finished_(); });
                                 });
}

void ActivityAttempt::answer(Outcome outcome) {
    // Past the deadline the server's own timeout stands.
    if (expired_) {
        STELE_PROBE("sdk.activity-too-late");
        finished_();
        return;
    }
    switch (outcome.kind) {
        case Outcome::Kind::kElsewhere: finished_(); return;
        case Outcome::Kind::kCompleted: {
            auto request = std::make_shared<api::RespondActivityTaskCompletedRequest>();
            if (outcome.result)
                *request->mutable_result()->add_payloads() = std::move(*outcome.result);
            respond<api::RespondActivityTaskCompletedRequest,
                    api::RespondActivityTaskCompletedResponse>("RespondActivityTaskCompleted",
                                                               std::move(request));
            return;
        }
        case Outcome::Kind::kFailed: {
            auto request = std::make_shared<api::RespondActivityTaskFailedRequest>();
            *request->mutable_failure() = std::move(outcome.failure);
            respond<api::RespondActivityTaskFailedRequest, api::RespondActivityTaskFailedResponse>(
                "RespondActivityTaskFailed", std::move(request));
            return;
        }
        case Outcome::Kind::kCanceled: {
            auto request = std::make_shared<api::RespondActivityTaskCanceledRequest>();
            *request->mutable_details() = outcome.failure.canceled_failure_info().details();
            respond<api::RespondActivityTaskCanceledRequest,
                    api::RespondActivityTaskCanceledResponse>("RespondActivityTaskCanceled",
                                                              std::move(request));
            return;
        }
    }
}

}  // namespace stele::sdk
