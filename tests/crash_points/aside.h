#pragma once

namespace stele::crash_points {

/// While one of these lives, allocations of this thread are neither counted nor made to fail: they belong
/// to the trial, which must stay whole, and not to the process that is on trial.
class Aside {
public:
    Aside() { ++depth; }
    ~Aside() { --depth; }
    Aside(const Aside&) = delete;

    static bool is_on() { return depth > 0; }

private:
    static inline thread_local int depth = 0;
};

}  // namespace stele::crash_points
