#include "sim/bank.h"

#include "base/probe.h"
#include "sim/seeds.h"
#include "sim/shared.h"

#include <fmt/format.h>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iostream>
#include <map>
#include <string_view>
#include <vector>

namespace stele::sim {
namespace {

/// Of processor time, however busy the machine is. A seed takes a fraction of a second.
constexpr time_t kHangSeconds = 120;
/// So many seeds must not find the bug that does nothing.
constexpr std::uint64_t kHarmlessSeeds = 500;

constexpr std::string_view kHarmless = "canary.harmless";
constexpr std::string_view kCertain = "canary.certain";

/// What the process that plays a bug leaves behind, whatever becomes of it.
struct Trial {
    std::uint64_t seeds;  // begun
    bool over;            // it found the bug, or has played all
    std::array<char, 400> violation;
};

class Bank {
public:
    explicit Bank(const BankOptions& options) : options_(options) {
        for (const probe::Site* site : probe::sites()) {
            if (site->kind() != probe::Kind::kBug) continue;
            if (site->name().find(options.only) != std::string_view::npos) {
                bugs_.emplace_back(site->name());
            }
        }
    }

    BankResult play() {
        Shared<Trial> trials(bugs_.size());
        std::map<pid_t, std::size_t> running;
        for (std::size_t next = 0; next < bugs_.size() || !running.empty();) {
            const bool room = running.size() < static_cast<std::size_t>(options_.jobs);
            if (room && next < bugs_.size()) {
                running[begin(bugs_[next], trials[next])] = next;
                ++next;
                continue;
            }
            int status = 0;
            const auto ended = running.find(wait(&status));
            if (ended == running.end()) continue;
            judge(bugs_[ended->second], trials[ended->second], status);
            running.erase(ended);
        }
        return result_;
    }

private:
    std::uint64_t limit_of(std::string_view bug) const {
        if (bug == kHarmless) return std::min(kHarmlessSeeds, options_.seeds);
        return bug.starts_with(kCertain) ? 1 : options_.seeds;
    }

    /// A process of its own: a bug may end it, or never let it end.
    pid_t begin(const std::string& bug, Trial& trial) {
        std::cout << std::flush;
        const pid_t pid = fork();
        STELE_CHECK(pid >= 0, "no more processes");
        if (pid != 0) return pid;
        if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
        STELE_CHECK(probe::plant(bug), "no such bug");
        while (trial.seeds < limit_of(bug)) {
            const itimerval limit{.it_interval = {}, .it_value = {kHangSeconds, 0}};
            setitimer(ITIMER_PROF, &limit, nullptr);
            const std::uint64_t seed = options_.first + trial.seeds++;
            const Outcome outcome = play_seed(seed, bug);
            if (outcome.violations.empty()) continue;
            const std::string& text = outcome.violations.front();
            text.copy(trial.violation.data(), trial.violation.size() - 1);
            break;
        }
        trial.over = true;
        _exit(0);
    }

    void judge(const std::string& bug, const Trial& trial, int status) {
        std::string violation = trial.violation.data();
        if (!trial.over) {
            violation = WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF
                            ? "the seed does not end"
                            : "a check inside the engine ended the process";
        }
        const bool found = !violation.empty();
        const bool right = found != (bug == kHarmless);
        ++(right ? result_.passed : result_.failed);
        std::cout << fmt::format("{:4} {:34} {:>6} {}\n", right ? "ok" : "FAIL", bug, trial.seeds,
                                 found ? violation : "not found")
                  << std::flush;
    }

    const BankOptions options_;
    std::vector<std::string> bugs_;
    BankResult result_;
};

}  // namespace

BankResult play_bank(const BankOptions& options) {
    std::cout << fmt::format("{:4} {:34} {:>6} {}\n", "", "bug", "seeds", "what found it");
    return Bank(options).play();
}

}  // namespace stele::sim
