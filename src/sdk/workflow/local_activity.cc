#include <utility>

#include "sdk/data/convert.h"
#include "sdk/workflow/run_context.h"
#include "sdk/workflow/settle.h"
#include "stele/detail/operation.h"

// A local activity as the workflow's code waits for it: one or several series of attempts in the
// worker, with timers of the workflow between them where the pause is long.
namespace stele::wf::detail {

namespace {

class LocalActivityOperation final : public PendingOperation,
                                     public LocalActivityTarget,
                                     public TimerTarget {
public:
    LocalActivityOperation(std::string_view type, Payloads input,
                           const LocalActivityOptions& options)
        : cancellation_(options.cancellation) {
        activity_.type = std::string(type);
        activity_.input = sdk::to_message(std::move(input));
        activity_.start_to_close = options.start_to_close;
        activity_.schedule_to_close = options.schedule_to_close;
        if (options.retry) activity_.retry = sdk::to_message(*options.retry);
        activity_.local_retry_max = options.local_retry_max;
        if (!options.summary.empty()) activity_.summary = sdk::json_string(options.summary);
    }
    ~LocalActivityOperation() override { forget(); }

    void on_local_outcome(core::LocalActivityOutcome outcome) override {
        if (outcome.backoff.count() <= 0) {
            run_ = nullptr;
            settle(*this, std::move(outcome.resolution));
            return;
        }
        activity_.attempt = outcome.attempt + 1;
        activity_.original_schedule_time_nanoseconds = outcome.original_schedule_time_nanoseconds;
        timer_running_ = true;
        sequence_ = run_->add_timer(*this);
        run_->call(
            core::StartTimerCall{sequence_, make_timer_command(sequence_, outcome.backoff, {})});
    }

    void on_timer() override {
        timer_running_ = false;
        schedule();
    }

private:
    void begin(RunContext& run) override {
        run_ = &run;
        run.intercept_call(
            {InterceptedCall::Kind::kLocalActivity, activity_.type, run.info().workflow_id},
            [&] { return &activity_.header; });
        schedule();
    }

    void schedule() {
        sequence_ = run_->add_local_activity(*this);
        activity_.sequence = sequence_;
        if (activity_.activity_id.empty()) activity_.activity_id = std::to_string(sequence_);
        run_->call(core::ScheduleLocalActivityCall{activity_});
    }

    void on_cancel(const std::string& reason) override {
        if (timer_running_) {
            run_->call(core::CancelTimerCall{sequence_});
        } else {
            const bool wait = cancellation_ == ActivityCancellation::kWaitCompleted;
            run_->call(core::CancelLocalActivityCall{
                sequence_, !wait, cancellation_ != ActivityCancellation::kAbandon});
            if (wait) return;
        }
        forget();
        fail(make_activity_canceled(activity_.type, activity_.activity_id, reason));
    }

    void forget() {
        if (run_ == nullptr) return;
        if (timer_running_)
            run_->remove_timer(sequence_);
        else
            run_->remove_local_activity(sequence_);
        timer_running_ = false;
        run_ = nullptr;
    }

    core::LocalActivity activity_;
    ActivityCancellation cancellation_;
    RunContext* run_ = nullptr;
    /// Of the activity, or of the timer when that runs.
    core::Sequence sequence_ = 0;
    bool timer_running_ = false;
};

}  // namespace

OperationPointer make_local_activity(std::string_view type, Payloads input,
                                     const LocalActivityOptions& options) {
    if (options.start_to_close.count() <= 0 && options.schedule_to_close.count() <= 0)
        throw IllegalCallError(
            "a local activity needs one of start_to_close and schedule_to_close");
    return std::make_unique<LocalActivityOperation>(type, std::move(input), options);
}

}  // namespace stele::wf::detail
