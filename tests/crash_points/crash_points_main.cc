#include "base/check.h"
#include "sim/processes.h"
#include "tests/crash_points/points.h"
#include "tests/crash_points/process_trial.h"
#include "tests/crash_points/scenarios.h"
#include "tests/crash_points/trial.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <execinfo.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

// The command line of the crash points: plays every scenario once, then once for each thing that can
// go wrong in it; says which fail and how to play one again.
namespace stele::crash_points {
namespace {

/// Of real time, for what takes a few milliseconds.
constexpr unsigned kHangSeconds = 30;

constexpr const char* kKinds[] = {"cuts", "cuts during recovery", "failing operations",
                                  "failing reads", "failing allocations"};

struct Flags {
    std::string scenario;
    std::string only;
    std::vector<std::string> cuts;
    std::string fail;
    std::string fail_read;
    std::uint64_t fail_allocation = 0;
    std::uint64_t allocations = 200;
    bool for_ever = false;
    bool list = false;
    std::uint64_t stride = 1;
    std::uint64_t offset = 0;
    int jobs = 2;
};

struct Totals {
    std::uint64_t played = 0;
    std::uint64_t failed = 0;
    std::uint64_t reopens = 0;
    std::uint64_t ended = 0;  // processes that a failing operation has ended
};

/// What a hanging trial says of itself, from a signal handler.
char hanging[512];

/// Whether the time was over once: whoever stops all processes for a while is no hang of this one.
volatile std::sig_atomic_t was_late = 0;

void report_hang(int) {
    if (was_late == 0) {
        was_late = 1;
        alarm(kHangSeconds);
        return;
    }
    const char text[] = "HANGS: ";
    [[maybe_unused]] ssize_t written = write(STDOUT_FILENO, text, sizeof(text) - 1);
    written = write(STDOUT_FILENO, hanging, std::strlen(hanging));
    void* frames[64];
    backtrace_symbols_fd(frames, backtrace(frames, std::size(frames)), STDOUT_FILENO);
    _exit(1);
}

std::string command_of(const Point& point) {
    return "build/release/stele_crash_points " + flags_of(point);
}

/// Plays one point; the text of the violation, or nothing.
std::string play(const Point& point, Outcome& outcome) {
    const std::string command = command_of(point);
    set_check_context("to repeat: " + command);
    fmt::format_to_n(hanging, sizeof(hanging) - 1, "{}\n", command);
    was_late = 0;
    if (point.allocation != 0 || point.plan.read_fault) {
        alarm(kHangSeconds);
        ProcessOutcome played = play_in_process(point, kHangSeconds);
        alarm(0);
        outcome.process_ended = played.ended;
        return std::move(played.violation);
    }
    alarm(kHangSeconds);
    std::string violation;
    try {
        outcome = Trial(*point.scenario, point.plan).run();
    } catch (const Violation& found) {
        violation = found.what();
    }
    alarm(0);
    return violation;
}

void report(const Point& point, const std::string& violation) {
    std::cout << fmt::format("FAILED: {}\n  to repeat: {}\n", violation, command_of(point))
              << std::flush;
}

Totals play_share(const std::vector<Point>& points, const Flags& flags, std::uint64_t job) {
    constexpr std::uint64_t kProgress = 2'000;
    Totals totals;
    const std::uint64_t jobs = static_cast<std::uint64_t>(flags.jobs);
    for (std::uint64_t i = job; i < points.size(); i += jobs) {
        Outcome outcome;
        const std::string violation = play(points[i], outcome);
        ++totals.played;
        totals.reopens += outcome.starts.size();
        totals.ended += outcome.process_ended ? 1 : 0;
        if (!violation.empty()) {
            ++totals.failed;
            report(points[i], violation);
        }
        if ((i + 1) % kProgress == 0) {
            std::cout << fmt::format("  {} of {}\n", i + 1, points.size()) << std::flush;
        }
    }
    return totals;
}

/// Points are independent, so the cores are used by forking. A child that dies has said where, and
/// counts as a failure.
Totals play_all(const std::vector<Point>& points, const Flags& flags) {
    const auto parts = sim::outcomes_in_processes<Totals>(flags.jobs, [&](int job) {
        return play_share(points, flags, static_cast<std::uint64_t>(job));
    });
    Totals all;
    for (const std::optional<Totals>& part : parts) {
        if (!part) {
            ++all.failed;
            continue;
        }
        all.played += part->played;
        all.failed += part->failed;
        all.reopens += part->reopens;
        all.ended += part->ended;
    }
    return all;
}

/// Every `stride`-th point.
std::vector<Point> slice(const std::vector<Point>& points, const Flags& flags) {
    std::vector<Point> chosen;
    for (std::uint64_t i = flags.offset; i < points.size(); i += flags.stride) {
        chosen.push_back(points[i]);
    }
    return chosen;
}

void append(std::vector<Point>& points, const std::vector<Point>& more) {
    points.insert(points.end(), more.begin(), more.end());
}

struct Plans {
    std::vector<Point> cuts;
    std::vector<Point> recoveries;
    std::vector<Point> failures;
    std::vector<Point> reads;
    std::vector<Point> allocations;
    std::uint64_t operations = 0;
    std::uint64_t allocated = 0;
    Totals totals;  // of the runs that tell how many operations there are
};

/// Plays scenarios without faults, twice, because their operations must be the same each time.
Plans plan_all(const Flags& flags) {
    Plans plans;
    for (const Scenario& scenario : scenarios()) {
        if (!flags.scenario.empty() && flags.scenario != scenario.name) continue;
        const Point whole{&scenario, {}};
        Outcome first;
        Outcome second;
        std::string violation = play(whole, first);
        if (violation.empty()) violation = play(whole, second);
        if (violation.empty() &&
            (first.kinds != second.kinds || first.reads.size() != second.reads.size())) {
            violation = fmt::format(
                "two runs without faults differ: {} and {} operations, {} and {} reads",
                first.operations, second.operations, first.reads.size(), second.reads.size());
        }
        ++plans.totals.played;
        if (!violation.empty()) {
            ++plans.totals.failed;
            report(whole, violation);
            continue;
        }
        plans.operations += first.operations;
        append(plans.cuts, cuts_of(scenario, first));
        append(plans.failures, failures_of(scenario, first));
        append(plans.reads, read_failures_of(scenario, first));
        const std::uint64_t allocated = count_allocations_of(scenario);
        plans.allocated += allocated;
        append(plans.allocations, allocations_of(scenario, allocated, flags.allocations));
        for (const Point& cut : cuts_to_recover_from(scenario, first)) {
            Outcome recovered;
            if (play(cut, recovered).empty()) {
                append(plans.recoveries, cuts_in_recovery(cut, recovered));
            }
        }
    }
    return plans;
}

int run_all(const Flags& flags) {
    const auto begin = std::chrono::steady_clock::now();
    const auto seconds = [&begin] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    const Plans plans = plan_all(flags);
    Totals all = plans.totals;
    std::cout << fmt::format("{} scenarios, {} operations, {} allocations\n", plans.totals.played,
                             plans.operations, plans.allocated)
              << std::flush;
    const std::pair<const char*, const std::vector<Point>*> kinds[] = {
        {kKinds[0], &plans.cuts},
        {kKinds[1], &plans.recoveries},
        {kKinds[2], &plans.failures},
        {kKinds[3], &plans.reads},
        {kKinds[4], &plans.allocations}};
    for (const auto& [name, points] : kinds) {
        if (!flags.only.empty() && flags.only != name) continue;
        const Totals totals = play_all(slice(*points, flags), flags);
        std::cout << fmt::format(
                         "{}: {} of {} points, {} openings, {} processes ended by an error, {} "
                         "failed, {:.1f} s\n",
                         name, totals.played, points->size(), totals.reopens, totals.ended,
                         totals.failed, seconds())
                  << std::flush;
        all.played += totals.played;
        all.failed += totals.failed;
    }
    std::cout << fmt::format("{} passed, {} failed\n", all.played - all.failed, all.failed);
    return all.failed == 0 ? 0 : 1;
}

/// The two parts of "12:torn".
template <typename Choice>
std::pair<std::uint64_t, Choice> parse(const std::string& text,
                                       std::initializer_list<Choice> choices,
                                       const std::string& flag) {
    const std::size_t colon = text.find(':');
    for (const Choice choice : choices) {
        if (colon == std::string::npos || text.substr(colon + 1) != name_of(choice)) continue;
        std::uint64_t operation = 0;
        if (CLI::detail::lexical_cast(text.substr(0, colon), operation) && operation > 0) {
            return {operation, choice};
        }
    }
    std::string names;
    for (const Choice choice : choices)
        names += std::string(names.empty() ? "" : ", ") + name_of(choice);
    throw CLI::ValidationError(flag, text + " is not an operation, a colon, and one of " + names);
}

int run_one(const Flags& flags) {
    using store::Failure;
    using store::Remains;
    Point point;
    for (const Scenario& scenario : scenarios()) {
        if (scenario.name == flags.scenario) point.scenario = &scenario;
    }
    for (const std::string& text : flags.cuts) {
        const auto [operation, remains] = parse(
            text, {Remains::kLost, Remains::kKept, Remains::kPrefix, Remains::kTorn}, "--cut");
        point.plan.cuts.push_back({operation, remains});
    }
    if (!flags.fail.empty()) {
        const auto [operation, failure] = parse(
            flags.fail,
            {Failure::kIoError, Failure::kDiskFull, Failure::kShortWrite, Failure::kSyncError},
            "--fail");
        point.plan.fault = Fault{operation, failure, flags.for_ever};
    }
    if (!flags.fail_read.empty()) {
        using store::ReadFailure;
        const auto [read, failure] =
            parse(flags.fail_read, {ReadFailure::kIoError, ReadFailure::kShortRead}, "--fail-read");
        point.plan.read_fault = ReadFault{read, failure, flags.for_ever};
    }
    point.allocation = flags.fail_allocation;
    Outcome outcome;
    const std::string violation = play(point, outcome);
    if (!violation.empty()) {
        report(point, violation);
    } else {
        std::cout << fmt::format("{} operations, {} openings{}\n", outcome.operations,
                                 outcome.starts.size(),
                                 outcome.process_ended ? ", the process ended by the error" : "");
    }
    std::cout << (violation.empty() ? "1 passed, 0 failed\n" : "0 passed, 1 failed\n");
    return violation.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
    Flags flags;
    CLI::App app(
        "Cuts the power, or fails an operation, at every change that the engine's store "
        "makes to its files.");
    std::vector<std::string> names;
    for (const Scenario& scenario : scenarios()) names.push_back(scenario.name);
    CLI::Option* scenario = app.add_option("--scenario", flags.scenario, "only this scenario")
                                ->check(CLI::IsMember(names));
    app.add_option("--cut", flags.cuts,
                   "cut the power in this operation, as in 12:torn (lost, kept, prefix, torn); "
                   "given again: counted from the restart")
        ->needs(scenario);
    CLI::Option* fail =
        app.add_option("--fail", flags.fail,
                       "fail this operation, as in 12:disk-full (io-error, disk-full, short-write, "
                       "sync-error)")
            ->needs(scenario);
    CLI::Option* fail_read =
        app.add_option("--fail-read", flags.fail_read,
                       "fail this read, as in 12:io-error (io-error, short-read)")
            ->needs(scenario)
            ->excludes(fail);
    app.add_flag("--for-ever", flags.for_ever, "and all behind it");
    CLI::Option* fail_allocation = app.add_option("--fail-allocation", flags.fail_allocation,
                                                  "find no memory for this allocation")
                                       ->needs(scenario)
                                       ->check(CLI::PositiveNumber);
    app.add_option("--allocations", flags.allocations,
                   "play so many allocations of each scenario, spread over all");
    app.add_option("--only", flags.only, "only points of this kind")
        ->check(CLI::IsMember(std::vector<std::string>(std::begin(kKinds), std::end(kKinds))));
    app.add_option("--stride", flags.stride, "play one point in so many")
        ->check(CLI::PositiveNumber);
    app.add_option("--offset", flags.offset, "beginning with this one");
    app.add_option("--jobs", flags.jobs, "processes")->check(CLI::Range(1, 64));
    app.add_flag("--list", flags.list, "list the scenarios");
    try {
        app.parse(argc, argv);
        std::signal(SIGALRM, report_hang);
        if (flags.list) {
            for (const std::string& name : names) std::cout << name << '\n';
            return 0;
        }
        const bool one = !flags.cuts.empty() || *fail || *fail_read || *fail_allocation;
        return one ? run_one(flags) : run_all(flags);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    }
}

}  // namespace
}  // namespace stele::crash_points

int main(int argc, char** argv) { return stele::crash_points::run(argc, argv); }
