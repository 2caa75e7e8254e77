#pragma once

#include "sim/network.h"
#include "sim/record.h"
#include "sim/script.h"
#include "sim/update_script.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <map>
#include <string>
#include <vector>

// A simulated worker: it polls, keeps histories in a cache when its queue is sticky, obeys the
// script, and now and then fails, forgets or goes silent.
namespace stele::sim {

/// Not thread safe; lives on the callers' executor for the whole simulation.
class Worker {
public:
    Worker(Network& network, Record& record, const Options& options, std::string namespace_name,
           std::string identity);

    /// Keeps so many polls of each kind under way for as long as the simulation lasts.
    void start(int polls);
    /// The worker is replaced by another within a second, and the server told, as one that is stopped
    /// in order tells it. Nothing is lost by that.
    void end_soon();

private:
    using PollTask = temporal::api::workflowservice::v1::PollWorkflowTaskQueueResponse;
    using PollActivity = temporal::api::workflowservice::v1::PollActivityTaskQueueResponse;
    using Events = std::vector<HistoryEvent>;

    /// Chooses the worker's own queue or the common one as the Go and Java SDKs do: the one that
    /// fewer polls wait on, but its own for as long as the server tells of a backlog there.
    void poll_workflow();
    void poll_activity();
    /// Goes away before the answer, now and then.
    void maybe_abandon(Network::CallId poll);
    Duration poll_timeout();
    /// `sticky`: it comes from the queue of this worker, which has the run.
    void take(PollTask task, bool sticky);
    void take_now(PollTask task);
    /// Reads the pages that did not fit, then goes on with `task`.
    void read_on(PollTask task, Events events, std::string token);
    void obey(PollTask task, const Events& events);
    void answer_query(const PollTask& task, const Events& events);
    void complete(const PollTask& task, const UpdateAnswers& answers);
    /// The updates that a task brings, and those that its worker was still at.
    std::vector<Message> updates_of(const PollTask& task, const Events& events);
    void send_completion(
        const temporal::api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request);
    void fail(const PollTask& task);
    void work(const PollActivity& task);
    void complete_activity(const PollActivity& task);
    /// Completes somebody else's activity, which must be refused.
    void intrude(const PollActivity& task);
    void fail_activity(const PollActivity& task);
    /// Only where operators are at work, who let it go on later.
    void pause_if_operated(const PollActivity& task);
    /// Another worker takes over, which knows no run; the server is told of the end after so long.
    void begin_again(Duration told_after);
    void tell_of_end(const std::string& queue);
    std::string sticky_queue() const;

    Network& network_;
    Record& record_;
    const Options& options_;
    const std::string namespace_;
    const std::string identity_;
    int polls_of_own_queue_ = 0;
    int polls_of_common_queue_ = 0;
    std::int64_t own_backlog_ = 0;
    int life_ = 1;                         // a worker that lost its memory has another sticky queue
    std::map<std::string, Events> cache_;  // by run id
    std::map<std::string, std::vector<Message>> kept_updates_;  // not answered yet, by run id
};

inline constexpr char kQueue[] = "queue";
/// To a query that came with a workflow task.
inline constexpr char kAttachedAnswer[] = "attached";
inline constexpr char kNamespace[] = "default";
/// It has workflows with the same ids, and workers on a queue of the same name.
inline constexpr char kOtherNamespace[] = "other";

}  // namespace stele::sim
