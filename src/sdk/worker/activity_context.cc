#include "sdk/worker/activity_context.h"

#include "sdk/data/convert.h"
#include "sdk/data/headers.h"
#include "sdk/worker/registry.h"

namespace stele::sdk {

namespace {

thread_local ActivityContext* current_context = nullptr;

}  // namespace

activity::RetryInfo to_retry_info(const temporal::api::common::v1::RetryPolicy& policy) {
    activity::RetryInfo info;
    info.initial_interval = from_duration(policy.initial_interval());
    info.backoff_coefficient = policy.backoff_coefficient();
    info.maximum_interval = from_duration(policy.maximum_interval());
    info.maximum_attempts = policy.maximum_attempts();
    info.non_retryable_error_types.assign(policy.non_retryable_error_types().begin(),
                                          policy.non_retryable_error_types().end());
    return info;
}

activity::PriorityInfo to_priority_info(const temporal::api::common::v1::Priority& priority) {
    return {priority.priority_key(), priority.fairness_key(), priority.fairness_weight()};
}

ActivityContext::OnThisThread::OnThisThread(ActivityContext& context) {
    current_context = &context;
}
ActivityContext::OnThisThread::~OnThisThread() { current_context = nullptr; }

ActivityContext& ActivityContext::current() {
    if (current_context == nullptr)
        throw IllegalCallError("this function may be called from an activity only");
    return *current_context;
}

namespace {

/// The function inside all interceptors from the one at `index` on.
std::optional<Payload> call_through(const Interceptors& interceptors, std::size_t index,
                                    const InterceptedCall& call, const Headers& headers,
                                    const std::function<std::optional<Payload>()>& function) {
    if (index == interceptors.size()) return function();
    return interceptors[index]->around_activity(call, headers, [&] {
        return call_through(interceptors, index + 1, call, headers, function);
    });
}

}  // namespace

WorkerActivity::Outcome WorkerActivity::call_function(
    const Payloads& input, const temporal::api::common::v1::Header& header) {
    const OnThisThread here(*this);
    Outcome outcome;
    try {
        const auto& function = context_->registry->activity(info_.activity_type);
        const auto kind = info_.is_local ? InterceptedCall::Kind::kLocalActivity
                                         : InterceptedCall::Kind::kActivity;
        outcome.result = call_through(context_->client->options().interceptors, 0,
                                      {kind, info_.activity_type, info_.workflow_id},
                                      to_headers(header), [&] { return function(input); });
    } catch (const CompletedElsewhere&) {
        outcome.kind = Outcome::Kind::kElsewhere;
    } catch (...) {
        outcome.kind = Outcome::Kind::kFailed;
        outcome.failure = error_to_failure(std::current_exception());
    }
    return outcome;
}

void ActivityContext::log(LogLevel level, std::string_view message) const {
    if (!logger_) return;
    logger_({level,
             std::string(message),
             {{"namespace", info_.namespace_name},
              {"workflow_id", info_.workflow_id},
              {"run_id", info_.run_id},
              {"activity_type", info_.activity_type},
              {"activity_id", info_.activity_id},
              {"attempt", std::to_string(info_.attempt)}}});
}

}  // namespace stele::sdk

namespace stele::activity {

using sdk::ActivityContext;

const Info& info() { return ActivityContext::current().info(); }

void heartbeat_payloads(Payloads details) {
    ActivityContext::current().heartbeat(std::move(details));
}

Payloads previous_details() { return ActivityContext::current().previous_details(); }

void complete_elsewhere() {
    if (ActivityContext::current().info().is_local)
        throw IllegalCallError("a local activity ends where it runs");
    throw sdk::CompletedElsewhere();
}

void log(LogLevel level, std::string_view message) {
    ActivityContext::current().log(level, message);
}

StopReason stop_reason() { return ActivityContext::current().stop_reason(); }

bool cancelled() { return ActivityContext::current().cancelled(); }

void throw_if_cancelled() {
    if (cancelled()) throw CanceledError("activity canceled");
}

bool sleep_for(Milliseconds duration) { return ActivityContext::current().sleep_for(duration); }

}  // namespace stele::activity
