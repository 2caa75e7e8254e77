#pragma once

#include <mutex>

// A lock for the few components that several executors share, such as the committer and the memory
// store. It lives here because threads are the environment's business; in simulation, where there
// is one thread, it is never contended. Clang checks the annotations at compile time.
#if defined(__clang__)
#define STELE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define STELE_THREAD_ANNOTATION(x)
#endif

#define STELE_GUARDED_BY(x) STELE_THREAD_ANNOTATION(guarded_by(x))
#define STELE_REQUIRES(...) STELE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))

namespace stele::env {

class STELE_THREAD_ANNOTATION(capability("mutex")) Mutex {
public:
    void lock() STELE_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
    void unlock() STELE_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

/// Holds a Mutex for the length of a scope.
class STELE_THREAD_ANNOTATION(scoped_lockable) MutexLock {
public:
    explicit MutexLock(Mutex& mutex) STELE_THREAD_ANNOTATION(acquire_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() STELE_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

}  // namespace stele::env
