#include "sim/seeds.h"

#include "base/probe.h"
#include "sim/processes.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iostream>

namespace stele::sim {
namespace {

constexpr std::uint64_t kProgress = 100;

/// What one process has to tell of its share.
struct Part {
    Counts counts;
    std::uint64_t failed = 0;
    bool complete = false;
};

/// Every `jobs`-th seed of a lot.
void for_share(const Lot& lot, int job, const std::function<void(std::uint64_t index)>& play) {
    for (auto i = static_cast<std::uint64_t>(job); i < lot.count;
         i += static_cast<std::uint64_t>(lot.jobs)) {
        play(i);
        if ((i + 1) % kProgress == 0) std::cout << fmt::format("{} seeds\n", i + 1) << std::flush;
    }
}

void report_sites(const Totals& totals, probe::Kind kind, const char* what) {
    std::size_t known = 0;
    std::string missing;
    for (std::size_t i = 0; i < totals.sites.size(); ++i) {
        const probe::Site& site = *probe::sites()[i];
        if (site.kind() != kind) continue;
        ++known;
        if (totals.sites[i] == 0) missing += fmt::format("\n  never: {}", site.name());
    }
    const auto never = static_cast<std::size_t>(std::count(missing.begin(), missing.end(), '\n'));
    std::cout << fmt::format("{} of {} {}{}\n", known - never, known, what, missing);
}

}  // namespace

std::string command_of(std::uint64_t seed, const std::string& plant) {
    return fmt::format("build/release/stele_sim --seed {}{}", seed,
                       plant.empty() ? "" : " --plant " + plant);
}

Outcome play_seed(std::uint64_t seed, const std::string& plant,
                  std::function<void(const std::string&)> trace) {
    set_check_context("to repeat: " + command_of(seed, plant));
    return play(draw_options(seed), std::move(trace));
}

void report_failure(std::uint64_t seed, const std::string& plant, const Outcome& outcome) {
    constexpr std::size_t kShown = 5;
    std::string text = fmt::format("seed {} FAILED\n", seed);
    for (std::size_t i = 0; i < std::min(kShown, outcome.violations.size()); ++i) {
        text += "  " + outcome.violations[i] + "\n";
    }
    text += "  to repeat: " + command_of(seed, plant) + "\n";
    std::cout << text << std::flush;
}

Totals play_lot(const Lot& lot) {
    const std::size_t site_count = probe::sites().size();
    Shared<Part> parts(static_cast<std::size_t>(lot.jobs));
    Shared<std::uint64_t> sites(static_cast<std::size_t>(lot.jobs) * site_count);
    in_processes(lot.jobs, [&](int job) {
        Part& part = parts[static_cast<std::size_t>(job)];
        for_share(lot, job, [&](std::uint64_t index) {
            const Outcome outcome = play_seed(lot.first + index, lot.plant);
            part.counts.add(outcome.counts);
            if (outcome.violations.empty()) return;
            ++part.failed;
            report_failure(lot.first + index, lot.plant, outcome);
        });
        for (std::size_t i = 0; i < site_count; ++i) {
            sites[static_cast<std::size_t>(job) * site_count + i] = probe::sites()[i]->count();
        }
        part.complete = true;
    });
    Totals totals;
    totals.sites.resize(site_count);
    for (const Part& part : parts) {
        totals.counts.add(part.counts);
        // A process that died (a broken invariant inside the engine) has said in which seed.
        totals.failed += part.failed + (part.complete ? 0 : 1);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(lot.jobs) * site_count; ++i) {
        totals.sites[i % site_count] += sites[i];
    }
    return totals;
}

void report_coverage(const Totals& totals) {
    report_sites(totals, probe::Kind::kProbe, "probes reached");
    report_sites(totals, probe::Kind::kFault, "fault points fired");
}

std::uint64_t play_twice(const Lot& lot, std::vector<std::uint64_t>& hashes) {
    Shared<std::uint64_t> traces(lot.count * 2);
    in_processes(lot.jobs, [&](int job) {
        for_share(lot, job, [&](std::uint64_t index) {
            for (std::uint64_t i : {index, lot.count + index}) {
                traces[i] = play_seed(lot.first + index, lot.plant).trace_hash;
            }
        });
    });
    std::uint64_t different = 0;
    for (std::uint64_t i = 0; i < lot.count; ++i) {
        hashes.push_back(traces[i]);
        // Zero: the process died before.
        if (traces[i] != 0 && traces[i] == traces[lot.count + i]) continue;
        ++different;
        std::cout << fmt::format("seed {} left trace {:016x} and then {:016x}\n", lot.first + i,
                                 traces[i], traces[lot.count + i]);
    }
    return different;
}

}  // namespace stele::sim
