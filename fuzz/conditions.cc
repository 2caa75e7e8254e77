#include "fuzz/target.h"

#include "frontend/worker_filter.h"
#include "history/rule_condition.h"

// Any bytes as the condition of a workflow rule, and as a filter of workers: it is decided the same way
// each time, or refused as an invalid argument.
namespace {

using namespace stele;

std::optional<history::RuleValue> field(std::string_view name) {
    if (name == "ActivityType") return history::RuleValue(std::string("charge"));
    if (name == "ActivityAttempt") return history::RuleValue(std::int64_t{3});
    if (name == "StartTime") return history::RuleValue(Timestamp(std::chrono::hours(500'000)));
    if (name == "Unset") return history::RuleValue();
    return std::nullopt;
}

void check_condition(std::string_view text) {
    const auto holds = history::evaluate_condition(text, field);
    const auto again = history::evaluate_condition(text, field);
    STELE_CHECK(holds.ok() == again.ok() && (!holds.ok() || *holds == *again), "undecided");
    if (holds.ok()) return;
    STELE_CHECK(holds.status().code() == absl::StatusCode::kInvalidArgument, "another error");
    STELE_CHECK(!message_of(holds.status()).empty(), "no word about what is wrong");
}

void check_worker_filter(const std::string& text) {
    const auto filter = frontend::parse_worker_filter(text);
    if (!filter.ok()) {
        STELE_CHECK(filter.status().code() == absl::StatusCode::kInvalidArgument, "another error");
        return;
    }
    frontend::WorkerHeartbeat heartbeat;
    heartbeat.set_worker_identity("worker");
    heartbeat.set_task_queue("queue");
    STELE_CHECK((*filter)(heartbeat) == (*filter)(heartbeat), "undecided");
}

}  // namespace

STELE_FUZZ_TARGET(conditions) {
    check_condition(input);
    check_worker_filter(std::string(input));
}
