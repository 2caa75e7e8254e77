// The C++ worker that is compared with those of other SDKs, which take the same words:
//
//     worker serve ADDRESS TASK_QUEUE CACHED_RUNS    until standard input ends; prints "ready"
//     worker replay FILE TIMES                       a serialised History; prints what it took
//
// The workflows are the same in every language.

#include <stele/stele.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "temporal/api/history/v1/message.pb.h"

namespace {

namespace wf = stele::wf;
using namespace std::chrono_literals;

std::string greet(std::string name) { return "Hello, " + name; }

wf::task<void> one_activity() {
    co_await wf::activity<greet>(std::string("world"), {.start_to_close = 30s});
}

/// Makes a long history: an activity after the other.
wf::task<void> many_activities(int count) {
    for (int i = 0; i < count; ++i)
        co_await wf::activity<greet>(std::string("world"), {.start_to_close = 30s});
}

wf::task<void> play(int* turn, int mine, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        auto is_mine = [turn, mine] { return *turn == mine; };
        co_await wf::until(is_mine);
        *turn = 1 - mine;
    }
}

/// Two coroutines take turns, within one workflow task.
wf::task<void> switches(int rounds) {
    int turn = 0;
    auto first = play(&turn, 0, rounds);
    auto second = play(&turn, 1, rounds);
    co_await wf::all(std::move(first), std::move(second));
}

/// How many idle runs are in memory, which proves that they are in the cache.
std::atomic<int> idle_runs = 0;

class Idle {
public:
    Idle() { ++idle_runs; }
    Idle(const Idle&) = delete;
    ~Idle() { --idle_runs; }

    wf::task<void> run() {
        co_await wf::until([this] { return ended_; });
    }
    void end() { ended_ = true; }

private:
    bool ended_ = false;
};

int count_idle_runs() { return idle_runs; }

wf::task<int> alive() { co_return co_await wf::activity<count_idle_runs>({.start_to_close = 30s}); }

template <class Target>
void register_workflows(Target& target) {
    target.template register_workflow<one_activity>("OneActivity");
    target.template register_workflow<many_activities>("ManyActivities");
    target.template register_workflow<switches>("Switches");
    target.template register_workflow<alive>("Alive");
    wf::register_type<Idle>(target, "Idle")
        .template run<&Idle::run>()
        .template signal<&Idle::end>();
}

void serve(const std::string& address, const std::string& task_queue, int cached_runs) {
    const auto client = stele::Client::connect({.address = address});
    stele::Worker worker(client, task_queue,
                         {.cached_runs_max = cached_runs,
                          .workflow_pollers = 8,
                          .activity_pollers = 8,
                          // A run of many turns within one task is measured here.
                          .deadlock_timeout = 60s});
    register_workflows(worker);
    worker.register_activity<greet>().register_activity<count_idle_runs>();
    worker.start();
    std::cout << "ready" << std::endl;
    while (std::cin.get() != std::istream::traits_type::eof()) {
    }
    worker.stop();
}

double processor_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void replay(const std::string& path, int times) {
    std::ifstream file(path, std::ios::binary);
    temporal::api::history::v1::History history;
    if (!history.ParseFromIstream(&file)) throw std::runtime_error(path + " is no history");
    stele::Replayer replayer;
    register_workflows(replayer);
    const double processor_before = processor_seconds();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) {
        const auto result = replayer.replay(history);
        if (!result.ok) throw std::runtime_error(result.error);
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    const double processor = processor_seconds() - processor_before;
    std::cout << "{\"seconds\":" << elapsed.count() << ",\"cpu_seconds\":" << processor << "}\n";
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string command = argc > 1 ? argv[1] : "";
        if (command == "serve" && argc == 5) {
            serve(argv[2], argv[3], std::stoi(argv[4]));
        } else if (command == "replay" && argc == 4) {
            replay(argv[2], std::stoi(argv[3]));
        } else {
            std::cerr << "usage: worker serve ADDRESS TASK_QUEUE CACHED_RUNS | replay FILE TIMES\n";
            return 2;
        }
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::cerr << "worker: " << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
