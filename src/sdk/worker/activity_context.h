#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

#include "sdk/worker/context.h"
#include "stele/activity.h"

namespace stele::sdk {

/// What an activity's function finds around it, whether the server gave it out or a workflow runs it
/// locally. The function reaches it through its thread.
class ActivityContext {
public:
    ActivityContext(std::shared_ptr<const WorkerContext> context, activity::Info info)
        : context_(std::move(context)),
          info_(std::move(info)),
          cancelled_event_(context_->client->runtime()->make_event()) {}
    virtual ~ActivityContext() = default;
    ActivityContext(const ActivityContext&) = delete;

    // For the function's thread.
    const activity::Info& info() const { return info_; }
    virtual Payloads previous_details() const { return {}; }
    virtual void heartbeat(Payloads details) = 0;
    bool cancelled() const { return stop_reason() != activity::StopReason::kNone; }
    activity::StopReason stop_reason() const { return stop_reason_.load(); }
    bool sleep_for(Milliseconds duration) { return !cancelled_event_->wait_for(duration); }
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
    /// What came of calling the function.
    struct Outcome {
        enum class Kind { kCompleted, kFailed, kCanceled, kElsewhere } kind = Kind::kCompleted;
        std::optional<Payload> result;
        temporal::api::failure::v1::Failure failure;
    };
    /// Calls the activity's function on this thread. A CanceledError that it throws is a failure here.
    Outcome call_function(const Payloads& input, const temporal::api::common::v1::Header& header);

    const std::shared_ptr<const WorkerContext> context_;
    activity::Info info_;

private:
    std::atomic<activity::StopReason> stop_reason_{activity::StopReason::kNone};
    std::unique_ptr<Runtime::Event> cancelled_event_;
};

}  // namespace stele::sdk
