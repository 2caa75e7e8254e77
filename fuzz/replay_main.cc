#include "fuzz/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

// Plays the committed corpus of every fuzz target, and a fixed number of mutations of each input that
// are the same in every run. Needs no fuzzer and no clang: what fuzzing has found once stays mended.
namespace stele::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kUsage[] =
    "Usage: stele_fuzz_replay [--corpus DIRECTORY] [--mutations N] [--target NAME] [--input FILE]\n"
    "\n"
    "Plays each input of the corpus (fuzz/corpus) and N mutations of it (50). A failure ends the\n"
    "program and names the input and the mutation. --input plays one file, with --target.\n";

/// SplitMix64: small, and the same everywhere.
class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }

private:
    std::uint64_t state_;
};

/// A few changes of the kinds that fuzzers make.
std::string mutated(std::string input, std::uint64_t seed) {
    Numbers numbers(seed);
    const std::size_t changes = 1 + numbers.below(4);
    for (std::size_t i = 0; i < changes; ++i) {
        const std::size_t at = numbers.below(input.size());
        const std::size_t count = 1 + numbers.below(8);
        switch (input.empty() ? 1 : numbers.below(5)) {
            case 0: input[at] = static_cast<char>(input[at] ^ (1 << numbers.below(8))); break;
            case 1: input.insert(at, count, static_cast<char>(numbers.next())); break;
            case 2: input.erase(at, count); break;
            case 3: input[at] = static_cast<char>(numbers.next()); break;
            default: input.insert(at, input.substr(numbers.below(input.size()), count * 4)); break;
        }
    }
    return input;
}

struct Options {
    std::filesystem::path corpus = "fuzz/corpus";
    std::optional<std::filesystem::path> input;
    std::string target;
    std::uint64_t mutations = 50;
};

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

/// What is played now, for the message of whoever fails.
void announce(const std::string& target, const std::filesystem::path& file,
              std::uint64_t mutation) {
    set_check_context(
        fmt::format("fuzz target {}, input {}, mutation {}", target, file.string(), mutation));
}

std::uint64_t seed_of(const std::filesystem::path& file, std::uint64_t mutation) {
    std::uint64_t seed = 0xcbf29ce484222325;
    for (const char letter : file.filename().string()) {
        seed = (seed ^ static_cast<std::uint8_t>(letter)) * 0x100000001b3;
    }
    return seed + mutation;
}

/// How often the target ran. No input may take long: a stranger could send it again and again.
std::uint64_t play(const Target& target, const std::filesystem::path& file,
                   std::uint64_t mutations) {
    constexpr auto kLongest = std::chrono::seconds(5);
    const std::string input = read(file);
    for (std::uint64_t i = 0; i <= mutations; ++i) {
        announce(target.name, file, i);
        const auto begun = Clock::now();
        target.run(i == 0 ? input : mutated(input, seed_of(file, i)));
        STELE_CHECK(Clock::now() - begun < kLongest, "the input takes too long");
    }
    return mutations + 1;
}

bool play_corpus(const Target& target, const Options& options) {
    const std::filesystem::path directory = options.corpus / target.name;
    std::vector<std::filesystem::path> files;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(directory, missing)) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    const auto begun = Clock::now();
    std::uint64_t runs = 0;
    for (const auto& file : files) runs += play(target, file, options.mutations);
    const std::chrono::duration<double> seconds = Clock::now() - begun;
    fmt::print("{:<20} {:>4} inputs {:>8} runs {:>7.2f} s{}\n", target.name, files.size(), runs,
               seconds.count(), files.empty() ? "  THERE IS NO CORPUS" : "");
    std::fflush(stdout);
    return !files.empty();
}

[[noreturn]] void refuse(const std::string& what) {
    fmt::print(stderr, "Error: {}\n\n{}", what, kUsage);
    std::exit(2);
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--help" || name == "-h") {
            fmt::print("{}", kUsage);
            std::exit(0);
        }
        if (i + 1 == argc) refuse(name + " needs a value, or is not an option");
        const std::string value = argv[++i];
        if (name == "--corpus") {
            options.corpus = value;
        } else if (name == "--target") {
            options.target = value;
        } else if (name == "--input") {
            options.input = value;
        } else if (name == "--mutations") {
            const char* const end = value.data() + value.size();
            const auto read = std::from_chars(value.data(), end, options.mutations);
            if (read.ec != std::errc() || read.ptr != end) refuse(value + " is not a number");
        } else {
            refuse(name + " is not an option");
        }
    }
    if (options.input && options.target.empty()) refuse("--input needs --target");
    return options;
}

int run(const Options& options) {
    std::vector<Target> all = targets();
    std::sort(all.begin(), all.end(),
              [](const Target& a, const Target& b) { return a.name < b.name; });
    int passed = 0;
    int failed = 0;
    for (const Target& target : all) {
        if (!options.target.empty() && options.target != target.name) continue;
        if (options.input) play(target, *options.input, options.mutations);
        const bool ok = options.input.has_value() || play_corpus(target, options);
        ++(ok ? passed : failed);
    }
    if (passed + failed == 0) refuse("there is no target " + options.target);
    fmt::print("{} passed, {} failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace stele::fuzz

int main(int argc, char** argv) { return stele::fuzz::run(stele::fuzz::read_options(argc, argv)); }
