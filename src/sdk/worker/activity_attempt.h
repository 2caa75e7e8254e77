#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sdk/worker/activity_context.h"
#include "sdk/worker/context.h"
#include "stele/activity.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sdk {

/// One attempt of an activity: runs the user's function on a thread of its own, throttles its
/// heartbeats, learns of its cancellation, and answers the server.
///
/// The function's thread and the executor share it; what both touch is atomic or handed over.
class ActivityAttempt final : public WorkerActivity,
                              public std::enable_shared_from_this<ActivityAttempt> {
public:
    using Task = temporal::api::workflowservice::v1::PollActivityTaskQueueResponse;

    ActivityAttempt(std::shared_ptr<const WorkerContext> context,
                    std::shared_ptr<Executor> executor, std::shared_ptr<Task> task,
                    const ActivityInstruments& instruments, std::function<void()> finished);

    /// On the executor.
    void start();

    Payloads previous_details() const override;
    void heartbeat(Payloads details) override;

private:
    void run();
    void judge_cancellation(Outcome& outcome) const;
    void on_heartbeat(Payloads details);
    void send_heartbeat();
    void on_heartbeat_answered();
    void on_outcome(Outcome outcome);
    void answer(Outcome outcome);
    void measure(const Outcome& outcome) const;
    Milliseconds throttle() const;
    Milliseconds local_deadline() const;
    SerializationContext data_context() const;
    template <class Request, class Reply>
    void respond(const char* method, std::shared_ptr<Request> request);
    template <class Request, class Reply>
    void send(const char* method, std::shared_ptr<Request> request);

    std::shared_ptr<Executor> executor_;
    std::shared_ptr<Task> task_;
    const ActivityInstruments instruments_;
    std::function<void()> finished_;
    Runtime::Time begun_{};
    /// Asked for by the workflow, as opposed to a worker that stops or a deadline that has passed.
    std::atomic<bool> cancel_requested_{false};

    // Of the executor.
    std::optional<Payloads> unsent_details_;
    /// One at a time: of two under way the older might arrive last, and its details would stay.
    bool heartbeat_under_way_ = false;
    /// A failure that waits until the latest details have been sent.
    std::optional<Outcome> held_outcome_;
    std::unique_ptr<Runtime::Timer> throttle_timer_;
    std::unique_ptr<Runtime::Timer> deadline_timer_;
    bool ended_ = false;
    bool expired_ = false;
};

}  // namespace stele::sdk
