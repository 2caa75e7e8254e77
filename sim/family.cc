#include "sim/family.h"

#include "sim/strangers.h"
#include "stele/internal/rows.pb.h"
#include "store/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stele::sim {
namespace {

namespace enums = temporal::api::enums::v1;
using temporal::api::history::v1::HistoryEvent;

constexpr char kByPolicy[] = "by parent close policy";

/// The initiated event of a child whose end this event tells, or 0.
std::int64_t ended_child(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            return event.child_workflow_execution_completed_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            return event.child_workflow_execution_failed_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            return event.child_workflow_execution_canceled_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            return event.child_workflow_execution_timed_out_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            return event.child_workflow_execution_terminated_event_attributes()
                .initiated_event_id();
        default: return 0;
    }
}

/// What a parent calls the end of a child that closed with this event.
enums::EventType told_as(const HistoryEvent& closing) {
    switch (closing.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            return enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            return enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT;
        default: return enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED;
    }
}

bool was_signalled(const History& history) {
    return std::any_of(history.begin(), history.end(), [](const HistoryEvent& event) {
        return event.has_workflow_execution_signaled_event_attributes();
    });
}

/// How often the policy of this parent was applied to a run.
int applications(const Kin& kin, const History& history) {
    int count = 0;
    for (const HistoryEvent& event : history) {
        const auto& cancel = event.workflow_execution_cancel_requested_event_attributes();
        // Its code may ask for that as well, by an event that is then named.
        const bool by_policy = cancel.external_initiated_event_id() == 0;
        if (by_policy && cancel.external_workflow_execution().run_id() == kin.parent_run) ++count;
        if (event.workflow_execution_terminated_event_attributes().reason() == kByPolicy) ++count;
    }
    return count;
}

}  // namespace

std::deque<Kin> children_of(const std::string& run_id, const History& history) {
    std::map<std::int64_t, Kin> children;
    for (const HistoryEvent& event : history) {
        if (event.has_start_child_workflow_execution_initiated_event_attributes()) {
            const auto& initiated =
                event.start_child_workflow_execution_initiated_event_attributes();
            children[event.event_id()] = {
                run_id, initiated.workflow_id(), {}, initiated.parent_close_policy(), std::nullopt};
        } else if (event.has_child_workflow_execution_started_event_attributes()) {
            const auto& started = event.child_workflow_execution_started_event_attributes();
            children[started.initiated_event_id()].first_run =
                started.workflow_execution().run_id();
        } else if (event.has_start_child_workflow_execution_failed_event_attributes()) {
            children.erase(event.start_child_workflow_execution_failed_event_attributes()
                               .initiated_event_id());
        } else if (const std::int64_t child = ended_child(event); child != 0) {
            children[child].outcome = event;
        }
    }
    std::deque<Kin> found;
    for (auto& [id, kin] : children) found.push_back(std::move(kin));
    return found;
}

void note_failed_starts(const std::string& run_id, const History& history, FailedStarts& failed) {
    for (const HistoryEvent& event : history) {
        if (!event.has_start_child_workflow_execution_failed_event_attributes()) continue;
        failed.emplace(
            run_id,
            event.start_child_workflow_execution_failed_event_attributes().initiated_event_id());
    }
}

std::vector<std::string> check_parents(store::Store& store, const FailedStarts& failed) {
    std::vector<std::string> faults;
    const store::KeyRange range = store::table_range(store::Table::kState);
    for (const auto row = store.scan(range.begin, range.end); row->valid(); row->next()) {
        const auto key = store::decode_state_key(row->key());
        if (!key.ok() || key->kind != store::StateKind::kInfo) continue;
        storage::InfoRow info;
        static_cast<void>(store::unwrap_message(store::Table::kState, row->value(), info));
        if (!failed.contains({info.parent().run_id(), info.parent_initiated_event_id()})) continue;
        faults.push_back(fmt::format(
            "invariant 13: run {} of {} is there, and its parent was told that it could "
            "not be started",
            info.run_id(), info.workflow_id()));
    }
    return faults;
}

std::vector<std::string> check_kin(const Kin& kin, const std::vector<History>& chain,
                                   const std::vector<std::string>& runs) {
    std::vector<std::string> faults;
    const auto complain = [&](const std::string& what) {
        faults.push_back(fmt::format("invariant 13: child {} of run {}: {}", kin.workflow_id,
                                     kin.parent_run, what));
    };
    int applied = 0;
    for (const History& history : chain) applied += applications(kin, history);
    if (kin.outcome) {
        if (applied != 0) complain("the policy was applied although its end had been reported");
        const HistoryEvent& closing = chain.back().back();
        if (kin.outcome->event_type() != told_as(closing)) {
            complain(fmt::format("its parent was told an event of type {}, it closed with {}",
                                 static_cast<int>(kin.outcome->event_type()),
                                 static_cast<int>(closing.event_type())));
        }
        return faults;
    }
    if (applied > 1) complain(fmt::format("the policy was applied {} times", applied));
    if (applied > 0 && kin.policy == enums::PARENT_CLOSE_POLICY_ABANDON) {
        complain("it was to be left alone");
    }
    // What it ended by says whether the policy reached it: these wait for a signal that never comes,
    // unless a batch operation sends one to all, or a stranger was faster.
    const auto& input = chain.front()
                            .front()
                            .workflow_execution_started_event_attributes()
                            .input()
                            .payloads(0)
                            .data();
    const bool signalled = std::any_of(chain.begin(), chain.end(), was_signalled);
    const bool ended_before =
        chain.back().back().workflow_execution_terminated_event_attributes().reason() ==
        kByStranger;
    if (applied == 0 && input.starts_with('S') && !signalled && !ended_before) {
        complain(fmt::format("the policy was not applied to {}", runs.back()));
    }
    return faults;
}

}  // namespace stele::sim
