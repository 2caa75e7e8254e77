#pragma once

#include "env/env.h"

namespace stele::env {

/// A stream that its seed decides (splitmix64 by Steele, Lea and Flood). Not thread safe.
class SimRandom final : public Random {
public:
    explicit SimRandom(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() override {
        state_ += 0x9e3779b97f4a7c15;
        return finalize(state_);
    }

    std::string secret_bytes(std::size_t count) override {
        std::string bytes;
        while (bytes.size() < count) bytes.push_back(static_cast<char>(next() & 0xff));
        return bytes;
    }

    /// A number below `bound`, which is not 0. The bias is too small to matter in a simulation.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    /// True once in `count` times; never when it is 0.
    bool one_in(std::uint64_t count) { return count != 0 && below(count) == 0; }

    /// Spreads the bits of a number.
    static std::uint64_t finalize(std::uint64_t value) {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

private:
    std::uint64_t state_;
};

}  // namespace stele::env
