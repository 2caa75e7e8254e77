#include "store/faults/inline_environment.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace stele::store {

InlineEnvironment::InlineEnvironment(std::shared_ptr<rocksdb::FileSystem> files)
    : EnvWrapper(rocksdb::NewCompositeEnv(files)),
      clock_(std::make_shared<Clock>(rocksdb::SystemClock::Default())) {
    system_clock_ = clock_;
    // Otherwise files would be reached through the older interface, which knows less of errors.
    file_system_ = std::move(files);
}

void InlineEnvironment::Schedule(void (*function)(void*), void* argument, Priority priority,
                                 void* tag, void (*unscheduled)(void*)) {
    const std::lock_guard lock(mutex_);
    scheduled_.push_back({function, argument, priority, tag, unscheduled});
}

int InlineEnvironment::UnSchedule(void* tag, Priority priority) {
    std::vector<Work> dropped;
    {
        const std::lock_guard lock(mutex_);
        const auto kept = std::stable_partition(
            scheduled_.begin(), scheduled_.end(), [tag, priority](const Work& work) {
                return work.tag != tag || work.priority != priority;
            });
        std::move(kept, scheduled_.end(), std::back_inserter(dropped));
        scheduled_.erase(kept, scheduled_.end());
    }
    for (const Work& work : dropped) {
        if (work.unscheduled != nullptr) work.unscheduled(work.argument);
    }
    return static_cast<int>(dropped.size());
}

unsigned int InlineEnvironment::GetThreadPoolQueueLen(Priority priority) const {
    const std::lock_guard lock(mutex_);
    return static_cast<unsigned int>(
        std::count_if(scheduled_.begin(), scheduled_.end(),
                      [priority](const Work& work) { return work.priority == priority; }));
}

void InlineEnvironment::run_scheduled() {
    while (true) {
        Work next{};
        {
            const std::lock_guard lock(mutex_);
            if (scheduled_.empty()) return;
            next = scheduled_.front();
            scheduled_.pop_front();
        }
        next.function(next.argument);
        if (clock_->slept()) return;
    }
}

}  // namespace stele::store
