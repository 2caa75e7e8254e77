#include "env/posix/loop.h"

#include "base/check.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace stele::env {
namespace {

thread_local const Loop* current_loop = nullptr;
thread_local Timestamp kept_time = kUnset;  // of a loop that keeps it

constexpr std::size_t kClosuresOfOneTime = 32;

void check_call(int result, const char* what) {
    STELE_CHECK(result >= 0, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

Timestamp loop_clock() { return kept_time == kUnset ? wall_clock() : kept_time; }

void Loop::look_at_clock() const {
    if (clock_ == Clock::kKept) kept_time = wall_clock();
}

/// One executor of a loop.
class Strand final : public Executor {
public:
    Strand(Loop& loop, std::string name)
        : loop_(loop), state_(std::make_shared<Loop::StrandState>()) {
        state_->name = std::move(name);
    }
    ~Strand() override { stop(); }

    void post(Closure closure) override { loop_.post(state_, std::move(closure)); }
    void post_all(std::vector<Closure> closures) override {
        loop_.post_all(state_, std::move(closures));
    }
    TimerId run_at(Timestamp when, Closure closure) override {
        return loop_.run_at(state_, when, std::move(closure));
    }
    void cancel(TimerId timer) override { loop_.cancel(timer); }
    bool is_current() const override { return loop_.runs(*state_); }
    void stop() override { loop_.stop(*state_); }

private:
    Loop& loop_;
    Loop::StrandPtr state_;
};

Loop::Loop(std::string name, Clock clock)
    : name_(std::move(name)),
      clock_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
    check_call(epoll_, "epoll_create1");
    check_call(wake_, "eventfd");
    check_call(timer_, "timerfd_create");
    for (int* const own : {&wake_, &timer_}) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = own;
        check_call(epoll_ctl(epoll_, EPOLL_CTL_ADD, *own, &event), "epoll_ctl");
    }
    thread_ = std::thread([this] { run(); });
}

Loop::~Loop() {
    STELE_CHECK(!is_current(), "loop " + name_ + " is destroyed on its own thread");
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
        wake();
    }
    thread_.join();
    for (const int descriptor : {epoll_, wake_, timer_}) close(descriptor);
}

std::unique_ptr<Executor> Loop::make_strand(std::string name) {
    return std::make_unique<Strand>(*this, std::move(name));
}

bool Loop::is_current() const { return current_loop == this; }
bool Loop::runs(const StrandState& strand) const { return is_current() && running_ == &strand; }

// ---- Strands ---------------------------------------------------------------------------------

void Loop::post(const StrandPtr& strand, Closure closure) {
    std::lock_guard lock(mutex_);
    if (strand->stopped) return;
    queue_.push_back({strand, std::move(closure)});
    ++posted_;
    wake();
}

void Loop::post_all(const StrandPtr& strand, std::vector<Closure> closures) {
    std::lock_guard lock(mutex_);
    if (strand->stopped) return;
    for (Closure& closure : closures) queue_.push_back({strand, std::move(closure)});
    posted_ += closures.size();
    wake();
}

TimerId Loop::run_at(const StrandPtr& strand, Timestamp when, Closure closure) {
    std::lock_guard lock(mutex_);
    const TimerId id = ++last_timer_;
    if (strand->stopped) return id;
    timer_times_.emplace(id, when);
    const auto place =
        timers_.emplace(TimerKey(when, id), Timer{strand, std::move(closure), posted_}).first;
    if (place == timers_.begin()) wake();
    return id;
}

void Loop::cancel(TimerId timer) {
    Closure dropped;
    std::lock_guard lock(mutex_);
    const auto time = timer_times_.find(timer);
    if (time == timer_times_.end()) return;
    const auto place = timers_.find(TimerKey(time->second, timer));
    dropped = std::move(place->second.closure);
    timers_.erase(place);
    timer_times_.erase(time);
}

void Loop::stop(StrandState& strand) {
    STELE_CHECK(!runs(strand), "executor " + strand.name + " is stopped by its own closure");
    // What is dropped is destroyed without the lock: a destructor may post once more, which is
    // ignored from now on.
    std::vector<Closure> dropped;
    std::unique_lock lock(mutex_);
    strand.stopped = true;
    const auto drop = [&](Posted& posted) {
        if (posted.strand.get() != &strand) return;
        // The place stays, because timers count the closures before them.
        dropped.push_back(std::move(posted.closure));
        posted.closure = nullptr;
    };
    for (Posted& posted : queue_) drop(posted);
    for (auto place = timers_.begin(); place != timers_.end();) {
        if (place->second.strand.get() != &strand) {
            ++place;
            continue;
        }
        dropped.push_back(std::move(place->second.closure));
        timer_times_.erase(place->first.second);
        place = timers_.erase(place);
    }
    if (is_current()) {
        // Another strand's closure stops this one: what is left of the batch is at hand.
        for (Posted& posted : batch_) drop(posted);
    } else if (busy_) {
        turned_.wait(lock, [this, turn = turns_] { return turns_ != turn; });
    }
}

// ---- The thread ------------------------------------------------------------------------------

void Loop::run() {
    constexpr std::size_t kKernelNameLength = 15;
    pthread_setname_np(pthread_self(), name_.substr(0, kKernelNameLength).c_str());
    current_loop = this;
    std::unique_lock lock(mutex_);
    while (!ending_) {
        run_queue(lock);
        run_due_timers(lock);
        wait(lock);
    }
}

void Loop::run_queue(std::unique_lock<std::mutex>& lock) {
    if (queue_.empty()) return;
    batch_.swap(queue_);
    busy_ = true;
    lock.unlock();
    const std::size_t count = batch_.size();
    for (std::size_t i = 0; i < count; ++i) {
        if (i % kClosuresOfOneTime == 0) look_at_clock();
        Posted& posted = batch_[i];
        running_ = posted.strand.get();
        if (posted.closure && !posted.strand->stopped.load(std::memory_order_relaxed)) {
            posted.closure();
        }
        posted.closure = nullptr;  // what it holds is released before the next one runs
    }
    running_ = nullptr;
    batch_.clear();
    lock.lock();
    busy_ = false;
    taken_ += count;
    ++turns_;
    turned_.notify_all();
}

void Loop::run_due_timers(std::unique_lock<std::mutex>& lock) {
    if (timers_.empty()) return;
    const Timestamp now = wall_clock();
    while (!timers_.empty()) {
        const auto first = timers_.begin();
        if (first->first.first > now || first->second.after > taken_) return;
        look_at_clock();
        Timer timer = std::move(first->second);
        timer_times_.erase(first->first.second);
        timers_.erase(first);
        busy_ = true;
        lock.unlock();
        running_ = timer.strand.get();
        if (!timer.strand->stopped.load(std::memory_order_relaxed)) timer.closure();
        timer.closure = nullptr;
        running_ = nullptr;
        lock.lock();
        busy_ = false;
        ++turns_;
        turned_.notify_all();
    }
}

void Loop::wait(std::unique_lock<std::mutex>& lock) {
    if (ending_) return;
    // With closures queued, or timers that had to let them pass, descriptors get a look and no more.
    const bool sleep = queue_.empty();
    if (sleep) arm_timer();
    sleeping_ = sleep;
    lock.unlock();
    event_count_ =
        epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), sleep ? -1 : 0);
    if (sleep) {
        lock.lock();
        sleeping_ = false;  // what the watchers post needs no wake-up
        lock.unlock();
    }
    look_at_clock();
    for (int i = 0; i < event_count_; ++i) {
        void* const place = events_[static_cast<std::size_t>(i)].data.ptr;
        if (place == nullptr) continue;  // unwatched meanwhile
        if (place == &wake_ || place == &timer_) {
            std::uint64_t count = 0;
            (void)!read(*static_cast<int*>(place), &count, sizeof count);
            if (place == &timer_) armed_ = kNever;
            continue;
        }
        static_cast<Watcher*>(place)->ready(events_[static_cast<std::size_t>(i)].events);
    }
    event_count_ = 0;
    lock.lock();
}

/// Sets the kernel's timer if the earliest of ours comes before it. One that is set too early, since
/// its timer was cancelled, costs a turn and no more.
void Loop::arm_timer() {
    if (timers_.empty()) return;
    const Timestamp earliest = timers_.begin()->first.first;
    if (earliest >= armed_) return;
    armed_ = earliest;
    const auto since_epoch = std::max(earliest.time_since_epoch(), Duration(1));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch);
    itimerspec time{};
    time.it_value.tv_sec = seconds.count();
    time.it_value.tv_nsec = (since_epoch - seconds).count();
    check_call(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &time, nullptr), "timerfd_settime");
}

void Loop::wake() {
    if (!sleeping_) return;
    sleeping_ = false;
    const std::uint64_t one = 1;
    (void)!write(wake_, &one, sizeof one);
}

// ---- Descriptors -----------------------------------------------------------------------------

void Loop::watch(int descriptor, std::uint32_t events, Watcher& watcher) {
    STELE_CHECK(is_current(), "a descriptor is watched from another thread than its loop's");
    epoll_event event{};
    event.events = events;
    event.data.ptr = &watcher;
    check_call(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

void Loop::change(int descriptor, std::uint32_t events, Watcher& watcher) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &watcher;
    check_call(epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event), "epoll_ctl");
}

void Loop::unwatch(int descriptor, Watcher& watcher) {
    STELE_CHECK(is_current(), "a descriptor is unwatched from another thread than its loop's");
    check_call(epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr), "epoll_ctl");
    for (int i = 0; i < event_count_; ++i) {
        epoll_event& event = events_[static_cast<std::size_t>(i)];
        if (event.data.ptr == &watcher) event.data.ptr = nullptr;
    }
}

}  // namespace stele::env
