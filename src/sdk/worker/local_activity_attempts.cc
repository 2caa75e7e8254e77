#include "sdk/worker/local_activity_attempts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sdk/data/convert.h"
#include "temporal/api/enums/v1/workflow.pb.h"

namespace stele::sdk {

namespace enums = temporal::api::enums::v1;

namespace {

// What a retry policy means where it says nothing.
constexpr double kInitialIntervalMilliseconds = 1'000;
constexpr double kBackoffCoefficient = 2;
constexpr double kMaximumIntervals = 100;

std::int64_t to_nanoseconds(Runtime::Time time) { return time.time_since_epoch().count(); }

core::Failure timed_out(enums::TimeoutType type) {
    core::Failure failure;
    failure.set_message("activity timeout");
    failure.mutable_timeout_failure_info()->set_timeout_type(type);
    return failure;
}

}  // namespace

/// One call of the function.
class LocalActivityAttempts::Attempt final : public WorkerActivity {
public:
    Attempt(std::shared_ptr<LocalActivityAttempts> owner, std::int32_t number)
        : WorkerActivity(owner->context_, make_info(*owner, number)), owner_(std::move(owner)) {}

    // Its cancellation comes from the workflow task, and nothing asks whether it is alive.
    void heartbeat(Payloads) override {}

    void run() {
        const Outcome outcome =
            call_function(to_vector(owner_->activity_.input), owner_->activity_.header);
        std::optional<core::Failure> failure;
        if (outcome.kind != Outcome::Kind::kCompleted) failure = outcome.failure;
        owner_->executor_->post([owner = owner_, number = info_.attempt, result = outcome.result,
                                 failure] { owner->on_attempt(number, result, failure); });
    }

private:
    static activity::Info make_info(const LocalActivityAttempts& owner, std::int32_t number) {
        activity::Info info;
        info.activity_id = owner.activity_.activity_id;
        info.activity_type = owner.activity_.type;
        info.workflow_id = owner.identity_.workflow_id;
        info.run_id = owner.identity_.run_id;
        info.workflow_type = owner.identity_.workflow_type;
        info.namespace_name = owner.context_->client->namespace_name();
        info.task_queue = owner.context_->task_queue;
        info.attempt = number;
        info.start_to_close = owner.activity_.start_to_close;
        info.schedule_to_close = owner.activity_.schedule_to_close;
        info.is_local = true;
        info.scheduled_time = owner.scheduled_;
        info.attempt_scheduled_time = owner.scheduled_;
        info.started_time = owner.context_->client->runtime()->now();
        info.retry = to_retry_info(owner.activity_.retry);
        return info;
    }

    std::shared_ptr<LocalActivityAttempts> owner_;
};

void LocalActivityAttempts::start() {
    scheduled_ =
        activity_.original_schedule_time_nanoseconds != 0
            ? Runtime::Time(std::chrono::nanoseconds(activity_.original_schedule_time_nanoseconds))
            : context_->client->runtime()->now();
    begin_attempt();
}

std::optional<Milliseconds> LocalActivityAttempts::time_left() const {
    if (activity_.schedule_to_close.count() <= 0) return std::nullopt;
    const auto end = scheduled_ + activity_.schedule_to_close;
    return std::chrono::duration_cast<Milliseconds>(end - context_->client->runtime()->now());
}

void LocalActivityAttempts::begin_attempt() {
    timer_.reset();
    const std::optional<Milliseconds> left = time_left();
    if (left && left->count() <= 0) {
        on_failure(timed_out(enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE));
        return;
    }
    instruments_.all.add();
    running_ = std::make_shared<Attempt>(shared_from_this(), attempt_);
    Milliseconds deadline = activity_.start_to_close;
    if (left && (deadline.count() <= 0 || *left < deadline)) deadline = *left;
    timer_ = context_->client->runtime()->start_timer(deadline, executor_,
                                                      [weak = weak_from_this(), number = attempt_] {
                                                          if (const auto self = weak.lock())
                                                              self->on_deadline(number);
                                                      });
    context_->client->runtime()->run_blocking([attempt = running_] { attempt->run(); });
}

// The function may go on for a while; its end is of no interest any more.
void LocalActivityAttempts::on_deadline(std::int32_t number) {
    if (!running_ || number != attempt_) return;
    std::exchange(running_, nullptr)->stop(activity::StopReason::kTimedOut);
    const std::optional<Milliseconds> left = time_left();
    on_failure(timed_out(left && left->count() <= 0 ? enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
                                                    : enums::TIMEOUT_TYPE_START_TO_CLOSE));
}

void LocalActivityAttempts::on_attempt(std::int32_t number, std::optional<Payload> result,
                                       std::optional<core::Failure> failure) {
    if (!running_ || number != attempt_) return;
    running_.reset();
    timer_.reset();
    if (failure) {
        on_failure(std::move(*failure));
        return;
    }
    core::LocalActivityOutcome outcome;
    if (result) *outcome.resolution.result.add_payloads() = std::move(*result);
    finish(std::move(outcome));
}

/// How long to wait before the next attempt; nothing when there is none.
std::optional<Milliseconds> LocalActivityAttempts::next_pause(const core::Failure& failure) const {
    const auto& policy = activity_.retry;
    if (policy.maximum_attempts() > 0 && attempt_ >= policy.maximum_attempts()) return std::nullopt;
    if (failure.has_timeout_failure_info() &&
        failure.timeout_failure_info().timeout_type() == enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE)
        return std::nullopt;
    if (failure.has_canceled_failure_info() && cancelled_) return std::nullopt;
    const auto& application = failure.application_failure_info();
    if (failure.has_application_failure_info()) {
        const auto& fatal = policy.non_retryable_error_types();
        if (application.non_retryable() ||
            std::find(fatal.begin(), fatal.end(), application.type()) != fatal.end())
            return std::nullopt;
    }
    Milliseconds pause = from_duration(application.next_retry_delay());
    if (pause.count() <= 0) {
        const double initial =
            policy.has_initial_interval()
                ? static_cast<double>(from_duration(policy.initial_interval()).count())
                : kInitialIntervalMilliseconds;
        const double coefficient =
            policy.backoff_coefficient() >= 1 ? policy.backoff_coefficient() : kBackoffCoefficient;
        const double longest =
            policy.has_maximum_interval()
                ? static_cast<double>(from_duration(policy.maximum_interval()).count())
                : initial * kMaximumIntervals;
        pause = Milliseconds(static_cast<std::int64_t>(
            std::min(initial * std::pow(coefficient, attempt_ - 1), longest)));
    }
    const std::optional<Milliseconds> left = time_left();
    if (left && pause >= *left) return std::nullopt;
    return pause;
}

void LocalActivityAttempts::on_failure(core::Failure failure) {
    if (!failure.has_canceled_failure_info()) instruments_.failed.add();
    const std::optional<Milliseconds> pause = cancelled_ ? std::nullopt : next_pause(failure);
    if (pause && *pause <= activity_.local_retry_max) {
        ++attempt_;
        timer_ =
            context_->client->runtime()->start_timer(*pause, executor_, [weak = weak_from_this()] {
                if (const auto self = weak.lock()) self->begin_attempt();
            });
        return;
    }
    core::LocalActivityOutcome outcome;
    outcome.resolution.kind = core::Resolution::Kind::kFailed;
    outcome.resolution.failure = wrap(std::move(failure));
    if (pause) outcome.backoff = *pause;
    finish(std::move(outcome));
}

core::Failure LocalActivityAttempts::wrap(core::Failure cause) const {
    core::Failure failure;
    failure.set_message("Activity task failed");
    auto& info = *failure.mutable_activity_failure_info();
    info.mutable_activity_type()->set_name(activity_.type);
    info.set_activity_id(activity_.activity_id);
    info.set_identity(context_->client->identity());
    *failure.mutable_cause() = std::move(cause);
    return failure;
}

void LocalActivityAttempts::cancel() {
    cancelled_ = true;
    if (running_) {
        running_->stop(activity::StopReason::kCancelRequested);
    } else {
        // Between two attempts: there will not be another one.
        timer_.reset();
        core::Failure canceled;
        canceled.set_message("activity canceled");
        canceled.mutable_canceled_failure_info();
        on_failure(std::move(canceled));
    }
}

void LocalActivityAttempts::abandon() {
    done_ = nullptr;
    timer_.reset();
    if (const auto running = std::exchange(running_, nullptr))
        running->stop(activity::StopReason::kUnknown);
}

void LocalActivityAttempts::measure(const core::LocalActivityOutcome& outcome) const {
    const std::chrono::nanoseconds duration = context_->client->runtime()->now() - scheduled_;
    instruments_.execution.record(duration);
    if (outcome.resolution.kind == core::Resolution::Kind::kCompleted)
        instruments_.succeeded_end_to_end.record(duration);
    else if (outcome.resolution.failure.cause().has_canceled_failure_info())
        instruments_.cancelled.add();
}

void LocalActivityAttempts::finish(core::LocalActivityOutcome outcome) {
    timer_.reset();
    measure(outcome);
    outcome.attempt = attempt_;
    outcome.complete_time_nanoseconds = to_nanoseconds(context_->client->runtime()->now());
    outcome.original_schedule_time_nanoseconds = to_nanoseconds(scheduled_);
    if (const Done done = std::exchange(done_, nullptr)) done(std::move(outcome));
}

}  // namespace stele::sdk
