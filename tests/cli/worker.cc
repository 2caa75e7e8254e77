#include <stele/stele.h>

#include <iostream>

// A worker on the task queue "cli", until it is killed: one workflow for each way to end.
//
//     stele_cli_test_worker HOST:PORT
namespace {

namespace wf = stele::wf;
using namespace std::chrono_literals;

std::string compose(std::string name) { return "Hello, " + name + "!"; }

wf::task<std::string> greet(std::string name) {
    co_return co_await wf::activity<compose>(name, {.start_to_close = 10s});
}

wf::task<std::string> fail(std::string message) {
    throw stele::ApplicationError(message, {.type = "Refused"});
    co_return "";
}

wf::task<int> count_down(int from) {
    if (from > 0) co_await wf::continue_as_new<count_down>(from - 1);
    co_return from;
}

/// Waits for an activity whose queue nobody polls.
wf::task<std::string> idle_activity() {
    co_return co_await wf::activity_by_name<std::string>(
        "nobody", {.start_to_close = 60s, .task_queue = "nobody polls this"});
}

class Waiting {
public:
    wf::task<std::string> run() {
        co_await wf::until([this] { return !answer_.empty(); });
        co_return answer_;
    }
    void answer(std::string answer) { answer_ = answer; }
    std::string question() const { return "what now?"; }

private:
    std::string answer_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: stele_cli_test_worker HOST:PORT\n";
        return 1;
    }
    auto client = stele::Client::connect({.address = argv[1]});
    stele::Worker worker(client, "cli");
    worker.register_workflow<greet>().register_workflow<idle_activity>().register_workflow<fail>().register_workflow<count_down>();
    wf::register_type<Waiting>(worker)
        .run<&Waiting::run>()
        .signal<&Waiting::answer>()
        .query<&Waiting::question>();
    worker.register_activity<compose>();
    worker.run();
}
