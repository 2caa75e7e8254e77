#include "sdk/worker/activity_attempt.h"

#include <algorithm>
#include <utility>

#include "sdk/data/codec.h"
#include "sdk/data/convert.h"

namespace stele::sdk {

namespace api = temporal::api::workflowservice::v1;

namespace {

// An activity finds its attempt through its thread.
thread_local ActivityAttempt* current_attempt = nullptr;

constexpr int kNotFound = 5;

/// What complete_elsewhere() throws.
struct CompletedElsewhere {};

}  // namespace

ActivityAttempt::ActivityAttempt(std::shared_ptr<const WorkerContext> context,
                                 std::shared_ptr<Executor> executor, std::shared_ptr<Task> task,
                                 std::function<void()> finished)
    : context_(std::move(context)),
      executor_(std::move(executor)),
      task_(std::move(task)),
      finished_(std::move(finished)),
      cancelled_event_(context_->client->runtime()->make_event()) {
    info_.activity_id = task_->activity_id();
    info_.activity_type = task_->activity_type().name();
    info_.workflow_id = task_->workflow_execution().workflow_id();
    info_.run_id = task_->workflow_execution().run_id();
    info_.workflow_type = task_->workflow_type().name();
    info_.namespace_name = task_->workflow_namespace();
    info_.task_queue = context_->task_queue;
    info_.task_token = task_->task_token();
    info_.attempt = task_->attempt();
    info_.start_to_close = from_duration(task_->start_to_close_timeout());
    info_.schedule_to_close = from_duration(task_->schedule_to_close_timeout());
    info_.heartbeat_timeout = from_duration(task_->heartbeat_timeout());
}

ActivityAttempt& ActivityAttempt::current() {
    if (current_attempt == nullptr)
        throw IllegalCallError("this function may be called from an activity only");
    return *current_attempt;
}

void ActivityAttempt::start() {
    if (const Milliseconds deadline = local_deadline(); deadline.count() > 0)
        deadline_timer_ = context_->client->runtime()->start_timer(
            deadline, executor_, [weak = weak_from_this()] {
                if (const auto self = weak.lock()) {
                    self->expired_ = true;
                    self->cancel();
                }
            });
    context_->client->runtime()->run_blocking([self = shared_from_this()] { self->run(); });
}

Milliseconds ActivityAttempt::local_deadline() const {
    if (info_.start_to_close.count() == 0) return info_.schedule_to_close;
    if (info_.schedule_to_close.count() == 0) return info_.start_to_close;
    return std::min(info_.start_to_close, info_.schedule_to_close);
}

void ActivityAttempt::cancel() {
    cancelled_.store(true);
    cancelled_event_->set();
}

void ActivityAttempt::log(LogLevel level, std::string_view message) const {
    const Logger& logger = context_->client->options().logger;
    if (!logger) return;
    logger({level,
            std::string(message),
            {{"namespace", info_.namespace_name},
             {"workflow_id", info_.workflow_id},
             {"run_id", info_.run_id},
             {"activity_type", info_.activity_type},
             {"activity_id", info_.activity_id},
             {"attempt", std::to_string(info_.attempt)}}});
}

bool ActivityAttempt::sleep_for(Milliseconds duration) {
    return !cancelled_event_->wait_for(duration);
}

Payloads ActivityAttempt::previous_details() const { return to_vector(task_->heartbeat_details()); }

void ActivityAttempt::run() {
    current_attempt = this;
    Outcome outcome = invoke();
    current_attempt = nullptr;
    executor_->post([self = shared_from_this(), outcome = std::move(outcome)]() mutable {
        self->on_outcome(std::move(outcome));
    });
}

ActivityAttempt::Outcome ActivityAttempt::invoke() {
    Outcome outcome;
    try {
        decode_incoming(context_->client->converter(), *task_);
        outcome.result =
            context_->registry->activity(info_.activity_type)(to_vector(task_->input()));
    } catch (const CompletedElsewhere&) {
        outcome.kind = Outcome::Kind::kElsewhere;
    } catch (const CanceledError& error) {
        outcome.kind = cancel_requested_ ? Outcome::Kind::kCanceled : Outcome::Kind::kFailed;
        outcome.failure = error.proto();
        // Only what the workflow cancelled may end as cancelled; the rest is tried again elsewhere.
        if (!cancel_requested_ && cancelled())
            outcome.failure =
                ApplicationError("the worker stops", {.type = "WorkerShutdown"}).proto();
    } catch (...) {
        outcome.kind = Outcome::Kind::kFailed;
        outcome.failure = error_to_failure(std::current_exception());
    }
    return outcome;
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
    if (!throttle_timer_) send_heartbeat({});
}

void ActivityAttempt::send_heartbeat(std::function<void()> then) {
    auto request = std::make_shared<api::RecordActivityTaskHeartbeatRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_task_token(task_->task_token());
    request->set_identity(context_->client->identity());
    *request->mutable_details() = to_message(std::move(*std::exchange(unsent_details_, {})));
    try {
        encode_outgoing(context_->client->converter(), *request);
    } catch (const std::exception&) {
        request->clear_details();  // being alive is still worth telling
    }
    auto reply = std::make_shared<api::RecordActivityTaskHeartbeatResponse>();
    context_->client->rpc().call(
        "RecordActivityTaskHeartbeat", request, reply, default_retries(),
        [self = shared_from_this(), reply, then](const Transport::Status& status) {
            const bool stop = status.code == kNotFound || reply->cancel_requested() ||
                              reply->activity_paused() || reply->activity_reset();
            if (reply->cancel_requested()) self->cancel_requested_ = true;
            if (stop) self->cancel();
            if (then) self->executor_->post(then);
        });
    if (ended_) return;
    throttle_timer_ =
        context_->client->runtime()->start_timer(throttle(), executor_, [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self || self->ended_) return;
            self->throttle_timer_.reset();
            if (self->unsent_details_) self->send_heartbeat({});
        });
}

// The next attempt shall see how far this one came.
void ActivityAttempt::on_outcome(Outcome outcome) {
    ended_ = true;
    throttle_timer_.reset();
    deadline_timer_.reset();
    if (unsent_details_ && outcome.kind == Outcome::Kind::kFailed) {
        auto shared = std::make_shared<Outcome>(std::move(outcome));
        send_heartbeat([self = shared_from_this(), shared] { self->answer(std::move(*shared)); });
        return;
    }
    answer(std::move(outcome));
}

// What a codec refuses to encode becomes a failure of the attempt, which says so in the clear.
template <class Request, class Reply>
void ActivityAttempt::respond(const char* method, std::shared_ptr<Request> request) {
    try {
        encode_outgoing(context_->client->converter(), *request);
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
    context_->client->rpc().call(method, request, std::make_shared<Reply>(), answer_retries(),
                                 [self = shared_from_this()](const Transport::Status&) {
                                     self->executor_->post([self] { self->finished_(); });
                                 });
}

void ActivityAttempt::answer(Outcome outcome) {
    // Past the deadline the server's own timeout stands.
    if (expired_) {
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

namespace stele::activity {

using sdk::ActivityAttempt;

const Info& info() { return ActivityAttempt::current().info(); }

void heartbeat_payloads(Payloads details) {
    ActivityAttempt::current().heartbeat(std::move(details));
}

Payloads previous_details() { return ActivityAttempt::current().previous_details(); }

void complete_elsewhere() {
    (void)ActivityAttempt::current();
    throw sdk::CompletedElsewhere();
}

void log(LogLevel level, std::string_view message) {
    ActivityAttempt::current().log(level, message);
}

bool cancelled() { return ActivityAttempt::current().cancelled(); }

void throw_if_cancelled() {
    if (cancelled()) throw CanceledError("activity canceled");
}

bool sleep_for(Milliseconds duration) { return ActivityAttempt::current().sleep_for(duration); }

}  // namespace stele::activity
