#pragma once

#include <cstdint>
#include <string>

// The bug bank: every bug that STELE_BUG marks is planted alone, and seeds are played until one
// finds it. What finds nothing has proved nothing.
namespace stele::sim {

struct BankOptions {
    std::uint64_t first = 1;
    std::uint64_t seeds = 10'000;  // for each bug, at most
    int jobs = 2;
    std::string only;  // bugs whose name contains this
};

struct BankResult {
    int passed = 0;
    int failed = 0;
};

/// Plays the bank and prints a table: bug, seeds needed, what found it. Canaries are among them:
/// one bug that does nothing, which no seed may find, and those that the first seed must find.
BankResult play_bank(const BankOptions& options);

}  // namespace stele::sim
