#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

#include "sdk/worker/context.h"
#include "stele/activity.h"

namespace stele::sdk {

activity::RetryInfo to_retry_info(const temporal::api::common::v1::RetryPolicy& policy);
activity::PriorityInfo to_priority_info(const temporal::api::common::v1::Priority& priority);

/// What complete_elsewhere() throws.
struct CompletedElsewhere {};

/// What an activity's function finds around it. The function reaches it through its thread.
class ActivityContext {
public:
    /// `runtime` and `logger` outlive it; the logger may be empty.
    ActivityContext(const std::shared_ptr<Runtime>& runtime, Logger logger, activity::Info info)
        : info_(std::move(info)),
          logger_(std::move(logger)),
          cancelled_event_(runtime->make_event()) {}
    virtual ~ActivityContext() = default;
    ActivityContext(const ActivityContext&) = delete;

    /// Makes a context that of this thread for as long as it lives.
    class OnThisThread {
    public:
        explicit OnThisThread(ActivityContext& context);
        ~OnThisThread();
        OnThisThread(const OnThisThread&) = delete;
    };

    // For the function's thread.
    const activity::Info& info() const { return info_; }
    virtual Payloads previous_details() const { return {}; }
    virtual void heartbeat(Payloads details) = 0;
    bool cancelled() const { return stop_reason() != activity::StopReason::kNone; }
    activity::StopReason stop_reason() const { return stop_reason_.load(); }
    virtual bool sleep_for(Milliseconds duration) { return !cancelled_event_->wait_for(duration); }
    void log(LogLevel level, std::string_view message) const;

    /// Tells the function to stop; the first reason counts. From any thread.
    void stop(activity::StopReason reason) {
        auto none = activity::StopReason::kNone;
        stop_reason_.compare_exchange_strong(none, reason);
        cancelled_event_->set();
    }

    /// Throws IllegalCallError on a thread that runs no activity.
    static ActivityContext& current();

protected:
    activity::Info info_;

private:
    Logger logger_;
    std::atomic<activity::StopReason> stop_reason_{activity::StopReason::kNone};
    std::unique_ptr<Runtime::Event> cancelled_event_;
};

/// An activity of a worker, whether the server gave it out or a workflow runs it locally.
class WorkerActivity : public ActivityContext {
public:
    WorkerActivity(std::shared_ptr<const WorkerContext> context, activity::Info info)
        : ActivityContext(context->client->runtime(), context->client->options().logger,
                          std::move(info)),
          context_(std::move(context)) {}

protected:
    /// What came of calling the function.
    struct Outcome {
        enum class Kind { kCompleted, kFailed, kCanceled, kElsewhere } kind = Kind::kCompleted;
        std::optional<Payload> result;
        temporal::api::failure::v1::Failure failure;
    };
    /// Calls the activity's function on this thread. A CanceledError that it throws is a failure here.
    Outcome call_function(const Payloads& input, const temporal::api::common::v1::Header& header);

    const std::shared_ptr<const WorkerContext> context_;
};

}  // namespace stele::sdk
