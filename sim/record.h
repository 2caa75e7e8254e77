#pragma once

#include "base/time.h"
#include "temporal/api/history/v1/message.pb.h"
#include "temporal/api/update/v1/message.pb.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

// What the outside has been told: the part of the truth that no fault may take back. At the end it
// is held against what the server then says.
namespace stele::sim {

/// How the record calls a workflow of the other namespace, whose ids are those of the first.
inline const std::string kOtherPrefix = "other/";

/// What the caller of an update was told at one time or another.
struct UpdateTold {
    bool accepted = false;
    bool completed = false;  // by the workflow, with success
    bool rejected = false;
};

/// A run that was made from the history of another, up to an event.
struct Reset {
    std::string workflow_id;
    std::string base_run_id;
    std::string run_id;
    std::int64_t finish = 0;
};

/// Not thread safe.
class Record {
public:
    /// A start was acknowledged. Two acknowledgements of one request id must name one run.
    void started(const std::string& workflow_id, const std::string& request_id,
                 const std::string& run_id);
    /// A signal was acknowledged; `value` is its only one of a kind.
    void signalled(const std::string& workflow_id, const std::string& value);
    /// An activity's completion was acknowledged: that of this attempt, once.
    void activity_completed(const std::string& run_id, const std::string& activity_id, int attempt);
    /// A worker was given a task, by the answer to a poll or to a completion. No other may be
    /// given it, or this one again.
    template <typename Task>
    void task_given(const Task& task) {
        task_given(task.workflow_execution().run_id(), from_proto(task.started_time()),
                   task.task_token());
    }
    /// A worker left a poll that was not answered then.
    void poll_left(Timestamp when) { polls_left_.insert(when); }
    /// Whether a task that was started then may have gone with a poll: nobody was given it, and a
    /// worker left soon behind, when the start could have been written and not yet synced.
    bool may_have_left_with_poll(const std::string& run_id, Timestamp started) const;
    /// The completion of a workflow task was acknowledged.
    void task_completed(const std::string& token);
    /// A request to cancel a workflow was sent, and acknowledged.
    void cancel_requested(const std::string& workflow_id, Timestamp sent, Timestamp told);
    /// A reset was acknowledged. Each workflow is reset by one request, which makes one run.
    void was_reset(const Reset& reset);
    /// A callback has told how a run ended.
    void told_end(const std::string& run_id, const temporal::api::history::v1::HistoryEvent& end);
    /// An update was acknowledged; without an outcome it has been accepted.
    void updated(const std::string& run_id, const std::string& update_id,
                 const temporal::api::update::v1::Outcome& outcome);
    /// A part of a history, from the first event on, was read.
    void read_prefix(const std::string& run_id,
                     const std::vector<temporal::api::history::v1::HistoryEvent>& events);
    void violation(std::string text) { violations.push_back(std::move(text)); }

    std::map<std::string, std::set<std::string>> runs;               // workflow id to first runs
    std::map<std::string, std::set<std::string>> signals;            // workflow id to values
    std::map<std::pair<std::string, std::string>, int> completions;  // run id, activity id: attempt
    struct Cancel {
        Timestamp sent;
        Timestamp told;
    };
    std::map<std::string, std::vector<Cancel>> cancels;                 // by workflow id
    std::map<std::pair<std::string, std::string>, UpdateTold> updates;  // by run id, update id
    std::map<std::string, std::vector<std::uint64_t>> prefixes;  // run id to hash after each event
    std::set<std::pair<std::string, std::string>> listed;        // workflow id, run id
    std::vector<Reset> resets;
    std::map<std::string, std::string> removed;  // workflow id to the run that is to be deleted
    /// The ends of runs that callbacks have told; by run id.
    std::map<std::string, temporal::api::history::v1::HistoryEvent> told_ends;
    /// When somebody sent a request that ends the delay of a workflow's start; by workflow id.
    std::map<std::string, std::vector<Timestamp>> hastened;
    std::set<std::string> operated;  // workflow ids whose activities operators touch
    std::set<std::string> batches;   // job ids of batch operations that were acknowledged
    std::vector<std::string> violations;
    std::uint64_t queries_answered = 0;

private:
    void task_given(const std::string& run_id, Timestamp started, const std::string& token);

    std::map<std::string, std::string> run_of_request_;
    std::set<std::string> tasks_given_;                     // by token
    std::set<std::pair<std::string, Timestamp>> given_at_;  // run id, start of the task
    std::set<Timestamp> polls_left_;
    std::set<std::string> tasks_completed_;  // by token
};

}  // namespace stele::sim
