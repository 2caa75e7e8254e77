#include "tests/crash_points/trial.h"

#include "shard/verify.h"
#include "sim/checks.h"
#include "sim/lists.h"
#include "sim/update_checks.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace stele::crash_points {
namespace {

namespace service = temporal::api::workflowservice::v1;

constexpr Duration kCallTimeout = std::chrono::seconds(25);
constexpr Duration kPause = std::chrono::milliseconds(200);
/// Everything that a scenario waits for comes within this time, crashes included.
constexpr Duration kAnswerTime = std::chrono::minutes(5);
constexpr int kTriesMax = 100;
constexpr int kFailedReadsMax = 3;

env::SimOptions quiet_options(Trial::Era era) {
    env::SimOptions options;
    options.seed = 1;
    options.slow_one_in = 0;
    if (era == Trial::Era::kAfterwards) {
        options.seed = 2;
        options.start += std::chrono::hours(1);
    }
    return options;
}

/// How often a signal with this value is in a history.
int times_signalled(const sim::History& history, const std::string& value) {
    int times = 0;
    for (const auto& event : history) {
        if (!event.has_workflow_execution_signaled_event_attributes()) continue;
        const auto& input = event.workflow_execution_signaled_event_attributes().input();
        times += input.payloads_size() > 0 && input.payloads(0).data() == value ? 1 : 0;
    }
    return times;
}

std::set<std::string> completed_activities(const sim::History& history) {
    std::map<std::int64_t, std::string> ids;  // by scheduled event
    std::set<std::string> completed;
    for (const auto& event : history) {
        if (event.has_activity_task_scheduled_event_attributes()) {
            ids[event.event_id()] = event.activity_task_scheduled_event_attributes().activity_id();
        } else if (event.has_activity_task_completed_event_attributes()) {
            completed.insert(
                ids[event.activity_task_completed_event_attributes().scheduled_event_id()]);
        }
    }
    return completed;
}

bool is_closed(const sim::History& history) {
    return !history.empty() && sim::is_closing(history.back());
}

}  // namespace

Trial::Trial(const Scenario& scenario, Plan plan, Era era)
    : scenario_(scenario),
      plan_(std::move(plan)),
      sim_(quiet_options(era)),
      machine_(sim_, disk_, ledger_, scenario_.machine),
      network_(sim_, machine_, scenario_.options),
      worker_(network_, record_, scenario_.options, sim::kNamespace, "worker") {}

Outcome Trial::run() {
    // However it ends, nothing of the process may call into the network behind that.
    struct Off {
        Trial& trial;
        ~Off() {
            trial.network_.break_connections();
            trial.machine_.kill();
        }
    };
    const Off off{*this};
    if (const auto& fault = plan_.read_fault) {
        disk_.fail_read_at(fault->read, fault->failure, fault->for_ever);
    }
    start_machine();
    worker_.start(1);
    scenario_.play(*this);
    outcome_.operations = disk_.operations();
    for (std::uint64_t i = 1; i <= outcome_.operations; ++i) {
        outcome_.kinds.push_back(disk_.operation(i).kind);
    }
    // What was acknowledged must outlive a cut that leaves as little as possible, too.
    if (!plan_.read_fault) disk_.heal();
    restart();
    disk_.heal();
    outcome_.fault_met = disk_.has_failed();
    outcome_.reads = disk_.reads();
    check_quiet();
    return outcome_;
}

Remnant Trial::remnant() const {
    return {disk_.contents(), ledger_.state(),     record_.runs,
            record_.signals,  record_.completions, record_.operated};
}

void Trial::take(const Remnant& remnant) {
    disk_.load(remnant.files);
    ledger_.load(remnant.ledger);
    record_.runs = remnant.runs;
    record_.signals = remnant.signals;
    record_.completions = remnant.completions;
    record_.operated = remnant.operated;
}

void Trial::arm() {
    outcome_.starts.push_back({disk_.operations(), 0});
    disk_.cut_at(cuts_done_ < plan_.cuts.size() ? last_cut_ + plan_.cuts[cuts_done_].operation : 0);
    if (plan_.fault && outcome_.starts.size() == 1) {
        disk_.fail_at(plan_.fault->operation, plan_.fault->failure, plan_.fault->for_ever);
    }
}

void Trial::start_machine() {
    while (true) {
        arm();
        const absl::Status started = machine_.start();
        if (!machine_.loss().empty()) throw Violation(machine_.loss());
        if (started.ok() && !machine_.has_stopped()) break;
        if (!machine_.has_stopped() && !disk_.has_failed()) {
            throw Violation("the server does not start: " + message_of(started));
        }
        outcome_.process_ended = outcome_.process_ended || disk_.has_failed();
        machine_.kill();
        restore_power();
    }
    outcome_.starts.back().operations = disk_.operations() - outcome_.starts.back().before;
    check_recovered();
}

/// After a planned cut, or after a process that a failing disk has ended: then, so that nothing is
/// excused by what a process before has left in memory, as little as possible remains.
void Trial::restore_power() {
    const bool planned = cuts_done_ < plan_.cuts.size();
    disk_.heal();
    disk_.restore(planned ? plan_.cuts[cuts_done_].remains : store::Remains::kLost,
                  disk_.operations());
    if (!planned) return;
    ++cuts_done_;
    last_cut_ = disk_.operations();
}

/// The process has stopped: the machine comes back.
void Trial::survive() {
    outcome_.process_ended = outcome_.process_ended || disk_.has_failed();
    network_.break_connections();
    machine_.kill();
    restore_power();
    start_machine();
    check_promises();
}

void Trial::restart() {
    if (machine_.has_stopped()) survive();
    network_.break_connections();
    machine_.kill();
    disk_.restore(store::Remains::kLost, 0);
    start_machine();
    check_promises();
}

void Trial::run_until(const std::function<bool()>& condition, Duration limit) {
    const Duration until = sim_.elapsed() + limit;
    while (!condition()) {
        if (machine_.has_stopped()) {
            survive();
        } else if (sim_.elapsed() > until || !sim_.run_one()) {
            throw Violation("invariant 20: what was waited for did not come");
        }
    }
}

void Trial::run_for(Duration duration) {
    const Duration until = sim_.elapsed() + duration;
    bool over = false;
    network_.after(duration, [&over] { over = true; });
    run_until([&over] { return over; }, duration + kAnswerTime);
    if (sim_.elapsed() < until) throw Violation("time went back");
}

absl::StatusOr<std::string> Trial::ask_bytes(const std::string& method,
                                             const google::protobuf::Message& request) {
    absl::StatusOr<std::string> last = internal_error("never asked");
    for (int i = 0; i < kTriesMax; ++i) {
        const auto answer = std::make_shared<std::optional<absl::StatusOr<std::string>>>();
        network_.call(method, request, kCallTimeout,
                      sim::Network::Done([answer](absl::StatusOr<std::string> bytes) {
                          answer->emplace(std::move(bytes));
                      }));
        run_until([&answer] { return answer->has_value(); }, kAnswerTime);
        last = std::move(**answer);
        if (!last.ok() && tells_of_a_failed_read(last.status())) {
            // That is a good answer. If it stays so, somebody mends the disk and starts the server anew.
            if (++told_of_disk_ > kFailedReadsMax) mend();
        } else if (last.ok() || !sim::is_uncertain(last.status())) {
            return last;
        }
        run_for(kPause);
    }
    throw Violation(
        fmt::format("invariant 20: {} is never answered: {}", method, message_of(last.status())));
}

bool Trial::tells_of_a_failed_read(const absl::Status& status) const {
    return plan_.read_fault && disk_.has_failed() &&
           (status.code() == absl::StatusCode::kInternal ||
            status.code() == absl::StatusCode::kDataLoss);
}

void Trial::mend() {
    told_of_disk_ = 0;
    disk_.heal();
    restart();
}

void Trial::promise(std::string what, std::function<bool()> holds) {
    promises_.emplace_back(std::move(what), std::move(holds));
}

/// Whatever was under way when the machine stopped: rows agree among themselves.
void Trial::check_recovered() {
    // The check is not the server's: a disk whose reads fail for ever is mended for it.
    if (plan_.read_fault && disk_.has_failed()) disk_.heal();
    const std::vector<std::string> faults = shard::verify_store(machine_.store());
    if (!faults.empty()) throw Violation("after recovery: " + faults.front());
}

void Trial::check_promises() {
    // A crash during these checks brings us here again; the one inside looks at all of them.
    const std::uint64_t incarnation = machine_.incarnation();
    for (const auto& [id, runs] : record_.runs) {
        for (const std::string& run : std::set<std::string>(runs))
            record_.read_prefix(run, read(id, run));
        if (machine_.incarnation() != incarnation) return;
    }
    for (std::size_t i = 0; i < promises_.size(); ++i) {
        const auto promised = promises_[i];
        if (!promised.second()) throw Violation("promised, and not so any more: " + promised.first);
        if (machine_.incarnation() != incarnation) return;
    }
    if (!record_.violations.empty()) throw Violation(record_.violations.front());
}

/// The scenario is over, and nothing fails any more.
void Trial::check_quiet() {
    run_for(std::chrono::seconds(1));
    check_runs();
    check_lists();
    for (const std::string& fault : shard::verify_store(machine_.store())) throw Violation(fault);
    for (const std::string& fault : machine_.engine().compare_with_store()) throw Violation(fault);
    if (!record_.violations.empty()) throw Violation(record_.violations.front());
}

void Trial::check_runs() {
    for (const auto& [id, runs] : record_.runs) {
        std::set<std::string> missing = record_.signals[id];
        for (const std::string& first : std::set<std::string>(runs)) {
            for (std::string run = first; !run.empty();) {
                const sim::History history = read(id, run);
                check_run(id, run, history);
                std::erase_if(missing, [&history](const std::string& value) {
                    return times_signalled(history, value) > 0;
                });
                run = sim::successor_of(history);
            }
        }
        if (missing.empty()) continue;
        throw Violation("invariant 6: a signal was acknowledged and is gone: " +
                        missing.begin()->substr(0, 40));
    }
}

void Trial::check_run(const std::string& workflow_id, const std::string& run_id,
                      const sim::History& history) {
    for (const std::string& value : record_.signals[workflow_id]) {
        if (times_signalled(history, value) > 1) {
            throw Violation("invariant 6: a signal is there twice: " + value.substr(0, 40));
        }
    }
    if (!is_closed(history)) return;
    const bool operated = record_.operated.contains(workflow_id);
    for (const std::string& fault : sim::check_history(run_id, history, operated)) {
        throw Violation(fault);
    }
    for (const std::string& fault : sim::check_updates(run_id, history, record_)) {
        throw Violation(fault);
    }
    const std::set<std::string> completed = completed_activities(history);
    for (const auto& [place, attempt] : record_.completions) {
        const auto& [run, activity] = place;
        if (run != run_id || completed.contains(activity)) continue;
        throw Violation(
            "invariant 6: the completion of an activity was acknowledged and is gone: " + activity);
    }
}

void Trial::check_lists() {
    service::ListWorkflowExecutionsRequest request;
    request.set_namespace_(sim::kNamespace);
    std::vector<temporal::api::workflow::v1::WorkflowExecutionInfo> listed;
    do {
        const auto page =
            ask<service::ListWorkflowExecutionsResponse>("ListWorkflowExecutions", request);
        if (!page.ok()) throw Violation("runs can not be listed: " + message_of(page.status()));
        listed.insert(listed.end(), page->executions().begin(), page->executions().end());
        request.set_next_page_token(page->next_page_token());
    } while (!request.next_page_token().empty());
    for (const std::string& difference : sim::compare_lists(machine_.store(), listed)) {
        throw Violation(difference);
    }
}

sim::History Trial::read(const std::string& workflow_id, const std::string& run_id) {
    service::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(sim::kNamespace);
    request.mutable_execution()->set_workflow_id(workflow_id);
    request.mutable_execution()->set_run_id(run_id);
    sim::History history;
    do {
        const auto page = ask<service::GetWorkflowExecutionHistoryResponse>(
            "GetWorkflowExecutionHistory", request);
        if (!page.ok()) {
            throw Violation(fmt::format("invariant 1: run {} of {} can not be read: {}", run_id,
                                        workflow_id, message_of(page.status())));
        }
        history.insert(history.end(), page->history().events().begin(),
                       page->history().events().end());
        request.set_next_page_token(page->next_page_token());
    } while (!request.next_page_token().empty());
    return history;
}

}  // namespace stele::crash_points
