// Waiting for a service that does not call back, in the two ways that suit:
//
//   * seldom, every minute and more: the activity fails as long as the answer is "not yet", and the
//     retry policy is the pace. No process is busy meanwhile, and the history keeps one activity only;
//   * often, every second: the activity asks in a loop and sends heartbeats, so that the server
//     notices when its worker is gone and another worker goes on where it was.
//
//     polling

#include <stele/stele.h>

#include <atomic>

#include "common.h"

namespace wf = stele::wf;
namespace activity = stele::activity;
using namespace std::chrono_literals;

// A service that is ready after some questions.
class Service {
public:
    explicit Service(int questions) : left_(questions) {}
    bool ready() { return --left_ < 0; }

private:
    std::atomic<int> left_;
};

class Poller {
public:
    std::string ask_once() {
        if (!slow_.ready())
            // No error that anybody should be woken for.
            throw stele::ApplicationError(
                "not yet", {.type = "NotYet", .category = stele::ErrorCategory::kBenign});
        return "ready at attempt " + std::to_string(activity::info().attempt);
    }

    std::string ask_until_ready() {
        int asked = activity::previous_detail<int>().value_or(0);
        while (!fast_.ready()) {
            activity::heartbeat(++asked);
            if (!activity::sleep_for(100ms)) throw stele::CanceledError("nobody wants to know");
        }
        return "ready after " + std::to_string(asked) + " questions";
    }

private:
    Service slow_{2};
    Service fast_{5};
};

wf::task<std::string> poll_seldom() {
    // A coefficient of 1 keeps the pace; the deadline is that of all attempts together.
    co_return co_await wf::activity<&Poller::ask_once>(
        {.start_to_close = 5s,
         .schedule_to_close = 24h,
         .retry = stele::RetryPolicy{.initial_interval = 500ms, .backoff_coefficient = 1}});
}

wf::task<std::string> poll_often() {
    co_return co_await wf::activity<&Poller::ask_until_ready>(
        {.start_to_close = 1h, .heartbeat = 5s});
}

int main(int argc, char** argv) {
    return examples::run([&] {
        Poller poller;
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "polling");
        worker.register_workflow<poll_seldom>()
            .register_workflow<poll_often>()
            .register_activity<&Poller::ask_once>(&poller)
            .register_activity<&Poller::ask_until_ready>(&poller);
        worker.start();
        std::cout << "seldom: " << client.execute<poll_seldom>({.task_queue = "polling"}) << "\n";
        std::cout << "often: " << client.execute<poll_often>({.task_queue = "polling"})
                  << std::endl;
    });
}
