#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::batch {

/// What a namespace's configuration says of batch operations.
struct Settings {
    bool enabled = true;                // frontend.enablebatcher
    std::int32_t open_jobs = 1;         // frontend.maxconcurrentbatchoperationpernamespace
    std::size_t executions = 1'000;     // frontend.maxexecutioncountbatchoperationpernamespace
    std::int32_t runs_per_second = 50;  // worker.batcherrps; of one job
    std::int32_t concurrency = 5;       // worker.batcherconcurrency; of one job
};

}  // namespace stele::batch
