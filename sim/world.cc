#include "sim/world.h"

#include "base/probe.h"
#include "shard/verify.h"
#include "sim/checks.h"
#include "sim/clients.h"
#include "sim/family.h"
#include "sim/lists.h"
#include "sim/nexus.h"
#include "sim/operators.h"
#include "sim/reset_checks.h"
#include "sim/reset_clients.h"
#include "sim/sdk_checks.h"
#include "sim/sdk_clients.h"
#include "sim/sdk_workers.h"
#include "sim/server.h"
#include "sim/strangers.h"
#include "sim/task_checks.h"
#include "sim/update_checks.h"
#include "sim/worker.h"
#include "store/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace stele::sim {
namespace {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

constexpr int kPollsPerWorker = 2;
/// Invariant 20 of docs/invariants.md, generous: retries back off to seconds and scripts are long.
constexpr Duration kTimeToEnd = std::chrono::minutes(10);
/// A run that does nothing for so long waits for what never comes: longer than workflow tasks back off.
constexpr Duration kTimeToGoOn = std::chrono::minutes(5);
constexpr Duration kCheckTimeout = std::chrono::seconds(30);
/// After this nothing is left of the faults: polls whose answer was lost have ended, tasks that were
/// dropped have timed out.
constexpr Duration kRecovery = std::chrono::seconds(20);
/// How long one of a crowd may take then, where nothing holds its activities back. Much longer than
/// the work takes and much shorter than a poll lasts: a worker that waits on the wrong queue, or a
/// task that nobody is offered, is found.
constexpr Duration kCrowdTime = std::chrono::seconds(10);
constexpr Duration kDown = std::chrono::milliseconds(300);

using Info = temporal::api::workflow::v1::WorkflowExecutionInfo;

/// Names a run by what the record calls its workflow.
template <typename Request>
void name_run(const std::string& id, const std::string& run, Request& request) {
    const bool other = id.starts_with(kOtherPrefix);
    request.set_namespace_(other ? kOtherNamespace : kNamespace);
    request.mutable_execution()->set_workflow_id(other ? id.substr(kOtherPrefix.size()) : id);
    request.mutable_execution()->set_run_id(run);
}

class World {
public:
    World(const Options& options, std::function<void(const std::string&)> trace)
        : options_(options),
          sim_(sim_options(options.seed)),
          server_(sim_, options_),
          network_(sim_, server_, options_),
          clients_(network_, record_, options_),
          operators_(network_, record_),
          reset_clients_(network_, record_),
          strangers_(network_),
          sdk_options_(draw_sdk_options(options.seed)),
          sdk_clients_(network_, record_, sdk_options_),
          sdk_workers_(sim_, network_, record_, sdk_options_) {
        if (trace) sim_.set_trace_sink(std::move(trace));
        for (int i = 0; i < options_.workers; ++i) {
            workers_.push_back(std::make_unique<Worker>(network_, record_, options_, kNamespace,
                                                        fmt::format("worker-{}", i)));
        }
        workers_.push_back(
            std::make_unique<Worker>(network_, record_, options_, kOtherNamespace, "other-worker"));
    }

    Outcome play() {
        probe::begin_run(options_.seed, options_.fault_points);
        server_.callbacks().listen([this](const shard::Completion& completion) {
            record_.told_end(completion.run.run_id, completion.outcome);
            network_.has_left_server();
        });
        server_.start();
        for (const auto& worker : workers_) worker->start(kPollsPerWorker);
        clients_.start();
        sdk_workers_.start();
        sdk_clients_.start();
        operators_.start(clients_.workflow_ids(), options_.faulty_seconds);
        reset_clients_.start(options_.faulty_seconds);
        strangers_.start(clients_.workflow_ids(), options_.faulty_seconds);
        suffer();
        network_.heal();
        probe::end_faults();
        if (options_.crowd > 0) {
            sim_.run_for(kRecovery);
            not_taken_back_before_crowd_ = tasks_not_taken_back();
            clients_.start_crowd(options_.crowd);
            for (const auto& worker : workers_) worker->end_soon();
        }
        if (STELE_BUG("canary.certain-violation")) record_.violation("canary: this is one");
        if (STELE_BUG("canary.certain-loss")) {
            record_.signalled(clients_.workflow_ids().front(), "canary: never sent");
        }
        end_everything();
        check_batches();
        check_lists();
        for (std::string& fault : sdk_checks_.check_end(sdk_clients_.shown())) {
            record_.violation(std::move(fault));
        }
        check_store();
        outcome_.violations = std::move(record_.violations);
        outcome_.trace_hash = sim_.trace_hash();
        outcome_.steps = sim_.steps();
        outcome_.counts.queries = record_.queries_answered;
        outcome_.counts.virtual_seconds = std::chrono::duration<double>(sim_.elapsed()).count();
        return outcome_;
    }

private:
    static env::SimOptions sim_options(std::uint64_t seed) {
        env::SimOptions options;
        options.seed = seed;
        return options;
    }

    /// The time of faults: crashes and power losses come at random distances.
    void suffer() {
        const Duration end = sim_.elapsed() + std::chrono::seconds(options_.faulty_seconds);
        Duration crash = sim_.elapsed() + gap(options_.crash_every);
        Duration power_loss = sim_.elapsed() + gap(options_.power_loss_every);
        while (sim_.elapsed() < end) {
            const Duration next = std::min({end, crash, power_loss});
            if (power_goes_before(next)) {
                network_.power_has_gone();
                restart(true);
                continue;
            }
            if (next == end) return;
            restart(next == power_loss);
            if (next == crash) crash = sim_.elapsed() + gap(options_.crash_every);
            if (next == power_loss) power_loss = sim_.elapsed() + gap(options_.power_loss_every);
        }
    }

    /// Goes on until then, or until the power is to go behind an answer.
    bool power_goes_before(Duration moment) {
        const auto to_go = [this] { return network_.power_is_to_go(); };
        return moment > sim_.elapsed() && sim_.run_until(to_go, moment - sim_.elapsed());
    }

    Duration gap(int seconds) {
        if (seconds == 0) return std::chrono::hours(24);
        const auto most = static_cast<std::uint64_t>(seconds) * 2'000'000'000u;
        return Duration(static_cast<std::int64_t>(1'000'000 + sim_.fault_random().next() % most));
    }

    void restart(bool without_power) {
        ++outcome_.counts.crashes;
        network_.break_connections();
        if (without_power) {
            server_.lose_power();
        } else {
            server_.kill();
        }
        sim_.run_for(kDown);
        server_.start();
        while (STELE_FAULT("server.crashes-while-starting")) {
            sim_.run_for(std::chrono::milliseconds(3));
            ++outcome_.counts.crashes;
            network_.break_connections();
            server_.kill();
            sim_.run_for(kDown);
            server_.start();
        }
    }

    /// Every workflow ends once nothing fails any more; then each history is read whole.
    void end_everything() {
        const auto told = [this] {
            return clients_.finished() && reset_clients_.finished() && sdk_clients_.finished();
        };
        if (!sim_.run_until(told, kTimeToEnd)) {
            return record_.violation("invariant 20: a client never got an answer");
        }
        for (const std::string& id : clients_.workflow_ids()) follow_all(id);
        for (const std::string& id : reset_clients_.reset_ids()) follow_all(id);
        for (const std::string& id : sdk_clients_.workflow_ids()) follow_all(id);
        for (const Reset& reset : record_.resets) follow_reset(reset);
        for (const auto& [id, run] : record_.removed) expect_gone(id, run);
        follow_children();
        follow_asked();
        follow_listed();
        for (const std::string& id : clients_.crowd_ids()) check_crowd(id);
    }

    /// All runs of a workflow id. What was acknowledged is in one of them.
    void follow_all(const std::string& id) {
        std::set<std::string> seen_signals;
        for (const std::string& run : std::set<std::string>(record_.runs[id])) {
            follow(id, run, seen_signals);
        }
        for (const std::string& value : record_.signals[id]) {
            if (seen_signals.contains(value)) continue;
            record_.violation(
                fmt::format("invariant 6: signal {} was acknowledged and is gone", value));
        }
    }

    /// Invariants 4 and 6: the new run has what the old one had.
    void follow_reset(const Reset& reset) {
        const std::optional<History> base = read_whole(reset.workflow_id, reset.base_run_id);
        const std::optional<History> run = read_whole(reset.workflow_id, reset.run_id);
        if (!base || !run) return;
        std::vector<History> later;
        for (std::string next = successor_of(*base); !next.empty();) {
            std::optional<History> history = read_whole(reset.workflow_id, next);
            if (!history) return;
            next = successor_of(*history);
            later.push_back(*std::move(history));
        }
        for (std::string& fault : check_reset(reset.finish, *base, later, *run)) {
            record_.violation(std::move(fault));
        }
    }

    /// Invariant 17: a deleted run is not found any more, soon.
    void expect_gone(const std::string& id, const std::string& run) {
        service::GetWorkflowExecutionHistoryRequest request;
        name_run(id, run, request);
        const Duration until = sim_.elapsed() + kTimeToEnd;
        while (sim_.elapsed() < until) {
            if (ask(request).status().code() == absl::StatusCode::kNotFound) return;
            sim_.run_for(std::chrono::seconds(1));
        }
        record_.violation(fmt::format("invariant 17: run {} of {} is not deleted", run, id));
    }

    /// A task that is late is a fault even if a timeout repairs it.
    void check_crowd(const std::string& id) {
        const std::set<std::string>& runs = record_.runs[id];
        const std::optional<History> history =
            runs.empty() ? std::nullopt : read_whole(id, *runs.begin());
        if (!history) return;
        for (const HistoryEvent& event : *history) {
            const bool late = event.has_activity_task_timed_out_event_attributes() ||
                              event.has_workflow_task_timed_out_event_attributes();
            if (!late || left_with_poll(*runs.begin(), *history, event)) continue;
            record_.violation(fmt::format(
                "invariant 20: a task of {} timed out although nothing failed (event {})", id,
                event.event_id()));
        }
        const Duration taken =
            from_proto(history->back().event_time()) - from_proto(history->front().event_time());
        if (taken <= kCrowdTime + time_of_limit()) return;
        record_.violation(fmt::format("invariant 20: {} took {} s although nothing failed", id,
                                      std::chrono::duration<double>(taken).count()));
    }

    /// Whether the task may have gone with a worker that left while its start was being synced. Then
    /// the engine takes the start back, unless somebody has read it meanwhile: it says so where it
    /// does not. The start of an activity can be taken back always.
    bool left_with_poll(const std::string& run_id, const History& history,
                        const HistoryEvent& timed_out) const {
        const std::int64_t started =
            timed_out.workflow_task_timed_out_event_attributes().started_event_id();
        if (started == 0 || tasks_not_taken_back() == not_taken_back_before_crowd_) return false;
        return record_.may_have_left_with_poll(
            run_id, from_proto(history[static_cast<std::size_t>(started) - 1].event_time()));
    }

    static std::uint64_t tasks_not_taken_back() {
        return probe::site<probe::Kind::kProbe, "tasks.not-taken-back">.count();
    }

    /// What the workers' limit of activities a second takes to let all of the crowd's through.
    Duration time_of_limit() const {
        if (options_.activities_per_second == 0) return Duration::zero();
        return std::chrono::seconds(1) * (options_.crowd * kActivitiesOfCrowd) /
               options_.activities_per_second;
    }

    /// Reads a chain of runs to its end. Each must have begun where the one before it says so.
    std::vector<History> follow(const std::string& id, std::string run,
                                std::set<std::string>& seen_signals,
                                std::vector<std::string>* runs = nullptr) {
        std::vector<History> chain;
        std::vector<std::string> names;
        while (!run.empty()) {
            std::optional<History> history = read_whole(id, run);
            if (!history) return {};
            outcome_.counts.events += history->size();
            followed_.insert(run);
            names.push_back(run);
            check_cancels(id, *history);
            if (!chain.empty()) {
                for (std::string& fault : check_successor(chain.back(), run, *history)) {
                    record_.violation(std::move(fault));
                }
            }
            const bool operated = record_.operated.contains(id);
            for (std::string& fault : check_history(run, *history, operated, longest_heartbeat())) {
                record_.violation(std::move(fault));
            }
            for (std::string& fault : check_updates(run, *history, record_)) {
                record_.violation(std::move(fault));
            }
            for (std::string& fault : check_delay(id, run, *history, record_)) {
                record_.violation(std::move(fault));
            }
            check_told_end(run, *history);
            note_failed_starts(run, *history, failed_starts_);
            for (std::string& fault : sdk_checks_.check_run(id, run, *history)) {
                record_.violation(std::move(fault));
            }
            record_.read_prefix(run, *history);
            look_for_signals(id, *history, seen_signals);
            look_for_completions(run, *history);
            for (Kin& kin : children_of(run, *history)) {
                if (id.starts_with(kOtherPrefix)) kin.workflow_id = kOtherPrefix + kin.workflow_id;
                kin_.push_back(std::move(kin));
            }
            for (Asked& asked : asked_in(*history)) asked_.push_back(std::move(asked));
            if (runs != nullptr) runs->push_back(run);
            run = successor_of(*history);
            chain.push_back(*std::move(history));
        }
        if (chain.empty()) return chain;
        const auto& started = chain.front().front().workflow_execution_started_event_attributes();
        if (!started.completion_callbacks().empty()) to_be_told_.emplace_back(id, std::move(names));
        return chain;
    }

    /// Invariant 20: of a chain of runs that was started with a callback, the end of one is told.
    void check_callbacks() {
        for (const auto& [id, chain] : to_be_told_) {
            const bool told = std::any_of(
                chain.begin(), chain.end(),
                [this](const std::string& run) { return record_.told_ends.contains(run); });
            if (told) continue;
            record_.violation(
                fmt::format("invariant 20: no callback has told of the end of {}", id));
        }
    }

    /// Invariant 19: what a callback has told of a run is so.
    void check_told_end(const std::string& run, const History& history) {
        const auto told = record_.told_ends.find(run);
        if (told == record_.told_ends.end()) return;
        const HistoryEvent& end = history.back();
        if (told->second.event_id() == end.event_id() &&
            told->second.event_type() == end.event_type() &&
            from_proto(told->second.event_time()) == from_proto(end.event_time())) {
            return;
        }
        record_.violation(
            fmt::format("invariant 19: run {} did not end as a callback has told", run));
    }

    Duration longest_heartbeat() const {
        return options_.short_heartbeats ? kShortHeartbeats : Duration(std::chrono::minutes(30));
    }

    /// The children of all runs, and theirs.
    void follow_children() {
        for (; !kin_.empty(); kin_.pop_front()) {
            const Kin kin = kin_.front();
            // Whether one whose start was not recorded exists is open; its rows are checked later.
            if (kin.first_run.empty()) continue;
            std::set<std::string> signals;
            std::vector<std::string> runs;
            const std::vector<History> chain =
                follow(kin.workflow_id, kin.first_run, signals, &runs);
            ++outcome_.counts.children;
            if (chain.empty()) continue;
            for (std::string& fault : check_kin(kin, chain, runs))
                record_.violation(std::move(fault));
        }
    }

    /// Invariant 14: what a list has shown is there.
    void follow_listed() {
        for (const auto& [id, run] : record_.listed) {
            if (!followed_.contains(run)) read_whole(id, run);
        }
    }

    /// What runs have signalled with start.
    void follow_asked() {
        for (const Asked& asked : std::exchange(asked_, {})) {
            const auto target = read_whole(asked.workflow_id, asked.run_id);
            if (!target) continue;
            for (std::string& fault :
                 check_history(asked.run_id, *target, false, longest_heartbeat())) {
                record_.violation(std::move(fault));
            }
            for (std::string& fault : check_asked(asked, *target)) {
                record_.violation(std::move(fault));
            }
        }
    }

    /// Once per run: a request id is known to the run that took it, and not to the run that it
    /// continued as, which is how the real server has it.
    void look_for_signals(const std::string& id, const History& history,
                          std::set<std::string>& seen) {
        std::set<std::string> of_run;
        int from_batch = 0;
        for (const HistoryEvent& event : history) {
            const auto& signal = event.workflow_execution_signaled_event_attributes();
            if (signal.signal_name() == kBatchSignal && ++from_batch == 2) {
                record_.violation(fmt::format("invariant 6: a batch has signalled {} twice", id));
            }
            if (signal.signal_name() != "step") continue;
            const std::string& value = signal.input().payloads(0).data();
            seen.insert(value);
            if (of_run.insert(value).second) continue;
            record_.violation(fmt::format("invariant 6: signal {} of {} appears twice", value, id));
        }
    }

    /// Invariant 6: a run that was open all the while knows of a request to cancel it.
    void check_cancels(const std::string& id, const History& history) {
        bool requested = false;
        for (const HistoryEvent& event : history) {
            requested =
                requested || event.has_workflow_execution_cancel_requested_event_attributes();
        }
        if (requested) return;
        for (const Record::Cancel& cancel : record_.cancels[id]) {
            if (from_proto(history.front().event_time()) > cancel.sent ||
                from_proto(history.back().event_time()) < cancel.told) {
                continue;
            }
            record_.violation(fmt::format(
                "invariant 6: the request to cancel {} was acknowledged and is gone", id));
        }
    }

    void look_for_completions(const std::string& run, const History& history) {
        std::map<std::int64_t, std::string> ids;
        std::map<std::string, int> attempts;
        std::set<std::string> completed;
        for (const HistoryEvent& event : history) {
            if (event.has_activity_task_scheduled_event_attributes()) {
                ids[event.event_id()] =
                    event.activity_task_scheduled_event_attributes().activity_id();
            } else if (event.has_activity_task_started_event_attributes()) {
                const auto& started = event.activity_task_started_event_attributes();
                attempts[ids[started.scheduled_event_id()]] = started.attempt();
            } else if (event.has_activity_task_completed_event_attributes()) {
                completed.insert(
                    ids[event.activity_task_completed_event_attributes().scheduled_event_id()]);
            }
        }
        const bool cut_short =
            history.back().has_workflow_execution_terminated_event_attributes() ||
            history.back().has_workflow_execution_canceled_event_attributes();
        for (const auto& [of, attempt] : record_.completions) {
            const auto& [of_run, activity] = of;
            if (of_run == run && completed.contains(activity) && attempts[activity] != attempt) {
                record_.violation(fmt::format(
                    "invariant 9: attempt {} of activity {} of run {} was acknowledged, "
                    "and attempt {} has completed",
                    attempt, activity, run, attempts[activity]));
            }
            // A completion that waited in the buffer when the run was cut short is flushed as well.
            if (of_run != run || completed.contains(activity)) continue;
            record_.violation(
                fmt::format("invariant 6: the completion of activity {} of run {} was "
                            "acknowledged and is gone{}",
                            activity, run, cut_short ? " (the run was cut short)" : ""));
        }
    }

    /// Waits for the end of the run and reads all of it.
    std::optional<History> read_whole(const std::string& id, const std::string& run) {
        Duration until = sim_.elapsed() + kTimeToGoOn;
        History history;
        std::string token;
        while (true) {
            service::GetWorkflowExecutionHistoryRequest request;
            name_run(id, run, request);
            request.set_next_page_token(token);
            request.set_wait_new_event(true);
            auto page = ask(request);
            if (!page.ok()) {
                record_.violation(fmt::format("invariant 1: run {} of {} can not be read: {}", run,
                                              id, message_of(page.status())));
                return std::nullopt;
            }
            if (page->history().events_size() > 0) until = sim_.elapsed() + kTimeToGoOn;
            history.insert(history.end(), page->history().events().begin(),
                           page->history().events().end());
            token = page->next_page_token();
            if (token.empty()) return history;
            if (sim_.elapsed() > until) {
                record_.violation(fmt::format(
                    "invariant 20: run {} of {} does not end; its last event is "
                    "{} of type {}",
                    run, id, history.size(),
                    history.empty() ? 0 : static_cast<int>(history.back().event_type())));
                return std::nullopt;
            }
        }
    }

    absl::StatusOr<service::GetWorkflowExecutionHistoryResponse> ask(
        const service::GetWorkflowExecutionHistoryRequest& request) {
        return ask<service::GetWorkflowExecutionHistoryResponse>("GetWorkflowExecutionHistory",
                                                                 request);
    }
    template <typename Response, typename Request>
    absl::StatusOr<Response> ask(const std::string& method, const Request& request) {
        auto answer = std::make_shared<std::optional<absl::StatusOr<Response>>>();
        network_.call<Response>(
            method, request, kCheckTimeout,
            [answer](absl::StatusOr<Response> response) { answer->emplace(std::move(response)); });
        sim_.run_until([&answer] { return answer->has_value(); }, kCheckTimeout * 2);
        if (!answer->has_value()) return internal_error("never answered");
        return std::move(**answer);
    }

    /// A batch operation that was acknowledged ends, and all of it was done or has failed.
    void check_batches() {
        for (const std::string& job : record_.batches) {
            const Duration until = sim_.elapsed() + kTimeToEnd;
            service::DescribeBatchOperationRequest request;
            request.set_namespace_(kNamespace);
            request.set_job_id(job);
            auto told =
                ask<service::DescribeBatchOperationResponse>("DescribeBatchOperation", request);
            while (told.ok() && told->state() == api::enums::v1::BATCH_OPERATION_STATE_RUNNING &&
                   sim_.elapsed() < until) {
                sim_.run_for(std::chrono::seconds(1));
                told =
                    ask<service::DescribeBatchOperationResponse>("DescribeBatchOperation", request);
            }
            if (!told.ok()) {
                record_.violation("invariant 1: a batch was acknowledged and is gone: " +
                                  message_of(told.status()));
            } else if (told->state() != api::enums::v1::BATCH_OPERATION_STATE_COMPLETED ||
                       told->complete_operation_count() + told->failure_operation_count() !=
                           told->total_operation_count()) {
                record_.violation("invariant 20: a batch does not end: " +
                                  told->ShortDebugString());
            }
        }
    }

    /// Lists show what is there, in small pages, and of no other namespace.
    void check_lists() {
        std::vector<Info> listed;
        if (!wait_for_the_last(listed)) return;
        follow_untold(listed);
        for (std::string& difference : compare_lists(server_.disk_content(), listed)) {
            record_.violation(std::move(difference));
        }
        for (std::string& fault : check_parents(server_.disk_content(), failed_starts_)) {
            record_.violation(std::move(fault));
        }
    }

    /// A start whose answer was lost, sent again behind the end of its chain, begins another: then nobody
    /// was told of the first, which has taken signals all the same.
    void follow_untold(const std::vector<Info>& listed) {
        const std::vector<std::string>& ids = sdk_clients_.workflow_ids();
        for (const Info& info : listed) {
            const std::string& id = info.execution().workflow_id();
            const std::string& run = info.execution().run_id();
            if (followed_.contains(run) || std::find(ids.begin(), ids.end(), id) == ids.end())
                continue;
            if (const auto history = read_whole(id, run)) sdk_checks_.note_untold_run(*history);
        }
    }

    /// Invariant 20: also those runs end that nobody has followed.
    bool wait_for_the_last(std::vector<Info>& listed) {
        const Duration until = sim_.elapsed() + kTimeToGoOn;
        while (true) {
            sim_.run_for(std::chrono::seconds(1));
            listed.clear();
            for (const char* space : {kNamespace, kOtherNamespace}) {
                if (!list_all(space, listed)) return false;
            }
            const auto open = std::find_if(listed.begin(), listed.end(), [](const Info& info) {
                return info.status() == api::enums::v1::WORKFLOW_EXECUTION_STATUS_RUNNING;
            });
            if (open == listed.end()) return true;
            if (sim_.elapsed() < until) continue;
            record_.violation(fmt::format("invariant 20: run {} of {} is still open",
                                          open->execution().run_id(),
                                          open->execution().workflow_id()));
            return true;
        }
    }

    bool list_all(const char* space, std::vector<Info>& listed) {
        service::ListWorkflowExecutionsRequest request;
        request.set_namespace_(space);
        request.set_page_size(5);
        do {
            auto page =
                ask<service::ListWorkflowExecutionsResponse>("ListWorkflowExecutions", request);
            if (!page.ok()) {
                record_.violation("invariant 14: runs can not be listed: " +
                                  message_of(page.status()));
                return false;
            }
            listed.insert(listed.end(), page->executions().begin(), page->executions().end());
            request.set_next_page_token(page->next_page_token());
        } while (!request.next_page_token().empty());
        return true;
    }

    /// Invariant 20: when everything has ended, nobody has anything left to tell anybody.
    void check_outbox() {
        const Duration until = sim_.elapsed() + std::chrono::minutes(1);
        const store::KeyRange outbox = store::table_range(store::Table::kOutbox);
        const auto is_empty = [&] {
            return !server_.disk_content().scan(outbox.begin, outbox.end)->valid();
        };
        while (!is_empty() && sim_.elapsed() < until) sim_.run_for(std::chrono::seconds(1));
        if (is_empty()) return;
        const auto row = server_.disk_content().scan(outbox.begin, outbox.end);
        record_.violation("invariant 20: never delivered: " + store::describe_key(row->key()));
    }

    /// Whatever the callers saw, the rows must agree among themselves.
    void check_store() {
        sim_.run_for(std::chrono::seconds(1));
        check_outbox();
        check_callbacks();
        server_.kill();
        for (std::string& fault : shard::verify_store(server_.disk_content())) {
            record_.violation(std::move(fault));
        }
    }

    const Options options_;
    env::SimEnv sim_;
    Record record_;
    Server server_;
    Network network_;
    Clients clients_;
    Operators operators_;
    ResetClients reset_clients_;
    Strangers strangers_;
    const SdkOptions sdk_options_;
    SdkClients sdk_clients_;
    SdkWorkers sdk_workers_;
    SdkChecks sdk_checks_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::deque<Kin> kin_;  // children that are still to be followed
    std::vector<Asked> asked_;
    std::set<std::string> followed_;  // run ids
    std::uint64_t not_taken_back_before_crowd_ = 0;
    FailedStarts failed_starts_;
    std::vector<std::pair<std::string, std::vector<std::string>>> to_be_told_;  // id, its runs
    Outcome outcome_;
};

}  // namespace

Outcome play(const Options& options, std::function<void(const std::string&)> trace) {
    return World(options, std::move(trace)).play();
}

}  // namespace stele::sim
