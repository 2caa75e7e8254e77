#pragma once

#include "store/faults/fault_disk.h"
#include "tests/crash_points/ledger.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace stele::crash_points {

/// What a process leaves that has ended: its files as the system has them, and what the trial around it
/// knows to have been written and acknowledged. It travels from one process to another as bytes.
struct Remnant {
    store::FaultDisk::Contents files;
    Ledger::State ledger;
    // As in sim::Record.
    std::map<std::string, std::set<std::string>> runs;
    std::map<std::string, std::set<std::string>> signals;
    std::map<std::pair<std::string, std::string>, int> completions;
    std::set<std::string> operated;
};

std::string encode(const Remnant& remnant);
/// Aborts for bytes that `encode` has not made.
Remnant decode_remnant(std::string_view bytes);

}  // namespace stele::crash_points
