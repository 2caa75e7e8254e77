#include "tests/crash_points/process_trial.h"

#include "base/check.h"
#include "base/out_of_memory.h"
#include "sim/shared.h"
#include "tests/crash_points/allocations.h"
#include "tests/crash_points/steps.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string_view>

namespace stele::crash_points {
namespace {

/// What a child has come to.
struct Ending {
    int status = 0;
    std::string words;  // what it has written to the pipe
};

void write_all(int file, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t written = write(file, bytes.data() + at, bytes.size() - at);
        STELE_CHECK(written > 0, "a pipe with a reader takes what is written");
        at += static_cast<std::size_t>(written);
    }
}

/// Runs `work` in a child, which gets a pipe to write to, and waits for its end.
Ending in_child(unsigned seconds_max, const std::function<void(int pipe)>& work) {
    int ends[2];
    STELE_CHECK(pipe(ends) == 0, "there are file descriptors");
    const pid_t child = fork();
    STELE_CHECK(child >= 0, "processes can be forked");
    if (child == 0) {
        close(ends[0]);
        alarm(seconds_max);
        work(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    Ending ending;
    char buffer[1 << 16];
    for (ssize_t size; (size = read(ends[0], buffer, sizeof(buffer))) > 0;) {
        ending.words.append(buffer, static_cast<std::size_t>(size));
    }
    close(ends[0]);
    waitpid(child, &ending.status, 0);
    return ending;
}

// What the words of a child begin with.
constexpr char kViolation = 'V';  // a text follows
constexpr char kRemnant = 'R';    // the process ends because of the failure

/// Leaves what the parent looks at. That the process says why it ends is tested elsewhere; here it would
/// be said thousands of times.
void leave(const Trial& trial, int pipe) {
    write_all(pipe, kRemnant + encode(trial.remnant()));
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
}

/// For the handler of SIGABRT, which a failed check of the engine raises on this thread. Until a read has
/// failed such a check is a violation like any other, and told on standard error.
struct Aborting {
    const Trial* trial = nullptr;
    int pipe = -1;
} aborting;

void on_abort(int) {
    std::signal(SIGABRT, SIG_DFL);
    if (aborting.trial->disk_has_failed()) leave(*aborting.trial, aborting.pipe);
}

void play_in_child(const Point& point, int pipe) {
    end_process_when_out_of_memory();
    Trial trial(*point.scenario, point.plan);
    if (point.allocation != 0) {
        count_allocations({.fails = point.allocation,
                           .spared = [&trial] { return trial.disk_is_busy(); },
                           .last_words = [&trial, pipe] { leave(trial, pipe); }});
    } else {
        aborting = {&trial, pipe};
        std::signal(SIGABRT, on_abort);
    }
    try {
        trial.run();
    } catch (const Violation& found) {
        write_all(pipe, kViolation + std::string(found.what()));
    }
    std::signal(SIGABRT, SIG_DFL);
}

std::string describe(int status) {
    if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
    return fmt::format("exit code {}", WEXITSTATUS(status));
}

/// A server on what was left must have it all, serve a workflow, and survive a loss of power.
std::string look_at(const Scenario& scenario, const Remnant& remnant) {
    const Scenario after{scenario.name + "-after",
                         [](Trial& trial) {
                             start(trial, "served-afterwards", "A");
                             await_end(trial, "served-afterwards");
                         },
                         scenario.machine, scenario.options};
    try {
        Trial trial(after, {}, Trial::Era::kAfterwards);
        trial.take(remnant);
        trial.run();
    } catch (const Violation& found) {
        return found.what();
    }
    return {};
}

}  // namespace

std::uint64_t count_allocations_of(const Scenario& scenario) {
    sim::Shared<std::uint64_t> count(1);
    in_child(0, [&](int) {
        Trial trial(scenario, {});
        count_allocations({});
        trial.run();
        count[0] = allocations();
    });
    return count[0];
}

ProcessOutcome play_in_process(const Point& point, unsigned seconds_max) {
    const Ending ending = in_child(seconds_max, [&](int pipe) { play_in_child(point, pipe); });
    const std::string_view words = ending.words;
    const bool aborted = WIFSIGNALED(ending.status) && WTERMSIG(ending.status) == SIGABRT;
    if (words.starts_with(kViolation)) return {false, std::string(words.substr(1))};
    if (aborted && words.starts_with(kRemnant)) {
        return {true, look_at(*point.scenario, decode_remnant(words.substr(1)))};
    }
    if (WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0 && words.empty()) return {};
    return {false, "the process ended by " + describe(ending.status)};
}

}  // namespace stele::crash_points
