#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "sdk/worker/slots.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sdk {

/// Activities that a workflow task's completion asks for and gets back in its answer, without the way
/// through the task queue. They need free slots here, and the same task queue.
///
/// Safe to use from any thread. Belongs to one worker.
class EagerActivities {
public:
    using Task = temporal::api::workflowservice::v1::PollActivityTaskQueueResponse;
    using Completion = temporal::api::workflowservice::v1::RespondWorkflowTaskCompletedRequest;
    using Answer = temporal::api::workflowservice::v1::RespondWorkflowTaskCompletedResponse;
    /// Runs a task whose slot is taken.
    using Run = std::function<void(std::shared_ptr<Task>)>;
    /// Slots have been given back.
    using Freed = std::function<void()>;

    EagerActivities(std::string task_queue, std::shared_ptr<Slots> slots, Run run, Freed freed)
        : task_queue_(std::move(task_queue)),
          slots_(std::move(slots)),
          run_(std::move(run)),
          freed_(std::move(freed)) {}

    /// Marks commands of the completion as wanted here; gives the number of slots that were taken.
    int request(Completion& completion) const;
    /// Runs what the answer brings, and gives the other slots back. A null answer brings nothing.
    void receive(int taken, Answer* answer) const;

private:
    std::string task_queue_;
    std::shared_ptr<Slots> slots_;
    Run run_;
    Freed freed_;
};

}  // namespace stele::sdk
