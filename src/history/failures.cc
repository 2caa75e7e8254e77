#include "history/failures.h"

#include <algorithm>
#include <utility>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

/// Deeper causes than this are dropped.
constexpr int kCauseDepth = 20;
/// What a length-delimited field costs beside its content.
constexpr std::int64_t kFieldOverhead = 4;

/// Copies parts of a failure as long as the budget lasts.
class Truncation {
public:
    explicit Truncation(std::int64_t bytes) : left_(bytes) {}

    Failure cut(const Failure& failure, int depth) {
        Failure result;
        cut_info(failure, result);
        cut_text(failure.source(), *result.mutable_source());
        cut_text(failure.message(), *result.mutable_message());
        cut_text(failure.stack_trace(), *result.mutable_stack_trace());
        if (failure.has_cause() && left_ > kFieldOverhead && depth > 0) {
            left_ -= kFieldOverhead;
            *result.mutable_cause() = cut(failure.cause(), depth - 1);
        }
        return result;
    }

private:
    /// Whether it may be retried must survive, so the kinds that say so keep their info.
    void cut_info(const Failure& failure, Failure& result) {
        if (failure.has_application_failure_info()) {
            const auto& info = failure.application_failure_info();
            auto& kept = *result.mutable_application_failure_info();
            kept.set_non_retryable(info.non_retryable());
            cut_text(info.type(), *kept.mutable_type());
            left_ -= 2 * kFieldOverhead;
        } else if (failure.has_server_failure_info()) {
            result.mutable_server_failure_info()->set_non_retryable(
                failure.server_failure_info().non_retryable());
            left_ -= kFieldOverhead;
        }
    }

    void cut_text(const std::string& text, std::string& result) {
        if (left_ <= 0) return;
        std::size_t length = std::min(text.size(), static_cast<std::size_t>(left_));
        const auto continues = [&](std::size_t at) {
            return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
        };
        while (length > 0 && continues(length)) --length;
        result = text.substr(0, length);
        if (length > 0) left_ -= static_cast<std::int64_t>(length) + kFieldOverhead;
    }

    std::int64_t left_;
};

Failure timeout_failure(std::string message, TimeoutType type) {
    Failure failure;
    failure.set_message(std::move(message));
    failure.set_source("Server");
    failure.mutable_timeout_failure_info()->set_timeout_type(type);
    return failure;
}

}  // namespace

Failure server_failure(std::string message, bool non_retryable) {
    Failure failure;
    failure.set_message(std::move(message));
    failure.mutable_server_failure_info()->set_non_retryable(non_retryable);
    return failure;
}

std::string timeout_name(TimeoutType type) {
    switch (type) {
        case enums::TIMEOUT_TYPE_START_TO_CLOSE: return "StartToClose";
        case enums::TIMEOUT_TYPE_SCHEDULE_TO_START: return "ScheduleToStart";
        case enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: return "ScheduleToClose";
        case enums::TIMEOUT_TYPE_HEARTBEAT: return "Heartbeat";
        default: return "Unspecified";
    }
}

Failure activity_timeout_failure(TimeoutType type) {
    return timeout_failure("activity " + timeout_name(type) + " timeout", type);
}

Failure out_of_time_failure() {
    return timeout_failure(
        "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up "
        "retrying",
        enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
}

Failure truncate_failure(const Failure& failure, std::size_t bytes) {
    return Truncation(static_cast<std::int64_t>(bytes)).cut(failure, kCauseDepth);
}

Failure storable_failure(const Failure& failure, std::size_t bytes) {
    if (failure.ByteSizeLong() <= bytes) return failure;
    Failure result = server_failure("Failure exceeds size limit.", false);
    *result.mutable_cause() = truncate_failure(failure, bytes);
    return result;
}

temporal::api::common::v1::Payloads plain_text_payloads(const std::string& text) {
    temporal::api::common::v1::Payloads payloads;
    auto& payload = *payloads.add_payloads();
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data("\"" + text + "\"");
    return payloads;
}

}  // namespace stele::history
