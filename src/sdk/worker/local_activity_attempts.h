#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "sdk/core/activation.h"
#include "sdk/worker/activity_context.h"

namespace stele::sdk {

/// A local activity at work: attempts of the user's function on threads of their own, with pauses
/// between them, until it has an outcome or the next pause is long enough to be a timer.
///
/// Lives on the executor of its run; only the function runs elsewhere.
class LocalActivityAttempts : public std::enable_shared_from_this<LocalActivityAttempts> {
public:
    using Done = std::function<void(core::LocalActivityOutcome)>;
    struct RunIdentity {
        std::string workflow_id;
        std::string run_id;
        std::string workflow_type;
    };

    LocalActivityAttempts(std::shared_ptr<const WorkerContext> context,
                          std::shared_ptr<Executor> executor, core::LocalActivity activity,
                          RunIdentity identity, const LocalActivityInstruments& instruments,
                          Done done)
        : context_(std::move(context)),
          executor_(std::move(executor)),
          activity_(std::move(activity)),
          identity_(std::move(identity)),
          instruments_(instruments),
          done_(std::move(done)),
          attempt_(activity_.attempt) {}

    void start();
    /// The function hears of it; an attempt that ends as cancelled is the last one.
    void cancel();
    /// The function hears of it, and nobody hears of its end.
    void abandon();

private:
    class Attempt;

    void begin_attempt();
    void on_attempt(std::int32_t number, std::optional<Payload> result,
                    std::optional<core::Failure> failure);
    void on_failure(core::Failure failure);
    void on_deadline(std::int32_t number);
    std::optional<Milliseconds> next_pause(const core::Failure& failure) const;
    std::optional<Milliseconds> time_left() const;
    core::Failure wrap(core::Failure cause) const;
    void measure(const core::LocalActivityOutcome& outcome) const;
    void finish(core::LocalActivityOutcome outcome);

    std::shared_ptr<const WorkerContext> context_;
    std::shared_ptr<Executor> executor_;
    core::LocalActivity activity_;
    RunIdentity identity_;
    const LocalActivityInstruments instruments_;
    Done done_;
    std::int32_t attempt_;
    Runtime::Time scheduled_;
    bool cancelled_ = false;
    std::shared_ptr<Attempt> running_;
    std::unique_ptr<Runtime::Timer> timer_;
};

}  // namespace stele::sdk
