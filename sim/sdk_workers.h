#pragma once

#include "sim/network.h"
#include "sim/record.h"
#include "sim/sdk_options.h"
#include "sim/sdk_process.h"
#include "sim/sdk_runtime.h"
#include "sim/sdk_transport.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Workers of the C++ SDK: the real ones, each in a process of the simulation. While there are faults
// a process dies now and then, with all that it knew, or stops as it should, and another takes over.
namespace stele::sim {

inline constexpr char kSdkQueue[] = "sdk-queue";

/// Not thread safe.
class SdkWorkers {
public:
    SdkWorkers(env::SimEnv& sim, Network& network, Record& record, const SdkOptions& options);
    ~SdkWorkers();

    void start();

private:
    /// One process, from its start to its end.
    struct Life {
        std::shared_ptr<SdkRuntime> runtime;
        std::shared_ptr<SdkTransport> transport;
        std::unique_ptr<SdkProcess> worker;
    };

    void begin(std::size_t place);
    void plan_end(std::size_t place);
    void die(std::size_t place);
    void stop(std::size_t place);
    void end(std::size_t place);
    std::string work(int number);
    std::string work_nearby(int number);
    void complete_elsewhere(const std::string& token, const std::string& result,
                            const std::string& run_id, const std::string& activity_id, int attempt);
    Duration within(int milliseconds);

    env::SimEnv& sim_;
    Network& network_;
    Record& record_;
    const SdkOptions& options_;
    std::vector<Life> lives_;  // of one place each
    int births_ = 0;
    int results_ = 0;
};

}  // namespace stele::sim
