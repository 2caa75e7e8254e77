#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "sdk/worker/context.h"
#include "stele/activity.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sdk {

/// One attempt of an activity: runs the user's function on a thread of its own, throttles its
/// heartbeats, learns of its cancellation, and answers the server.
///
/// The function's thread and the executor share it; what both touch is atomic or handed over.
class ActivityAttempt : public std::enable_shared_from_this<ActivityAttempt> {
public:
    using Task = temporal::api::workflowservice::v1::PollActivityTaskQueueResponse;

    ActivityAttempt(std::shared_ptr<const WorkerContext> context,
                    std::shared_ptr<Executor> executor, std::shared_ptr<Task> task,
                    std::function<void()> finished);

    /// On the executor.
    void start();
    void cancel();

    // For the function's thread.
    const activity::Info& info() const { return info_; }
    Payloads previous_details() const;
    void heartbeat(Payloads details);
    bool cancelled() const { return cancelled_.load(); }
    bool sleep_for(Milliseconds duration);
    void log(LogLevel level, std::string_view message) const;

    static ActivityAttempt& current();

private:
    struct Outcome {
        enum class Kind { kCompleted, kFailed, kCanceled, kElsewhere } kind = Kind::kCompleted;
        std::optional<Payload> result;
        temporal::api::failure::v1::Failure failure;
    };

    void run();
    Outcome invoke();
    void on_heartbeat(Payloads details);
    void send_heartbeat(std::function<void()> then);
    void on_outcome(Outcome outcome);
    void answer(Outcome outcome);
    Milliseconds throttle() const;
    Milliseconds local_deadline() const;
    template <class Request, class Reply>
    void respond(const char* method, std::shared_ptr<Request> request);
    template <class Request, class Reply>
    void send(const char* method, std::shared_ptr<Request> request);

    std::shared_ptr<const WorkerContext> context_;
    std::shared_ptr<Executor> executor_;
    std::shared_ptr<Task> task_;
    std::function<void()> finished_;
    activity::Info info_;
    std::atomic<bool> cancelled_{false};
    /// Asked for by the workflow, as opposed to a worker that stops or a deadline that has passed.
    std::atomic<bool> cancel_requested_{false};
    std::unique_ptr<Runtime::Event> cancelled_event_;

    // Of the executor.
    std::optional<Payloads> unsent_details_;
    std::unique_ptr<Runtime::Timer> throttle_timer_;
    std::unique_ptr<Runtime::Timer> deadline_timer_;
    bool ended_ = false;
    bool expired_ = false;
};

}  // namespace stele::sdk
