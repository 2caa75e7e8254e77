#pragma once

#include "sim/network.h"
#include "sim/options.h"
#include "sim/record.h"
#include "sim/worker.h"
#include "tests/crash_points/machine.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// One run of one scenario on one machine, with what is to go wrong in it.
namespace stele::crash_points {

/// Where the power is cut, and what that leaves.
struct Cut {
    std::uint64_t operation = 0;  // since the cut before
    store::Remains remains = store::Remains::kLost;
};

struct Fault {
    std::uint64_t operation = 0;
    store::Failure failure = store::Failure::kIoError;
    bool for_ever = false;
};

/// What is to happen: cuts one after the other, or one fault, or nothing.
struct Plan {
    std::vector<Cut> cuts;
    std::optional<Fault> fault;
};

/// Something that must not be is so. Ends the trial.
class Violation : public std::runtime_error {
    using runtime_error::runtime_error;
};

class Trial;
struct Scenario {
    std::string name;
    std::function<void(Trial&)> play;
    Machine::Options machine = {};
    sim::Options options = {};  // of the worker and the network; without faults unless set
};

struct Outcome {
    std::uint64_t operations = 0;  // until the scenario was over
    struct Start {
        std::uint64_t before = 0;      // operations until then
        std::uint64_t operations = 0;  // that it took, if it came to its end
    };
    std::vector<Start> starts;
    std::vector<store::FileOperation> kinds;
    bool fault_met = false;
    bool process_ended = false;  // because of the fault
};

/// Plays a scenario to its end, whatever the plan does to it, and checks after each restart and at
/// the end that all which was acknowledged is there. Throws Violation. Not thread safe.
class Trial {
public:
    Trial(const Scenario& scenario, Plan plan);

    Outcome run();

    // What scenarios use.

    /// The answer to a call, which is repeated until somebody gives one.
    template <typename Response, typename Request>
    absl::StatusOr<Response> ask(const std::string& method, const Request& request) {
        const absl::StatusOr<std::string> bytes = ask_bytes(method, request);
        if (!bytes.ok()) return bytes.status();
        Response response;
        if (!response.ParseFromString(*bytes)) throw Violation("an answer does not parse");
        return response;
    }
    /// Lets time pass.
    void run_for(Duration duration);
    /// Turns the machine off, and on again, when nothing is under way.
    void restart();
    /// From now on this holds, after each restart and at the end; asked through `ask`.
    void promise(std::string what, std::function<bool()> holds);
    sim::Record& record() { return record_; }
    store::FaultDisk& disk() { return disk_; }
    store::Store& store() { return machine_.store(); }

private:
    absl::StatusOr<std::string> ask_bytes(const std::string& method,
                                          const google::protobuf::Message& request);
    void run_until(const std::function<bool()>& condition, Duration limit);
    void start_machine();
    void survive();
    void restore_power();
    void arm();
    void check_recovered();
    void check_promises();
    void check_quiet();
    void check_runs();
    void check_run(const std::string& workflow_id, const std::string& run_id,
                   const std::vector<temporal::api::history::v1::HistoryEvent>& history);
    void check_lists();
    std::vector<temporal::api::history::v1::HistoryEvent> read(const std::string& workflow_id,
                                                               const std::string& run_id);

    const Scenario& scenario_;
    const Plan plan_;
    std::size_t cuts_done_ = 0;
    std::uint64_t last_cut_ = 0;  // operations until then
    env::SimEnv sim_;
    store::FaultDisk disk_;
    Ledger ledger_;
    sim::Record record_;
    Machine machine_;
    sim::Network network_;
    sim::Worker worker_;
    std::vector<std::pair<std::string, std::function<bool()>>> promises_;
    Outcome outcome_;
};

}  // namespace stele::crash_points
