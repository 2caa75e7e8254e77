#pragma once

#include "sim/network.h"
#include "sim/options.h"
#include "sim/record.h"
#include "sim/worker.h"
#include "tests/crash_points/machine.h"
#include "tests/crash_points/remnant.h"

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

struct ReadFault {
    std::uint64_t read = 0;  // of the whole trial, recoveries included
    store::ReadFailure failure = store::ReadFailure::kIoError;
    bool for_ever = false;
};

/// What is to happen: cuts one after the other, or one fault, or nothing.
struct Plan {
    std::vector<Cut> cuts;
    std::optional<Fault> fault;
    std::optional<ReadFault> read_fault;
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
    std::vector<std::string> reads;  // the file of each, to the end of the trial
    bool fault_met = false;
    bool process_ended = false;  // because of the fault
};

/// Plays a scenario to its end, whatever the plan does to it, and checks after each restart and at
/// the end that all which was acknowledged is there. Throws Violation. Not thread safe.
class Trial {
public:
    /// A trial of one that is over must not have its random numbers, or ids would come twice, and begins
    /// when that has ended.
    enum class Era { kFirst, kAfterwards };
    Trial(const Scenario& scenario, Plan plan, Era era = Era::kFirst);

    Outcome run();

    /// What a process would leave that ended now, without a loss of power. Not during an operation of
    /// the disk.
    Remnant remnant() const;
    bool disk_is_busy() const { return disk_.is_busy(); }
    bool disk_has_failed() const { return disk_.has_failed(); }
    /// Where reads fail: somebody mends the disk and starts the server anew.
    void mend_failed_reads() {
        if (plan_.read_fault && disk_.has_failed()) mend();
    }
    /// Goes on from what another trial's process has left; before `run`.
    void take(const Remnant& remnant);

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
    bool tells_of_a_failed_read(const absl::Status& status) const;
    void mend();
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
    int told_of_disk_ = 0;  // answers that told of a read that failed
    Outcome outcome_;
};

}  // namespace stele::crash_points
