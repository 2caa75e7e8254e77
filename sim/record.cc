#include "sim/record.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

namespace stele::sim {
namespace {

/// Behind the syncs of many others, where no disk is slow.
constexpr Duration kLongestSync = std::chrono::milliseconds(200);

/// FNV-1a, rolled over the events of a run.
std::uint64_t roll(std::uint64_t hash, const std::string& bytes) {
    constexpr std::uint64_t kPrime = 0x100000001B3u;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    return hash;
}

/// Maps in the order of their keys: one event has one text.
std::string canonical(const temporal::api::history::v1::HistoryEvent& event) {
    std::string bytes;
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    event.SerializeToCodedStream(&out);
    out.Trim();
    return bytes;
}

}  // namespace

void Record::started(const std::string& workflow_id, const std::string& request_id,
                     const std::string& run_id) {
    const auto [known, fresh] = run_of_request_.emplace(request_id, run_id);
    if (!fresh && known->second != run_id) {
        violation(fmt::format("invariant 2: request {} started run {} and run {}", request_id,
                              known->second, run_id));
    }
    runs[workflow_id].insert(run_id);
}

void Record::signalled(const std::string& workflow_id, const std::string& value) {
    signals[workflow_id].insert(value);
}

void Record::activity_completed(const std::string& run_id, const std::string& activity_id,
                                int attempt) {
    if (completions.emplace(std::pair(run_id, activity_id), attempt).second) return;
    violation(fmt::format("invariant 5: two completions of activity {} of run {} were acknowledged",
                          activity_id, run_id));
}

void Record::task_given(const std::string& run_id, Timestamp started, const std::string& token) {
    given_at_.emplace(run_id, started);
    if (tasks_given_.insert(token).second) return;
    violation("invariant 9: a task was given to two polls");
}

bool Record::may_have_left_with_poll(const std::string& run_id, Timestamp started) const {
    if (given_at_.contains({run_id, started})) return false;
    const auto left = polls_left_.lower_bound(started);
    return left != polls_left_.end() && *left <= started + kLongestSync;
}

void Record::task_completed(const std::string& token) {
    if (tasks_completed_.insert(token).second) return;
    violation("invariant 9: two completions of a workflow task were acknowledged");
}

void Record::cancel_requested(const std::string& workflow_id, Timestamp sent, Timestamp told) {
    cancels[workflow_id].push_back({sent, told});
}

void Record::was_reset(const Reset& reset) {
    for (const Reset& known : resets) {
        if (known.workflow_id != reset.workflow_id) continue;
        if (known.run_id == reset.run_id) return;
        violation(fmt::format("invariant 2: one request has reset {} to run {} and to run {}",
                              reset.workflow_id, known.run_id, reset.run_id));
    }
    resets.push_back(reset);
    runs[reset.workflow_id].insert(reset.run_id);
}

void Record::told_end(const std::string& run_id,
                      const temporal::api::history::v1::HistoryEvent& end) {
    const auto [known, fresh] = told_ends.emplace(run_id, end);
    if (fresh || canonical(known->second) == canonical(end)) return;
    violation(fmt::format("invariant 19: callbacks tell of two ends of run {}", run_id));
}

void Record::updated(const std::string& run_id, const std::string& update_id,
                     const temporal::api::update::v1::Outcome& outcome) {
    UpdateTold& told = updates[{run_id, update_id}];
    // A failure is the worker's rejection, or the end of the run under an accepted update.
    const bool ended_with_run =
        outcome.failure().application_failure_info().type() == "AcceptedUpdateCompletedWorkflow";
    if (outcome.has_failure() && !ended_with_run) {
        told.rejected = true;
        return;
    }
    told.accepted = true;
    told.completed = told.completed || outcome.has_success();
}

void Record::read_prefix(const std::string& run_id,
                         const std::vector<temporal::api::history::v1::HistoryEvent>& events) {
    std::vector<std::uint64_t>& known = prefixes[run_id];
    std::uint64_t hash = 0xCBF29CE484222325u;
    for (std::size_t i = 0; i < events.size(); ++i) {
        hash = roll(hash, canonical(events[i]));
        if (i == known.size()) known.push_back(hash);
        if (known[i] == hash) continue;
        violation(fmt::format("invariant 4: event {} of run {} changed after it had been read",
                              i + 1, run_id));
        return;
    }
}

}  // namespace stele::sim
