#include "base/check.h"
#include "sim/world.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

// The simulator's command line: plays seeds, says which fail and how to play one again.
namespace {

using stele::sim::draw_options;
using stele::sim::Options;
using stele::sim::Outcome;

struct Flags {
    std::uint64_t seeds = 200;
    std::uint64_t first = 1;
    std::uint64_t seed = 0;
    int repeat = 1;
    int jobs = 2;
    bool verbose = false;
    bool trace = false;
    std::string plant;
};

struct Totals {
    std::uint64_t failed = 0;
    std::uint64_t crashes = 0;
    std::uint64_t events = 0;
    std::uint64_t queries = 0;
    std::uint64_t children = 0;
    double virtual_seconds = 0;
};

Options options_of(const Flags& flags, std::uint64_t seed) {
    Options options = draw_options(seed);
    options.plant_early_acknowledgement = flags.plant == "early-acknowledgement";
    return options;
}

std::string command_of(const Flags& flags, std::uint64_t seed) {
    return fmt::format("build/release/stele_sim --seed {}{}", seed,
                       flags.plant.empty() ? "" : " --plant " + flags.plant);
}

Outcome play(const Flags& flags, std::uint64_t seed) {
    stele::set_check_context("to repeat: " + command_of(flags, seed));
    std::function<void(const std::string&)> sink;
    if (flags.trace) sink = [](const std::string& line) { std::cout << line << '\n'; };
    return stele::sim::play(options_of(flags, seed), sink);
}

void report(const Flags& flags, std::uint64_t seed, const Outcome& outcome) {
    constexpr std::size_t kShown = 5;
    std::string text = fmt::format("seed {} FAILED\n", seed);
    for (std::size_t i = 0; i < std::min(kShown, outcome.violations.size()); ++i) {
        text += "  " + outcome.violations[i] + "\n";
    }
    text += "  to repeat: " + command_of(flags, seed) + "\n";
    std::cout << text << std::flush;
}

void add(Totals& totals, const Outcome& outcome) {
    totals.failed += outcome.violations.empty() ? 0 : 1;
    totals.crashes += outcome.crashes;
    totals.events += outcome.events;
    totals.queries += outcome.queries;
    totals.children += outcome.children;
    totals.virtual_seconds += outcome.virtual_seconds;
}

/// One process's share: every `jobs`-th seed.
Totals play_share(const Flags& flags, int job) {
    Totals totals;
    for (std::uint64_t i = static_cast<std::uint64_t>(job); i < flags.seeds;
         i += static_cast<std::uint64_t>(flags.jobs)) {
        const std::uint64_t seed = flags.first + i;
        const Outcome outcome = play(flags, seed);
        add(totals, outcome);
        if (!outcome.violations.empty()) report(flags, seed, outcome);
        constexpr std::uint64_t kProgress = 100;
        if ((i + 1) % kProgress == 0) std::cout << fmt::format("{} seeds\n", i + 1) << std::flush;
    }
    return totals;
}

/// Seeds are independent, and one process is one thread: so the cores are used by forking. A child
/// that dies (a broken invariant inside the engine) counts as one failure; it has said which seed.
Totals play_all(const Flags& flags) {
    struct Child {
        pid_t pid;
        int pipe;
    };
    std::vector<Child> children;
    for (int job = 0; job < flags.jobs; ++job) {
        std::array<int, 2> ends;
        if (pipe(ends.data()) != 0) std::abort();
        const pid_t pid = fork();
        if (pid == 0) {
            const Totals totals = play_share(flags, job);
            const bool written = write(ends[1], &totals, sizeof(totals)) == sizeof(totals);
            _exit(written ? 0 : 1);
        }
        close(ends[1]);
        children.push_back({pid, ends[0]});
    }
    Totals all;
    for (const Child& child : children) {
        Totals part;
        if (read(child.pipe, &part, sizeof(part)) != sizeof(part)) part.failed = 1;
        close(child.pipe);
        waitpid(child.pid, nullptr, 0);
        all.failed += part.failed;
        all.crashes += part.crashes;
        all.events += part.events;
        all.queries += part.queries;
        all.children += part.children;
        all.virtual_seconds += part.virtual_seconds;
    }
    return all;
}

int run_seeds(const Flags& flags) {
    const auto begin = std::chrono::steady_clock::now();
    const Totals totals = play_all(flags);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::cout << fmt::format(
        "{} crashes, {} events, {} children, {} queries answered, {:.1f} virtual hours in {:.1f} s ({:.1f} seeds/s)\n",
        totals.crashes, totals.events, totals.children, totals.queries, totals.virtual_seconds / 3600, seconds,
        static_cast<double>(flags.seeds) / seconds);
    std::cout << fmt::format("{} passed, {} failed\n", flags.seeds - totals.failed, totals.failed);
    return totals.failed == 0 ? 0 : 1;
}

/// One seed, as often as wanted: every run must leave the same trace.
int run_one(const Flags& flags) {
    if (flags.verbose) std::cout << describe(options_of(flags, flags.seed)) << '\n';
    int failed = 0;
    std::uint64_t hash = 0;
    for (int i = 0; i < flags.repeat; ++i) {
        const Outcome outcome = play(flags, flags.seed);
        if (i == 0) {
            hash = outcome.trace_hash;
            std::cout << fmt::format("seed {}: {} steps, {} crashes, {} events, trace {:016x}\n",
                                     flags.seed, outcome.steps, outcome.crashes, outcome.events, hash);
            if (!outcome.violations.empty()) report(flags, flags.seed, outcome);
        }
        const bool same = outcome.trace_hash == hash;
        if (!same) std::cout << fmt::format("run {} left trace {:016x}\n", i + 1, outcome.trace_hash);
        if (!same || !outcome.violations.empty()) ++failed;
    }
    std::cout << fmt::format("{} passed, {} failed\n", flags.repeat - failed, failed);
    return failed == 0 ? 0 : 1;
}

/// The simulator must be able to fail: with a bug planted, some seed of the lot has to find it.
int run_planted(const Flags& flags) {
    for (std::uint64_t i = 0; i < flags.seeds; ++i) {
        const Outcome outcome = play(flags, flags.first + i);
        if (outcome.violations.empty()) continue;
        std::cout << fmt::format("planted bug {} found by seed {}: {}\n1 passed, 0 failed\n",
                                 flags.plant, flags.first + i, outcome.violations.front());
        return 0;
    }
    std::cout << fmt::format("planted bug {} was not found in {} seeds\n0 passed, 1 failed\n",
                             flags.plant, flags.seeds);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app("Plays servers, workers and clients under faults, from one seed each.");
    app.add_option("--seeds", flags.seeds, "how many seeds to play")->check(CLI::PositiveNumber);
    app.add_option("--first", flags.first, "the first of them");
    app.add_option("--seed", flags.seed, "play this seed alone");
    app.add_option("--repeat", flags.repeat, "play it so often, and compare the traces");
    app.add_option("--jobs", flags.jobs, "processes")->check(CLI::Range(1, 64));
    app.add_option("--plant", flags.plant, "a bug to plant, which must be found")
        ->check(CLI::IsMember({"early-acknowledgement"}));
    app.add_flag("--verbose", flags.verbose, "show what the seed decided");
    app.add_flag("--trace", flags.trace, "print every step");
    CLI11_PARSE(app, argc, argv);
    if (flags.seed != 0) return run_one(flags);
    if (!flags.plant.empty()) return run_planted(flags);
    return run_seeds(flags);
}
