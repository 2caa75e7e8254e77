#include "sim/sdk_checks.h"

#include "base/probe.h"
#include "stele/replayer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stele::sim {
namespace {

namespace enums = temporal::api::enums::v1;
using temporal::api::common::v1::Payloads;
using temporal::api::history::v1::HistoryEvent;

template <class T>
T at(const Payloads& payloads, int index) {
    return decode_value<T>(payloads.payloads(index));
}

/// What the journal was when the run ended; nothing for a run that was cut short or cancelled.
std::optional<Journal> journal_at_end(const HistoryEvent& end) {
    if (end.has_workflow_execution_completed_event_attributes()) {
        return at<Journal>(end.workflow_execution_completed_event_attributes().result(), 0);
    }
    if (end.has_workflow_execution_continued_as_new_event_attributes()) {
        return at<Journal>(end.workflow_execution_continued_as_new_event_attributes().input(), 2);
    }
    if (end.has_workflow_execution_failed_event_attributes()) {
        const auto& failure = end.workflow_execution_failed_event_attributes().failure();
        const auto& details = failure.application_failure_info().details();
        if (details.payloads_size() == 0) return Journal{"it failed: " + failure.message()};
        return at<Journal>(details, 0);
    }
    return std::nullopt;
}

/// How one thing that a run has asked for has ended, by the history.
struct End {
    std::string value;  // of a success
    std::string reason;
    bool cancel_requested = false;
};

/// A history, sorted by what a journal tells of.
class Told {
public:
    explicit Told(const History& history) {
        for (const HistoryEvent& event : history) look(event);
    }

    std::vector<std::string> signals;
    std::vector<std::string> greetings;
    std::vector<std::string> updates_begun;
    std::vector<std::string> updates_done;
    std::map<int, End> activities;  // by the number of the step
    std::map<int, End> children;
    std::set<std::string> local_results;
    std::multiset<std::string> greetings_sent;
    int patches = 0;

private:
    void look(const HistoryEvent& event) {
        look_at_messages(event);
        look_at_activities(event);
        look_at_children(event);
        if (event.has_marker_recorded_event_attributes()) {
            const auto& marker = event.marker_recorded_event_attributes();
            const auto result = marker.details().find("result");
            if (result != marker.details().end()) {
                local_results.insert(at<std::string>(result->second, 0));
            }
            patches += marker.marker_name() == "core_patch" ? 1 : 0;
        }
    }

    void look_at_messages(const HistoryEvent& event) {
        if (event.has_workflow_execution_signaled_event_attributes()) {
            const auto& signal = event.workflow_execution_signaled_event_attributes();
            auto& texts = signal.signal_name() == kSdkSignal ? signals : greetings;
            texts.push_back(at<std::string>(signal.input(), 0));
        } else if (event.has_workflow_execution_update_accepted_event_attributes()) {
            updates_begun.push_back(
                event.workflow_execution_update_accepted_event_attributes().protocol_instance_id());
        } else if (event.has_workflow_execution_update_completed_event_attributes()) {
            updates_done.push_back(
                event.workflow_execution_update_completed_event_attributes().meta().update_id());
        } else if (event.has_signal_external_workflow_execution_initiated_event_attributes()) {
            sent_[event.event_id()] = at<std::string>(
                event.signal_external_workflow_execution_initiated_event_attributes().input(), 0);
        } else if (event.has_external_workflow_execution_signaled_event_attributes()) {
            greetings_sent.insert(
                sent_[event.external_workflow_execution_signaled_event_attributes()
                          .initiated_event_id()]);
        }
    }

    void look_at_activities(const HistoryEvent& event) {
        if (event.has_activity_task_scheduled_event_attributes()) {
            const auto& scheduled = event.activity_task_scheduled_event_attributes();
            numbers_[event.event_id()] = at<int>(scheduled.input(), 0);
            activities[numbers_[event.event_id()]] = {};
        } else if (event.has_activity_task_completed_event_attributes()) {
            const auto& completed = event.activity_task_completed_event_attributes();
            of(activities, completed.scheduled_event_id()).value =
                at<std::string>(completed.result(), 0);
        } else if (event.has_activity_task_failed_event_attributes()) {
            of(activities, event.activity_task_failed_event_attributes().scheduled_event_id())
                .reason = "failed";
        } else if (event.has_activity_task_timed_out_event_attributes()) {
            of(activities, event.activity_task_timed_out_event_attributes().scheduled_event_id())
                .reason = "timeout";
        } else if (event.has_activity_task_canceled_event_attributes()) {
            of(activities, event.activity_task_canceled_event_attributes().scheduled_event_id())
                .reason = "cancelled";
        } else if (event.has_activity_task_cancel_requested_event_attributes()) {
            of(activities,
               event.activity_task_cancel_requested_event_attributes().scheduled_event_id())
                .cancel_requested = true;
        }
    }

    void look_at_children(const HistoryEvent& event) {
        if (event.has_start_child_workflow_execution_initiated_event_attributes()) {
            const auto& initiated =
                event.start_child_workflow_execution_initiated_event_attributes();
            numbers_[event.event_id()] = at<int>(initiated.input(), 0);
            children[numbers_[event.event_id()]] = {};
        } else if (event.has_child_workflow_execution_completed_event_attributes()) {
            const auto& completed = event.child_workflow_execution_completed_event_attributes();
            of(children, completed.initiated_event_id()).value =
                at<std::string>(completed.result(), 0);
        }
    }

    End& of(std::map<int, End>& ends, std::int64_t event) { return ends[numbers_[event]]; }

    std::map<std::int64_t, int> numbers_;
    std::map<std::int64_t, std::string> sent_;
};

/// One run: its own part of the journal against its history.
class RunCheck {
public:
    RunCheck(const std::string& run_id, const History& history) : run_(run_id), told_(history) {}

    std::vector<std::string> run(const Journal& own) {
        expect_in_order("signals", 'S', told_.signals, own);
        expect_in_order("greetings", 'G', told_.greetings, own);
        expect_in_order("updates begun", 'U', told_.updates_begun, own);
        expect_in_order("updates done", 'V', told_.updates_done, own);
        for (const std::string& entry : own) look(entry);
        for (const std::string& text : told_.greetings_sent) {
            const auto known = [&](const std::string& entry) {
                return entry[0] == 'X' && entry.ends_with(" " + text);
            };
            if (std::none_of(own.begin(), own.end(), known)) {
                complain("its code does not know that it has signalled " + text);
            }
        }
        return std::move(faults_);
    }

    const Told& told() const { return told_; }

private:
    void complain(const std::string& what) {
        faults_.push_back(fmt::format("invariant 21: run {}: {}", run_, what));
    }

    void expect_in_order(const char* what, char letter, const std::vector<std::string>& expected,
                         const Journal& own) {
        std::vector<std::string> seen;
        for (const std::string& entry : own) {
            if (entry[0] == letter) seen.push_back(entry.substr(2));
        }
        if (seen == expected) return;
        complain(fmt::format("{}: the history has {}, its code saw {}", what,
                             fmt::join(expected, ", "), fmt::join(seen, ", ")));
    }

    void look(const std::string& entry) {
        switch (entry[0]) {
            case 'A':
            case 'Z': look_at_end(entry, told_.activities); break;
            case 'C': look_at_end(entry, told_.children); break;
            case 'L': look_at_local(entry); break;
            case 'T': look_at_timer(entry); break;
            case 'X': look_at_signal(entry); break;
            default: break;
        }
    }

    /// "A 3 = text" or "A 3 failed".
    void look_at_end(const std::string& entry, const std::map<int, End>& ends) {
        const std::size_t space = entry.find(' ', 2);
        const std::string what = entry.substr(space + 1);
        const auto found = ends.find(std::stoi(entry.substr(2)));
        if (what == "cancelled") {
            // One that was never asked for leaves no trace, and one that is left alone may end as it
            // will.
            return;
        }
        if (found == ends.end()) return complain("the history knows nothing of " + entry);
        const End& end = found->second;
        const bool same = what.starts_with("= ") ? end.value == what.substr(2)
                          : entry[0] == 'C'      ? end.value.empty()
                                                 : end.reason == what;
        if (!same) {
            complain(fmt::format("its code saw {}, the history has \"{}{}\"", entry, end.value,
                                 end.reason));
        }
    }

    void look_at_local(const std::string& entry) {
        const std::size_t equals = entry.find("= ");
        if (equals == std::string::npos) return;
        if (!told_.local_results.contains(entry.substr(equals + 2))) {
            complain("the history has no marker of " + entry);
        }
    }

    /// "T asked passed", in milliseconds and microseconds.
    void look_at_timer(const std::string& entry) {
        const std::size_t space = entry.find(' ', 2);
        const long long asked = std::stoll(entry.substr(2));
        const long long passed = std::stoll(entry.substr(space + 1));
        if (passed < asked * 1'000) complain("a timer was over early for its code: " + entry);
    }

    void look_at_signal(const std::string& entry) {
        const std::string text = entry.substr(entry.find(' ', 2) + 1);
        if (text != "failed" && told_.greetings_sent.count(text) != 1) {
            complain("the history does not know that it has signalled " + text);
        }
    }

    const std::string& run_;
    const Told told_;
    std::vector<std::string> faults_;
};

bool is_unexpected(const HistoryEvent& event) {
    if (!event.has_workflow_task_failed_event_attributes()) return false;
    const auto& failed = event.workflow_task_failed_event_attributes();
    switch (failed.cause()) {
        case enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND:
        case enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND: return false;
        case enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE:
            // Calls are given up when nobody answers for long.
            return !failed.failure().message().starts_with("the history cannot be read");
        default: return true;
    }
}

bool is_prefix(const Journal& begin, const Journal& whole) {
    return begin.size() <= whole.size() && std::equal(begin.begin(), begin.end(), whole.begin());
}

/// Replays a history from the start, with what the code then came to.
Replayer::Result replay(const std::string& workflow_id, const History& history,
                        std::optional<Journal>& journal) {
    temporal::api::history::v1::History whole;
    for (const HistoryEvent& event : history) *whole.add_events() = event;
    Replayer replayer;
    register_sdk_workflows(replayer);
    ReplayedJournal left;
    const Replayer::Result result = replayer.replay(whole, workflow_id);
    journal = left.journal;
    return result;
}

}  // namespace

std::vector<std::string> SdkChecks::check_run(const std::string& workflow_id,
                                              const std::string& run_id, const History& history) {
    const auto& started = history.front().workflow_execution_started_event_attributes();
    const std::string& type = started.workflow_type().name();
    if (type != kSdkType && type != kSdkChildType) return {};
    std::vector<std::string> faults;
    const auto complain = [&](const std::string& what) {
        faults.push_back(fmt::format("invariant 21: run {}: {}", run_id, what));
    };
    for (const HistoryEvent& event : history) {
        if (is_unexpected(event)) complain("a task failed: " + event.ShortDebugString());
    }
    std::optional<Journal> replayed;
    const Replayer::Result result = replay(workflow_id, history, replayed);
    if (!result.ok) complain("it does not replay: " + result.error);
    if (type == kSdkChildType) return faults;

    const std::optional<Journal> recorded = journal_at_end(history.back());
    if (recorded && recorded != replayed) complain("a replay comes to another result");
    RunCheck check(run_id, history);
    greetings_sent_.insert(check.told().greetings_sent.begin(), check.told().greetings_sent.end());
    // A run that the target has continued as does not know what the one before has taken, so a chain may
    // take one twice.
    std::set<std::string> of_this_run;
    for (const std::string& greeting : check.told().greetings) {
        if (of_this_run.insert(greeting).second) continue;
        faults.push_back(fmt::format(
            "invariant 6: run {} received the signal {} of one workflow to another twice", run_id,
            greeting));
    }
    greetings_received_.merge(of_this_run);
    const bool cancelled = history.back().has_workflow_execution_canceled_event_attributes();
    const std::optional<Journal>& end = cancelled ? replayed : recorded;
    const auto begin = at<Journal>(started.input(), 2);
    if (!end) {
        cut_short_.insert(workflow_id);
        return faults;
    }
    STELE_PROBE_IF("sdk-check.cancelled", cancelled);
    if (!is_prefix(begin, *end)) complain("its journal does not begin as it was handed over");
    const Journal own(end->begin() + static_cast<long>(std::min(begin.size(), end->size())),
                      end->end());
    for (std::string& fault : check.run(own)) faults.push_back(std::move(fault));
    if (end->size() >= ends_[workflow_id].size()) ends_[workflow_id] = *end;
    return faults;
}

void SdkChecks::note_untold_run(const History& history) {
    const Told told(history);
    greetings_received_.insert(told.greetings.begin(), told.greetings.end());
}

std::vector<std::string> SdkChecks::check_end(const std::vector<JournalShown>& shown) const {
    std::vector<std::string> faults;
    for (const JournalShown& answer : shown) {
        // One that was terminated has not seen what came last, and nobody knows what else it saw.
        if (cut_short_.contains(answer.workflow_id)) continue;
        const auto end = ends_.find(answer.workflow_id);
        const Journal whole = end == ends_.end() ? Journal() : end->second;
        const auto complain = [&](const std::string& what) {
            faults.push_back(fmt::format("invariant 21: {} answered a query with {}: {}",
                                         answer.workflow_id, fmt::join(answer.journal, ", "),
                                         what));
        };
        if (!is_prefix(answer.journal, whole)) {
            complain(fmt::format("it came to {}", fmt::join(whole, ", ")));
        }
        for (const std::string& signal : answer.signals) {
            const std::string entry = "S " + signal.substr(1, signal.size() - 2);  // in quotes
            const auto& seen = answer.journal;
            if (std::find(seen.begin(), seen.end(), entry) != seen.end()) continue;
            complain(fmt::format("signal {} had been acknowledged before", signal));
        }
    }
    for (const std::string& greeting : greetings_sent_) {
        if (greetings_received_.contains(greeting)) continue;
        faults.push_back(fmt::format(
            "invariant 6: the signal {} of one workflow to another was sent and is gone",
            greeting));
    }
    return faults;
}

}  // namespace stele::sim
