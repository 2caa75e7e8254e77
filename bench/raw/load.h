#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// A load that costs its own process as little as it can: workers and clients as bare calls on one
// thread at a time, with no SDK and no library of gRPC behind them. What it measures is therefore the server.
namespace stele::bench {

class Link;

struct LoadOptions {
    std::string name_space = "default";
    int in_flight = 1;   ///< workflows at a time
    int activities = 1;  ///< one after the other, in each workflow
    /// The starter and the worker are one process: it asks for the first task of a workflow with its
    /// start, and for an activity with the completion that orders it.
    bool eager = false;
    std::chrono::milliseconds warm_up{1000};
    std::chrono::milliseconds measure{5000};
    int server_process = 0;  ///< whose processor time is counted; 0: nobody's
};

/// Sorted when `percentile` is asked for.
class Latencies {
public:
    void add(std::chrono::nanoseconds latency) { values_.push_back(latency.count()); }
    std::size_t count() const { return values_.size(); }
    /// In milliseconds; 0 when nothing was measured.
    double percentile(double part);

private:
    std::vector<std::int64_t> values_;
};

struct LoadResult {
    double seconds = 0;
    std::uint64_t workflows = 0;  ///< that ended while it was measured
    std::uint64_t failures = 0;   ///< calls that failed, which a sound server has none of
    std::string first_failure;
    Latencies start;     ///< from the call to its acknowledgement
    Latencies workflow;  ///< from the start to the closing event in the hands of who waits for it
    double server_seconds = 0;
    double client_seconds = 0;
};

/// Runs workflows for the time of warm-up and measurement. Each is started, waited for with a long
/// poll, and worked on by pollers of a normal, a sticky and an activity task queue: seven calls and
/// one for the result with one activity, two fewer if eager. Blocks; throws what the link throws.
LoadResult run_load(Link& link, const LoadOptions& options);

}  // namespace stele::bench
