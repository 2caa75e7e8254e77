#pragma once

#include <cstdint>
#include <string>

namespace stele::sim {

/// What a seed decides about the workers of the C++ SDK. Two seeds in three have none.
struct SdkOptions {
    int workers = 0;
    int workflows = 0;
    int cached_runs = 0;              // of each worker
    int activity_slots = 1;           // activities that one worker does at a time
    int death_every = 0;              // seconds between two deaths of one worker; 0: never
    std::uint64_t fail_activity = 0;  // one in so many attempts
    int start_within = 0;             // seconds in which the workflows are started
};

/// Apart from Options, so that what a seed does without the SDK is what it did.
SdkOptions draw_sdk_options(std::uint64_t seed);
std::string describe(const SdkOptions& options);

}  // namespace stele::sim
