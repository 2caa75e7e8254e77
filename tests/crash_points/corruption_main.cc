#include "base/check.h"
#include "sim/processes.h"
#include "tests/crash_points/damage.h"
#include "tests/crash_points/index_damage.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

// The command line of the damages: inverts each byte of each file of a small store and of the index
// beside it, and cuts each file at each length; says what is not the same content and no error.
namespace stele::crash_points {
namespace {

using Kind = Damage::Kind;

constexpr double kSecondsMax = 1.0;
/// A trial that takes this long has ended the patience of everybody.
constexpr unsigned kHangSeconds = 20;

struct Flags {
    std::string file;
    std::string kind;
    std::int64_t offset = -1;
    std::uint64_t stride = 1;
    std::uint64_t index_stride = 1;
    int jobs = 2;
    bool verbose = false;
};

struct Totals {
    std::array<std::uint64_t, 4> effects{};  // by Effect
    double slowest = 0;
    std::uint64_t died = 0;

    std::uint64_t played() const {
        return effects[0] + effects[1] + effects[2] + effects[3] + died;
    }
    std::uint64_t failed() const {
        return effects[static_cast<std::size_t>(Effect::kViolation)] + died;
    }
};

char current[512];

/// A crash or a hang says where it was, from a signal handler.
void report_death(int signal) {
    const char text[] = "DIED, to repeat: ";
    [[maybe_unused]] ssize_t written = write(STDOUT_FILENO, text, sizeof(text) - 1);
    written = write(STDOUT_FILENO, current, std::strlen(current));
    _exit(signal);
}

const char* name_of(Kind kind) { return kind == Kind::kFlip ? "flip" : "truncation"; }

std::string command_of(const Damage& damage) {
    return fmt::format("build/release/stele_corruption --file {} --kind {} --offset {}",
                       std::filesystem::path(damage.file).filename().string(), name_of(damage.kind),
                       damage.offset);
}

/// The files of a server.
struct Subject {
    DamagedStore store{golden_store()};
    DamagedIndex index;

    store::FaultDisk::Contents golden() const {
        store::FaultDisk::Contents all = store.golden();
        all.insert(index.golden().begin(), index.golden().end());
        return all;
    }
    Verdict judge(const Damage& damage) {
        return is_of_index(damage) ? index.judge(damage) : store.judge(damage);
    }
};

Verdict judge(Subject& subject, const Damage& damage, Totals& totals) {
    const std::string command = command_of(damage);
    const auto end = fmt::format_to_n(current, sizeof(current) - 2, "{}\n", command).out;
    *end = '\0';
    alarm(kHangSeconds);
    const auto begin = std::chrono::steady_clock::now();
    Verdict verdict = subject.judge(damage);
    alarm(0);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    totals.slowest = std::max(totals.slowest, seconds);
    if (seconds > kSecondsMax)
        verdict = {Effect::kViolation, fmt::format("took {:.1f} s", seconds)};
    ++totals.effects[static_cast<std::size_t>(verdict.effect)];
    if (verdict.effect == Effect::kViolation) {
        std::cout << fmt::format("FAILED: {}\n  to repeat: {}\n", verdict.text, command)
                  << std::flush;
    }
    return verdict;
}

std::vector<Damage> damages_of(const store::FaultDisk::Contents& contents, Kind kind,
                               std::uint64_t stride) {
    std::vector<Damage> damages;
    std::uint64_t number = 0;  // over all files, so that a small one is not left out each time
    for (const auto& [file, content] : contents) {
        for (std::uint64_t offset = 0; offset < content.size(); ++offset) {
            if (number++ % stride == 0) damages.push_back({file, kind, offset});
        }
    }
    return damages;
}

std::vector<Damage> damages_of(const Subject& subject, Kind kind, const Flags& flags) {
    std::vector<Damage> damages = damages_of(subject.store.golden(), kind, flags.stride);
    const std::vector<Damage> more =
        damages_of(subject.index.golden(), kind, flags.stride * flags.index_stride);
    damages.insert(damages.end(), more.begin(), more.end());
    return damages;
}

Totals play_share(Subject& subject, const std::vector<Damage>& damages, const Flags& flags,
                  std::uint64_t job) {
    constexpr std::uint64_t kProgress = 10'000;
    Totals totals;
    const std::uint64_t step = static_cast<std::uint64_t>(flags.jobs);
    for (std::uint64_t i = job; i < damages.size(); i += step) {
        judge(subject, damages[i], totals);
        if (i / kProgress != (i + step) / kProgress) {
            std::cout << fmt::format("  {} of {}\n", i, damages.size()) << std::flush;
        }
    }
    subject.index.clean_up();
    return totals;
}

/// The cores are used by forking. A child that dies has said where, and counts as a failure.
Totals play_all(Subject& subject, const std::vector<Damage>& damages, const Flags& flags) {
    const auto parts = sim::outcomes_in_processes<Totals>(flags.jobs, [&](int job) {
        return play_share(subject, damages, flags, static_cast<std::uint64_t>(job));
    });
    Totals all;
    for (const std::optional<Totals>& part : parts) {
        if (!part) {
            ++all.died;
            continue;
        }
        for (std::size_t i = 0; i < all.effects.size(); ++i) all.effects[i] += part->effects[i];
        all.slowest = std::max(all.slowest, part->slowest);
    }
    return all;
}

int run_all(Subject& subject, const Flags& flags) {
    std::uint64_t bytes = 0;
    const store::FaultDisk::Contents golden = subject.golden();
    for (const auto& [file, content] : golden) bytes += content.size();
    std::cout << fmt::format("{} files, {} bytes\n", golden.size(), bytes) << std::flush;
    std::uint64_t played = 0;
    std::uint64_t failed = 0;
    for (const Kind kind : {Kind::kFlip, Kind::kTruncation}) {
        const auto begin = std::chrono::steady_clock::now();
        const Totals totals = play_all(subject, damages_of(subject, kind, flags), flags);
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        std::cout << fmt::format(
                         "{}s: {} same content, {} errors with the file, {} as a log that "
                         "ends earlier, {} failed; slowest {:.3f} s, {:.1f} s in all\n",
                         name_of(kind), totals.effects[0], totals.effects[1], totals.effects[2],
                         totals.failed(), totals.slowest, seconds)
                  << std::flush;
        played += totals.played();
        failed += totals.failed();
    }
    std::cout << fmt::format("{} passed, {} failed\n", played - failed, failed);
    return failed == 0 ? 0 : 1;
}

int run_one(Subject& subject, const Flags& flags) {
    Damage damage{store::FaultDisk::directory() / flags.file,
                  flags.kind == "flip" ? Kind::kFlip : Kind::kTruncation,
                  static_cast<std::uint64_t>(flags.offset)};
    const store::FaultDisk::Contents golden = subject.golden();
    const auto file = golden.find(damage.file);
    if (file == golden.end() || damage.offset >= file->second.size()) {
        std::cout << fmt::format("{} has no byte {}; the files are\n", flags.file, flags.offset);
        for (const auto& [name, content] : golden) {
            std::cout << fmt::format("  {} of {} bytes\n", name, content.size());
        }
        return 1;
    }
    Totals totals;
    const Verdict verdict = judge(subject, damage, totals);
    const char* const effects[] = {"same content", "error", "log ends earlier", "violation"};
    std::cout << fmt::format("{}: {}\n", effects[static_cast<std::size_t>(verdict.effect)],
                             verdict.text);
    std::cout << (totals.failed() == 0 ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
    return totals.failed() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace stele::crash_points

int main(int argc, char** argv) {
    using namespace stele::crash_points;
    Flags flags;
    CLI::App app("Damages each byte and each length of the files of a small store, and opens it.");
    CLI::Option* file = app.add_option("--file", flags.file, "only this file, as in CURRENT");
    CLI::Option* kind = app.add_option("--kind", flags.kind, "how it is damaged")
                            ->check(CLI::IsMember({"flip", "truncation"}));
    CLI::Option* offset = app.add_option("--offset", flags.offset, "the byte, or the length left")
                              ->check(CLI::NonNegativeNumber);
    file->needs(kind)->needs(offset);
    kind->needs(file);
    offset->needs(file);
    app.add_option("--stride", flags.stride, "do one damage of so many")
        ->check(CLI::PositiveNumber);
    app.add_option("--index-stride", flags.index_stride,
                   "and of the index one of so many of these, as it is large")
        ->check(CLI::PositiveNumber);
    app.add_option("--jobs", flags.jobs, "processes")->check(CLI::Range(1, 64));
    CLI11_PARSE(app, argc, argv);
    for (const int signal : {SIGALRM, SIGSEGV, SIGABRT, SIGBUS, SIGFPE}) {
        std::signal(signal, report_death);
    }
    Subject subject;
    return flags.offset < 0 ? run_all(subject, flags) : run_one(subject, flags);
}
