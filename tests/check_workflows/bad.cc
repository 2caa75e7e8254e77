#include <pthread.h>
#include <stele/stele.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "helper.h"

// Everything that workflow code must not do. `expect: X` stands where X must be found.
namespace wf = stele::wf;
using namespace std::chrono_literals;

namespace bad {

wf::task<void> clocks() {
    const auto wall = std::chrono::system_clock::now();           // expect: system_clock
    const auto steady = std::chrono::steady_clock::now();         // expect: steady_clock
    const auto high = std::chrono::high_resolution_clock::now();  // expect: reads a clock
    const std::time_t seconds = std::time(nullptr);               // expect: time reads a clock
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);  // expect: clock_gettime
    (void)wall, (void)steady, (void)high, (void)seconds;
    co_return;
}

wf::task<void> sleeps() {
    std::this_thread::sleep_for(1ms);                       // expect: sleep_for
    std::this_thread::sleep_until(stele::Runtime::Time{});  // expect: sleep_until
    std::this_thread::yield();                              // expect: yield
    usleep(1);                                              // expect: usleep
    co_await wf::sleep(1s);
    ::sleep(1);  // expect: sleep sleeps
}

wf::task<int> random() {
    std::random_device device;      // expect: std::random_device
    std::mt19937 engine(device());  // expect: std::random_device
    std::uniform_int_distribution<int> dice(1, 6);
    co_return dice(engine)  // expect: uniform_int_distribution
        + rand();           // expect: rand draws random numbers
}

wf::task<void> threads() {
    std::thread other([] {});                               // expect: std::thread::thread
    other.join();                                           // expect: std::thread::join
    auto later = std::async(std::launch::deferred, [] {});  // expect: std::async
    later.wait();
    std::promise<int> promise;  // expect: std::promise
    promise.set_value(1);       // expect: std::promise::set_value
    co_return;
}

std::mutex mutex;
std::condition_variable changed;

wf::task<void> locks() {
    std::lock_guard<std::mutex> guard(mutex);    // expect: std::lock_guard
    std::unique_lock<std::mutex> unique(mutex);  // expect: std::unique_lock
    changed.wait_for(unique, 1ms);               // expect: std::condition_variable
    mutex.lock();                                // expect: std::mutex::lock
    co_return;
}

wf::task<void> input_and_output() {
    std::cout << "hello\n";                    // expect: std::cout
    std::printf("hello\n");                    // expect: does input or output
    std::ifstream file("name");                // expect: ifstream
    std::FILE* old = std::fopen("name", "r");  // expect: fopen
    (void)old;
    (void)std::filesystem::exists("name");  // expect: std::filesystem::exists
    (void)std::system("true");              // expect: system
    co_return;
}

wf::task<void> process() {
    (void)std::getenv("HOME");  // expect: getenv
    (void)getpid();             // expect: getpid
    co_return;
}

wf::task<int> order() {
    std::unordered_map<std::string, int> stock;
    stock["a"] = 1;
    int sum = 0;
    for (const auto& [name, count] : stock)  // expect: std::unordered_map::begin
        sum = 2 * sum + count;
    const std::unordered_set<int> numbers{1, 2};
    for (int number : numbers) sum = 2 * sum + number;  // expect: std::unordered_set::begin
    std::map<const int*, int> by_address;
    for (const auto& [address, value] : by_address)  // expect: order of addresses
        sum = 2 * sum + value;
    co_return sum + static_cast<int>(std::hash<int>()(sum));  // expect: std::hash
}

int counter = 0;
thread_local int of_thread = 0;

wf::task<int> globals() {
    ++counter;            // expect: counter changes a global variable
    of_thread = counter;  // expect: variable of the thread
    co_return counter;
}

wf::task<void> outside(stele::Client client) {
    client.handle("other").cancel();     // expect: belongs outside of workflows
    (void)stele::activity::cancelled();  // expect: belongs outside of workflows
    co_return;
}

// ---- Not in the workflow function itself -------------------------------------------------------

static int helper() {
    return rand();  // expect: rand draws random numbers, in bad::helper, called by bad::calls
}

wf::task<int> calls() {
    std::vector<int> values{3, 1, 2};
    std::sort(values.begin(), values.end(), [](int a, int b) {
        return a + rand() % 2 < b;  // expect: rand draws random numbers, in bad::calls
    });
    co_await wf::until([] {
        return std::time(nullptr) > 0;  // expect: time reads a clock
    });
    co_return helper() + helper_of_another_file();
}

// A class: its handlers are workflow code too.
class Handlers {
public:
    wf::task<void> run();
    void signal();
    wf::task<int> update(int value) {
        since_ = std::time(nullptr);  // expect: in bad::Handlers::update
        co_return value;
    }

private:
    std::time_t since_ = 0;
};

wf::task<void> Handlers::run() { co_await wf::sleep(1s); }
void Handlers::signal() {
    since_ = std::time(nullptr);  // expect: in bad::Handlers::signal
}

void register_all(stele::Worker& worker) {
    wf::register_type<Handlers>(worker)
        .run<&Handlers::run>()
        .signal<&Handlers::signal>()
        .update<&Handlers::update>();
}

}  // namespace bad
