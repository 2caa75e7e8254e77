#include "tests/crash_points/points.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::crash_points {
namespace {

using store::Failure;
using store::ReadFailure;
using store::Remains;

constexpr Remains kRemains[] = {Remains::kLost, Remains::kKept, Remains::kPrefix, Remains::kTorn};
constexpr Failure kFailures[] = {Failure::kIoError, Failure::kDiskFull, Failure::kShortWrite,
                                 Failure::kSyncError};
constexpr std::uint64_t kRecoveriesPerScenario = 4;

}  // namespace

std::string flags_of(const Point& point) {
    std::string flags = "--scenario " + point.scenario->name;
    for (const Cut& cut : point.plan.cuts) {
        flags += fmt::format(" --cut {}:{}", cut.operation, name_of(cut.remains));
    }
    if (const auto& fault = point.plan.fault) {
        flags += fmt::format(" --fail {}:{}{}", fault->operation, name_of(fault->failure),
                             fault->for_ever ? " --for-ever" : "");
    }
    if (const auto& fault = point.plan.read_fault) {
        flags += fmt::format(" --fail-read {}:{}{}", fault->read, name_of(fault->failure),
                             fault->for_ever ? " --for-ever" : "");
    }
    if (point.allocation != 0) flags += fmt::format(" --fail-allocation {}", point.allocation);
    return flags;
}

std::vector<Point> cuts_of(const Scenario& scenario, const Outcome& whole) {
    std::vector<Point> points;
    for (std::uint64_t operation = 1; operation <= whole.operations; ++operation) {
        for (const Remains remains : kRemains) {
            points.push_back({&scenario, {{{operation, remains}}, {}, {}}});
        }
    }
    return points;
}

std::vector<Point> failures_of(const Scenario& scenario, const Outcome& whole) {
    std::vector<Point> points;
    for (std::uint64_t operation = 1; operation <= whole.operations; ++operation) {
        for (const Failure failure : kFailures) {
            if (!can_fail(whole.kinds[operation - 1], failure)) continue;
            for (const bool for_ever : {false, true}) {
                points.push_back({&scenario, {{}, Fault{operation, failure, for_ever}, {}}});
            }
        }
    }
    return points;
}

std::vector<Point> read_failures_of(const Scenario& scenario, const Outcome& whole) {
    std::vector<Point> points;
    for (std::uint64_t read = 1; read <= whole.reads.size(); ++read) {
        for (const ReadFailure failure : {ReadFailure::kIoError, ReadFailure::kShortRead}) {
            for (const bool for_ever : {false, true}) {
                points.push_back({&scenario, {{}, {}, ReadFault{read, failure, for_ever}}});
            }
        }
    }
    return points;
}

std::vector<Point> allocations_of(const Scenario& scenario, std::uint64_t allocations,
                                  std::uint64_t count) {
    std::vector<Point> points;
    const std::uint64_t most = std::min(count, allocations);
    for (std::uint64_t i = 0; i < most; ++i) {
        points.push_back({&scenario, {}, 1 + allocations * i / most});
    }
    return points;
}

std::vector<Point> cuts_to_recover_from(const Scenario& scenario, const Outcome& whole) {
    std::vector<Point> points;
    for (std::uint64_t i = 1; i <= kRecoveriesPerScenario; ++i) {
        const std::uint64_t operation = whole.operations * i / kRecoveriesPerScenario;
        points.push_back({&scenario, {{{operation, kRemains[i % 4]}}, {}, {}}});
    }
    return points;
}

std::vector<Point> cuts_in_recovery(const Point& first, const Outcome& recovered) {
    std::vector<Point> points;
    if (recovered.starts.size() < 2) return points;
    const Outcome::Start& recovery = recovered.starts[1];
    for (std::uint64_t operation = 1; operation <= recovery.operations; ++operation) {
        Point point = first;
        point.plan.cuts.push_back({operation, kRemains[operation % 4]});
        points.push_back(point);
    }
    return points;
}

}  // namespace stele::crash_points
