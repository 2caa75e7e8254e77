#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "stele/embedded.h"
#include "stele/worker.h"

// Tests of workflows, against a real server under a clock that does not wait: a workflow that sleeps
// for a year is tested in milliseconds.
//
//     stele::testing::Environment environment;
//     stele::Worker worker(environment.client(), "queue");
//     worker.register_workflow<reminds>();
//     stele::testing::mock_activity<send_mail>(worker, [](std::string) { return true; });
//     worker.start();
//     EXPECT_EQ(environment.client().execute<reminds>({.task_queue = "queue"}, "ada"), 12);
//
// Programs that use this header link stele_embedded.
namespace stele::testing {

struct EnvironmentOptions {
    /// When its time begins.
    std::chrono::sys_seconds start{std::chrono::sys_days{std::chrono::January / 1 / 2030}};
    /// How far its time goes. Workers poll all the while, so that a wait for what never comes takes some
    /// tenth of a second for every year before it says so.
    std::chrono::hours horizon = std::chrono::hours(24) * 365 * 20;
    /// Decides the random numbers. The ids that a single thread of the test draws, such as those of
    /// workflows, are the same in every run.
    std::uint64_t seed = 1;
    /// As embedded::ServerOptions has them.
    std::vector<std::string> namespaces = {};
    std::vector<std::pair<std::string, std::string>> search_attributes = {};
    /// Of client(). Runtime and transport are the environment's.
    ClientOptions client = {};
};

/// A server in memory, and a runtime for clients and workers, which share one virtual clock.
///
/// Time stands still while the test's own code or an activity's runs. It passes when a thread of the
/// test waits, for a result or in sleep(), and everything else waits as well: then it goes forward to
/// the next moment at which something is due. Activities wait in virtual time with
/// activity::sleep_for(). When a thread waits for what does not come before the horizon, the wait throws
/// stele::Error that says so.
///
/// Safe to use from any thread; time passes as soon as one of the test's threads waits. Workers stop
/// before the environment is destroyed.
class Environment {
public:
    /// Throws ConfigurationError as embedded::Server does.
    explicit Environment(EnvironmentOptions options = {});
    ~Environment();
    Environment(const Environment&) = delete;

    const Client& client() const;
    /// Another one, for instance with another namespace. Runtime and transport are the environment's.
    Client connect(ClientOptions options) const;

    Runtime::Time now() const;
    /// Lets so much time pass, with all that is due in it.
    void sleep(Milliseconds duration) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

namespace detail {

template <class Function>
stele::detail::ActivityFunction mocked(Function function) {
    using Signature = stele::detail::signature<decltype(&Function::operator())>;
    return [function = std::make_shared<Function>(std::move(function))](const Payloads& input) {
        auto decoded = decode_arguments(input, std::type_identity<typename Signature::arguments>{});
        return stele::detail::invoke_encoded<typename Signature::result>(
            [&] { return std::apply(*function, std::move(decoded)); });
    };
}

}  // namespace detail

/// Lets a function object stand in for the activity, whether that is registered or not. It is called
/// as activities are: on a thread of its own, several at a time, and what it throws is the activity's
/// failure. Before the worker starts.
template <class Function>
void mock_activity(Worker& worker, std::string name, Function function) {
    worker.set_activity(std::move(name), detail::mocked(std::move(function)));
}
/// The same for an activity that is known here: the stand-in must take its arguments and give its
/// result.
template <auto Activity, class Function>
void mock_activity(Worker& worker, Function function) {
    using Wanted = stele::detail::signature_for<Activity>;
    using Given = stele::detail::signature<decltype(&Function::operator())>;
    static_assert(std::is_same_v<typename Wanted::arguments, typename Given::arguments>,
                  "a mock takes the arguments of its activity");
    static_assert(std::is_same_v<typename Wanted::result, typename Given::result>,
                  "a mock gives the result of its activity");
    mock_activity(worker, std::string(activity_name<Activity>), std::move(function));
}

}  // namespace stele::testing
