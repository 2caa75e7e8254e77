// The first workflow: an activity, a timer and a signal. Worker and client are one program here.
//
//     hello [--address HOST:PORT]

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

// An activity is an ordinary function: it may block, call the world and fail.
std::string compose(std::string greeting, std::string name) { return greeting + ", " + name + "!"; }

// A workflow is a coroutine. What it has done survives crashes of every machine involved.
class Greeting {
public:
    wf::task<std::string> run(std::string name) {
        co_await wf::sleep(1s);
        co_await wf::until([this] { return !greeting_.empty(); });
        co_return co_await wf::activity<compose>(greeting_, name, {.start_to_close = 10s});
    }
    void greet_with(std::string greeting) { greeting_ = greeting; }

private:
    std::string greeting_;
};

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});

        stele::Worker worker(client, "hello");
        wf::register_type<Greeting>(worker).run<&Greeting::run>().signal<&Greeting::greet_with>();
        worker.register_activity<compose>();
        worker.start();

        auto handle = client.start<&Greeting::run>({.task_queue = "hello"}, "world");
        std::cout << "workflow " << handle.workflow_id() << ", run " << handle.run_id() << "\n";
        handle.signal<&Greeting::greet_with>("Hello");
        std::cout << "result: " << handle.result() << std::endl;
    });
}
