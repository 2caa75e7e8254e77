#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace stele::wf::detail {

/// The randomness of one run: xoshiro256** seeded by the text of the run id. What it yields is part
/// of every recorded history, so neither the generator nor the seeding can ever change.
class Random {
public:
    explicit Random(std::string_view seed) { reseed(seed); }
    void reseed(std::string_view seed);

    std::uint64_t next();
    /// Uniform in [0, bound), without bias.
    std::uint64_t below(std::uint64_t bound);
    double unit();

private:
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace stele::wf::detail
