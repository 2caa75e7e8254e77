#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sdk {

/// A worker that runs the first task of a workflow which comes with the answer to the start, without the way
/// through the task queue. Safe to use from any thread.
class EagerWorker {
public:
    using Start = temporal::api::workflowservice::v1::StartWorkflowExecutionRequest;
    using Task = temporal::api::workflowservice::v1::PollWorkflowTaskQueueResponse;

    virtual ~EagerWorker() = default;
    /// False: there is no free slot, or the worker stops. A slot that is taken is given back or used,
    /// and the worker waits for that before it ends.
    virtual bool take_slot() = 0;
    virtual void give_back() = 0;
    virtual void run(std::shared_ptr<Task> task) = 0;
    /// Adds to a start what the server has to know of who will work on it.
    virtual void describe(Start& start) const = 0;
};

/// The workers of one client, by task queue. Safe to use from any thread.
class EagerWorkers {
public:
    void add(const std::string& task_queue, const std::weak_ptr<EagerWorker>& worker);
    /// One of those that are still there, with a slot taken; null: none has one.
    std::shared_ptr<EagerWorker> take_slot(const std::string& task_queue);

private:
    /// Few, and looked at more often than changed.
    using List = std::vector<std::pair<std::string, std::weak_ptr<EagerWorker>>>;
    std::atomic<std::shared_ptr<const List>> workers_{std::make_shared<const List>()};
};

/// Takes a slot for the length of a call, and gives it back unless a task has come for it.
class EagerStart {
public:
    /// Without a worker nothing is asked for.
    EagerStart(std::shared_ptr<EagerWorker> worker, EagerWorker::Start& start);
    ~EagerStart();
    EagerStart(const EagerStart&) = delete;
    EagerStart& operator=(const EagerStart&) = delete;

    void receive(temporal::api::workflowservice::v1::StartWorkflowExecutionResponse& reply);

private:
    std::shared_ptr<EagerWorker> worker_;  // null: there is no slot to give back
};

}  // namespace stele::sdk
