#pragma once

#include "base/check.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// A fuzz target is one function of any bytes, in a file of its own:
//
//   STELE_FUZZ_TARGET(cron) { … input … }
//
// It ends the process (STELE_CHECK) when something is not as it must be. The same file is compiled
// twice: with clang into a program of libFuzzer's, and with any compiler into stele_fuzz_replay, which
// plays the committed corpora.
namespace stele::fuzz {

struct Target {
    std::string name;
    void (*run)(std::string_view input);
};

/// All that are linked in, in no order.
inline std::vector<Target>& targets() {
    static std::vector<Target> all;
    return all;
}

inline bool add_target(const char* name, void (*run)(std::string_view)) {
    targets().push_back({name, run});
    return true;
}

/// Takes an input apart from its front, for targets that need more than one thing from it. Once the
/// input is used up everything is zero or empty.
class Pieces {
public:
    explicit Pieces(std::string_view input) : rest_(input) {}

    bool empty() const { return rest_.empty(); }
    std::uint8_t byte() {
        const std::string_view one = take(1);
        return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
    }
    /// As many bytes as the two in front say (big-endian), or what there is.
    std::string_view block() {
        const std::size_t high = byte();
        return take(high << 8 | byte());
    }
    /// Up to the next line feed, which is left out.
    std::string_view line() {
        const std::string_view text = take(rest_.find('\n'));
        take(1);
        return text;
    }
    std::string_view rest() { return take(rest_.size()); }

private:
    std::string_view take(std::size_t count) {
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    std::string_view rest_;
};

}  // namespace stele::fuzz

// Each file has one target, so names without linkage do not meet.
#ifdef STELE_FUZZ_ONE
#define STELE_FUZZ_TARGET(name)                                                         \
    static void stele_fuzz_run(std::string_view input);                                 \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
        stele_fuzz_run({reinterpret_cast<const char*>(data), size});                    \
        return 0;                                                                       \
    }                                                                                   \
    static void stele_fuzz_run(std::string_view input)
#else
#define STELE_FUZZ_TARGET(name)                           \
    static void stele_fuzz_run(std::string_view input);   \
    [[maybe_unused]] static const bool stele_fuzz_added = \
        stele::fuzz::add_target(#name, stele_fuzz_run);   \
    static void stele_fuzz_run(std::string_view input)
#endif
