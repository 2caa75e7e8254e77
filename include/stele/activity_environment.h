#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "stele/activity.h"

namespace stele::testing {

/// The activity said activity::complete_elsewhere().
class CompletedElsewhere : public Error {
public:
    CompletedElsewhere() : Error("the activity is to be completed elsewhere") {}
};

/// Calls a function as an activity, without a server, a worker or a workflow:
///
///     stele::testing::ActivityEnvironment environment;
///     environment.previous_details(41);
///     environment.cancel_after_heartbeats(3);
///     EXPECT_THROW(environment.run(import_rows, "file"), stele::CanceledError);
///     EXPECT_EQ(environment.heartbeats().size(), 3);
///
/// activity::sleep_for() waits for nothing and is added up. Set up first, then run(), once or several
/// times; cancel() may be called from any thread, everything else from one at a time.
class ActivityEnvironment {
public:
    ActivityEnvironment();
    /// What activity::info() gives, in place of the texts "test" and attempt 1.
    explicit ActivityEnvironment(activity::Info info);
    ~ActivityEnvironment();
    ActivityEnvironment(const ActivityEnvironment&) = delete;

    /// Calls the function on this thread; gives and throws what it does.
    template <class Function, class... A>
    std::invoke_result_t<Function, A...> run(Function&& function, A&&... arguments) {
        using Result = std::invoke_result_t<Function, A...>;
        if constexpr (std::is_void_v<Result>) {
            call([&] { std::invoke(function, std::forward<A>(arguments)...); });
        } else {
            std::optional<Result> result;
            call([&] { result.emplace(std::invoke(function, std::forward<A>(arguments)...)); });
            return std::move(*result);
        }
    }

    /// What the attempt before is to have told with its last heartbeat.
    template <class... T>
    void previous_details(const T&... details) {
        set_previous_details(encode_arguments(details...));
    }

    /// Tells the activity to stop, as the server would; the first reason counts.
    void cancel(activity::StopReason reason = activity::StopReason::kCancelRequested);
    /// Does so with the answer to this heartbeat, counted from 1 and over all runs.
    void cancel_after_heartbeats(
        int count, activity::StopReason reason = activity::StopReason::kCancelRequested);
    /// Called with the details of every heartbeat, on the activity's thread.
    void on_heartbeat(std::function<void(const Payloads&)> hook);

    /// The details of all heartbeats, none of which is held back here.
    const std::vector<Payloads>& heartbeats() const;
    /// One value of the last heartbeat; nothing where there is none.
    template <class T>
    std::optional<T> last_detail(std::size_t index = 0) const {
        if (heartbeats().empty() || index >= heartbeats().back().size()) return std::nullopt;
        return decode_value<T>(heartbeats().back()[index]);
    }
    /// How long the activity has slept.
    Milliseconds slept() const;
    /// What it has logged.
    const std::vector<LogRecord>& log() const;

private:
    void call(const std::function<void()>& function);
    void set_previous_details(Payloads details);

    class Context;
    std::unique_ptr<Context> context_;
};

}  // namespace stele::testing
