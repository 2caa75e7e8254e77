#include "base/probe.h"
#include "sim/bank.h"
#include "sim/sdk_options.h"
#include "sim/seeds.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

// The simulator's command line: plays seeds, says which fail and how to play one again.
namespace {

using stele::sim::Lot;
using stele::sim::Outcome;
using stele::sim::Totals;

struct Flags {
    Lot lot;
    std::uint64_t seed = 0;
    std::uint64_t repeat_seeds = 0;
    int repeat = 1;
    bool verbose = false;
    bool trace = false;
    bool bank = false;
    bool sites = false;
    std::string only;
    std::string hashes;
};

int summary(std::uint64_t passed, std::uint64_t failed) {
    std::cout << fmt::format("{} passed, {} failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int run_seeds(const Flags& flags) {
    const auto begin = std::chrono::steady_clock::now();
    const Totals totals = play_lot(flags.lot);
    const double seconds = seconds_since(begin);
    report_coverage(totals);
    const auto& counts = totals.counts;
    std::cout << fmt::format(
        "{} crashes, {} events, {} children, {} queries answered, {:.1f} virtual hours in {:.1f} s "
        "({:.1f} seeds/s in {} processes)\n",
        counts.crashes, counts.events, counts.children, counts.queries,
        counts.virtual_seconds / 3600, seconds, static_cast<double>(flags.lot.count) / seconds,
        flags.lot.jobs);
    return summary(flags.lot.count - totals.failed, totals.failed);
}

/// One seed, as often as wanted: every run must leave the same trace.
int run_one(const Flags& flags) {
    if (flags.verbose) {
        std::cout << describe(stele::sim::draw_options(flags.seed)) << '\n'
                  << describe(stele::sim::draw_sdk_options(flags.seed)) << '\n';
    }
    std::function<void(const std::string&)> sink;
    if (flags.trace) sink = [](const std::string& line) { std::cout << line << '\n'; };
    int failed = 0;
    std::uint64_t hash = 0;
    for (int i = 0; i < flags.repeat; ++i) {
        const Outcome outcome = stele::sim::play_seed(flags.seed, flags.lot.plant, sink);
        if (i == 0) {
            hash = outcome.trace_hash;
            std::cout << fmt::format("seed {}: {} steps, {} crashes, {} events, trace {:016x}\n",
                                     flags.seed, outcome.steps, outcome.counts.crashes,
                                     outcome.counts.events, hash);
            if (!outcome.violations.empty()) {
                report_failure(flags.seed, flags.lot.plant, outcome);
            }
        }
        const bool same = outcome.trace_hash == hash;
        if (!same)
            std::cout << fmt::format("run {} left trace {:016x}\n", i + 1, outcome.trace_hash);
        if (!same || !outcome.violations.empty()) ++failed;
    }
    return summary(static_cast<std::uint64_t>(flags.repeat - failed),
                   static_cast<std::uint64_t>(failed));
}

/// The simulator must be able to fail: with a bug planted, some seed of the lot has to find it.
int run_planted(const Flags& flags) {
    const std::string& bug = flags.lot.plant;
    for (std::uint64_t i = 0; i < flags.lot.count; ++i) {
        const Outcome outcome = stele::sim::play_seed(flags.lot.first + i, bug);
        if (outcome.violations.empty()) continue;
        std::cout << fmt::format("planted bug {} found by seed {}: {}\n", bug, flags.lot.first + i,
                                 outcome.violations.front());
        return summary(1, 0);
    }
    std::cout << fmt::format("planted bug {} was not found in {} seeds\n", bug, flags.lot.count);
    return summary(0, 1);
}

int run_twice(const Flags& flags) {
    const auto begin = std::chrono::steady_clock::now();
    Lot lot = flags.lot;
    lot.count = flags.repeat_seeds;
    std::vector<std::uint64_t> hashes;
    const std::uint64_t different = play_twice(lot, hashes);
    if (!flags.hashes.empty()) {
        std::ofstream file(flags.hashes);
        for (std::uint64_t i = 0; i < lot.count; ++i) {
            file << fmt::format("{} {:016x}\n", lot.first + i, hashes[i]);
        }
        if (!file.flush()) {
            std::cerr << "can not write " << flags.hashes << '\n';
            return summary(0, 1);
        }
    }
    std::cout << fmt::format("{} seeds twice each in {:.1f} s\n", lot.count, seconds_since(begin));
    return summary(lot.count - different, different);
}

int run_bank(const Flags& flags) {
    const auto begin = std::chrono::steady_clock::now();
    const auto result =
        stele::sim::play_bank({flags.lot.first, flags.lot.count, flags.lot.jobs, flags.only});
    std::cout << fmt::format("{:.1f} s\n", seconds_since(begin));
    return summary(static_cast<std::uint64_t>(result.passed),
                   static_cast<std::uint64_t>(result.failed));
}

/// What can be marked in the code, with the name that --plant takes.
int list_sites() {
    constexpr const char* kKinds[] = {"probe", "fault", "bug"};
    for (const auto* site : stele::probe::sites()) {
        std::cout << kKinds[static_cast<int>(site->kind())] << ' ' << site->name() << '\n';
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app("Plays servers, workers and clients under faults, from one seed each.");
    app.add_option("--seeds", flags.lot.count, "how many seeds to play (for each bug)")
        ->check(CLI::PositiveNumber);
    app.add_option("--first", flags.lot.first, "the first of them");
    app.add_option("--seed", flags.seed, "play this seed alone");
    app.add_option("--repeat", flags.repeat, "play it so often, and compare the traces");
    app.add_option("--repeat-seeds", flags.repeat_seeds,
                   "play so many seeds twice each, and compare the traces");
    app.add_option("--hashes", flags.hashes, "write their traces to this file");
    app.add_option("--jobs", flags.lot.jobs, "processes")->check(CLI::Range(1, 64));
    app.add_option("--plant", flags.lot.plant, "a bug to plant, which must be found");
    app.add_flag("--bank", flags.bank, "plant each bug until a seed finds it");
    app.add_option("--only", flags.only, "those of the bank whose name contains this");
    app.add_flag("--sites", flags.sites, "list the probes, fault points and bugs");
    app.add_flag("--verbose", flags.verbose, "show what the seed decided");
    app.add_flag("--trace", flags.trace, "print every step");
    CLI11_PARSE(app, argc, argv);
    if (!stele::probe::plant(flags.lot.plant)) {
        std::cerr << "there is no bug " << flags.lot.plant << "; --sites lists them\n";
        return 1;
    }
    if (flags.sites) return list_sites();
    if (flags.bank) return run_bank(flags);
    if (flags.repeat_seeds != 0) return run_twice(flags);
    if (flags.seed != 0) return run_one(flags);
    if (!flags.lot.plant.empty()) return run_planted(flags);
    return run_seeds(flags);
}
