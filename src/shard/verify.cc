#include "shard/verify.h"

#include "shard/commit.h"
#include "shard/loader.h"
#include "shard/outbox_rows.h"
#include "store/keys.h"

#include "history/builder.h"
#include "history/callbacks.h"
#include "history/children.h"

#include <map>
#include <set>
#include <utility>

namespace stele::shard {
namespace {

using temporal::api::history::v1::History;
using temporal::api::history::v1::HistoryEvent;
namespace enums = temporal::api::enums::v1;

/// What the events of a history say about what is pending, for comparison with the rows.
class Fold {
public:
    explicit Fold(std::vector<std::string>& found) : found_(found) {}

    void add(const HistoryEvent& event, std::int64_t expected_id) {
        if (event.event_id() != expected_id) {
            found_.push_back("event " + std::to_string(expected_id) + " has the id " +
                             std::to_string(event.event_id()));
        }
        if (closed_) found_.push_back("an event stands behind the closing event");
        visit(event);
    }

    /// A buffered event ends what it tells about as well, though it has no id yet.
    void add_buffered(const HistoryEvent& event) { visit(event); }

    std::set<std::int64_t> activities, timers, signals, cancels, children, unstarted_children;
    std::set<std::int64_t> nexus_operations;
    std::map<std::string, std::int64_t> accepted, completed;  // update id to event
    std::int64_t signal_count = 0;
    bool cancel_requested = false;
    bool closed() const { return closed_; }
    std::int64_t task_scheduled = 0;  // of a workflow task that is scheduled or started
    std::int64_t task_started = 0;
    std::int64_t last_completed_started = 0;

private:
    void open(std::set<std::int64_t>& items, std::int64_t id) { items.insert(id); }
    void close(std::set<std::int64_t>& items, std::int64_t id, const char* what) {
        if (items.erase(id) == 0) {
            found_.push_back(std::string(what) + " " + std::to_string(id) +
                             " ended twice or before it began");
        }
    }
    void check_reference(const HistoryEvent& event, std::int64_t reference) {
        if (event.event_id() != 0 && (reference <= 0 || reference >= event.event_id())) {
            found_.push_back("event " + std::to_string(event.event_id()) + " refers to event " +
                             std::to_string(reference));
        }
    }
    void end_activity(const HistoryEvent& event, std::int64_t scheduled, std::int64_t started) {
        check_reference(event, scheduled);
        if (started != 0) check_reference(event, started);
        close(activities, scheduled, "activity");
    }
    void visit(const HistoryEvent& event);
    void visit_task(const HistoryEvent& event);
    void visit_activity(const HistoryEvent& event);
    void visit_external(const HistoryEvent& event);
    void visit_update(const HistoryEvent& event);
    void visit_child(const HistoryEvent& event);
    void visit_nexus(const HistoryEvent& event);
    template <typename Attributes>
    void end_child(const HistoryEvent& event, const Attributes& attributes);

    std::vector<std::string>& found_;
    bool closed_ = false;
};

void Fold::visit_task(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            if (task_scheduled != 0) found_.push_back("two workflow tasks at a time");
            task_scheduled = event.event_id();
            break;
        case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
            check_reference(event,
                            event.workflow_task_started_event_attributes().scheduled_event_id());
            task_started = event.event_id();
            break;
        case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED: {
            const auto& attributes = event.workflow_task_completed_event_attributes();
            check_reference(event, attributes.started_event_id());
            last_completed_started = attributes.started_event_id();
            task_scheduled = task_started = 0;
            break;
        }
        case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
        case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: task_scheduled = task_started = 0; break;
        default: break;
    }
}

void Fold::visit_activity(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: open(activities, event.event_id()); break;
        case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
            const auto& a = event.activity_task_completed_event_attributes();
            end_activity(event, a.scheduled_event_id(), a.started_event_id());
            break;
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: {
            const auto& a = event.activity_task_failed_event_attributes();
            end_activity(event, a.scheduled_event_id(), a.started_event_id());
            break;
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
            const auto& a = event.activity_task_timed_out_event_attributes();
            end_activity(event, a.scheduled_event_id(), a.started_event_id());
            break;
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED: {
            const auto& a = event.activity_task_canceled_event_attributes();
            end_activity(event, a.scheduled_event_id(), a.started_event_id());
            break;
        }
        default: break;
    }
}

void Fold::visit_external(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
            open(signals, event.event_id());
            break;
        case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
            close(
                signals,
                event.external_workflow_execution_signaled_event_attributes().initiated_event_id(),
                "external signal");
            break;
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
            close(signals,
                  event.signal_external_workflow_execution_failed_event_attributes()
                      .initiated_event_id(),
                  "external signal");
            break;
        case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
            open(cancels, event.event_id());
            break;
        case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            close(cancels,
                  event.external_workflow_execution_cancel_requested_event_attributes()
                      .initiated_event_id(),
                  "external cancel request");
            break;
        case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
            close(cancels,
                  event.request_cancel_external_workflow_execution_failed_event_attributes()
                      .initiated_event_id(),
                  "external cancel request");
            break;
        default: break;
    }
}

void Fold::visit_update(const HistoryEvent& event) {
    if (event.has_workflow_execution_update_accepted_event_attributes()) {
        const std::string& update_id =
            event.workflow_execution_update_accepted_event_attributes().protocol_instance_id();
        if (!accepted.emplace(update_id, event.event_id()).second) {
            found_.push_back("update " + update_id + " is accepted twice");
        }
    } else if (event.has_workflow_execution_update_completed_event_attributes()) {
        const auto& attributes = event.workflow_execution_update_completed_event_attributes();
        check_reference(event, attributes.accepted_event_id());
        if (!completed.emplace(attributes.meta().update_id(), event.event_id()).second) {
            found_.push_back("update " + attributes.meta().update_id() + " is completed twice");
        }
    }
}

template <typename Attributes>
void Fold::end_child(const HistoryEvent& event, const Attributes& attributes) {
    // The id of a start that is still buffered is not known yet.
    if (attributes.started_event_id() != 0) check_reference(event, attributes.started_event_id());
    if (unstarted_children.contains(attributes.initiated_event_id())) {
        found_.push_back("child " + std::to_string(attributes.initiated_event_id()) +
                         " ended before it was started");
    }
    close(children, attributes.initiated_event_id(), "child");
}

void Fold::visit_child(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            open(children, event.event_id());
            open(unstarted_children, event.event_id());
            break;
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: {
            const auto& a = event.start_child_workflow_execution_failed_event_attributes();
            close(unstarted_children, a.initiated_event_id(), "the start of child");
            close(children, a.initiated_event_id(), "child");
            break;
        }
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: {
            const auto& a = event.child_workflow_execution_started_event_attributes();
            check_reference(event, a.initiated_event_id());
            close(unstarted_children, a.initiated_event_id(), "the start of child");
            break;
        }
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            end_child(event, event.child_workflow_execution_completed_event_attributes());
            break;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            end_child(event, event.child_workflow_execution_failed_event_attributes());
            break;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            end_child(event, event.child_workflow_execution_canceled_event_attributes());
            break;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            end_child(event, event.child_workflow_execution_timed_out_event_attributes());
            break;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            end_child(event, event.child_workflow_execution_terminated_event_attributes());
            break;
        default: break;
    }
}

void Fold::visit_nexus(const HistoryEvent& event) {
    const auto end = [&](const auto& attributes) {
        check_reference(event, attributes.scheduled_event_id());
        close(nexus_operations, attributes.scheduled_event_id(), "Nexus operation");
    };
    switch (event.event_type()) {
        case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
            open(nexus_operations, event.event_id());
            break;
        case enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED:
            end(event.nexus_operation_completed_event_attributes());
            break;
        case enums::EVENT_TYPE_NEXUS_OPERATION_FAILED:
            end(event.nexus_operation_failed_event_attributes());
            break;
        case enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED:
            end(event.nexus_operation_canceled_event_attributes());
            break;
        case enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT:
            end(event.nexus_operation_timed_out_event_attributes());
            break;
        default: break;
    }
}

void Fold::visit(const HistoryEvent& event) {
    visit_update(event);
    visit_task(event);
    visit_activity(event);
    visit_external(event);
    visit_child(event);
    visit_nexus(event);
    switch (event.event_type()) {
        case enums::EVENT_TYPE_TIMER_STARTED: open(timers, event.event_id()); break;
        case enums::EVENT_TYPE_TIMER_FIRED:
            close(timers, event.timer_fired_event_attributes().started_event_id(), "timer");
            break;
        case enums::EVENT_TYPE_TIMER_CANCELED:
            close(timers, event.timer_canceled_event_attributes().started_event_id(), "timer");
            break;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: ++signal_count; break;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            if (cancel_requested) found_.push_back("cancellation was requested twice");
            cancel_requested = true;
            break;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: closed_ = true; break;
        default: break;
    }
}

/// All rows of the store, table by table, with what they are checked against.
class Verifier {
public:
    explicit Verifier(store::Store& store) : store_(store) {}

    std::vector<std::string> run() {
        collect_rows();
        for (const RunAddress& address : runs_) check_run(address);
        check_open_runs();
        report_left_over();
        return std::move(found_);
    }

private:
    using DispatchId = std::pair<std::string, std::int64_t>;  // key, scheduled event

    void complain(std::string text) { found_.push_back(std::move(text)); }
    void collect_rows();
    template <typename Visit>
    void scan(store::Table table, Visit visit);

    void check_run(RunAddress address);
    void check_history(const LoadedRun& loaded, const std::string& name);
    void compare(const history::Run& run, const Fold& fold, const std::string& name);
    void check_tasks(const LoadedRun& loaded, const std::string& name);
    void check_task_row(const LoadedRun& loaded, const QueueId& queue, std::int64_t sequence,
                        const std::string& name);
    void check_callbacks(const LoadedRun& loaded, const std::string& name);
    void check_nexus(const LoadedRun& loaded, const std::string& name);
    void check_alarm(const LoadedRun& loaded, const std::string& name);
    void check_current(const LoadedRun& loaded, const std::string& name);
    void check_open_runs();
    void report_left_over();

    store::Store& store_;
    std::vector<std::string> found_;
    std::set<RunAddress> runs_;
    std::map<RunRef, storage::CurrentRow> current_;
    std::map<RunRef, RunKey> named_;
    std::map<RunRef, int> open_runs_;  // by workflow id
    std::set<std::string> dispatch_;   // keys that no run has claimed yet
    std::map<RunAddress, std::set<Timestamp>> alarms_;
    std::map<std::string, storage::OutboxRow> outbox_;
};

template <typename Visit>
void Verifier::scan(store::Table table, Visit visit) {
    const store::KeyRange range = store::table_range(table);
    const auto cursor = store_.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        const absl::Status status = visit(cursor->key(), cursor->value());
        if (!status.ok()) {
            complain(store::describe_key(cursor->key()) + ": " + message_of(status));
        }
    }
    if (!cursor->status().ok()) complain(message_of(cursor->status()));
}

void Verifier::collect_rows() {
    scan(store::Table::kState, [this](std::string_view key, std::string_view) {
        const auto decoded = store::decode_state_key(key);
        if (decoded.ok()) runs_.insert({decoded->slot, decoded->run});
        return decoded.status();
    });
    scan(store::Table::kCurrent, [this](std::string_view key, std::string_view value) {
        const auto decoded = store::decode_current_key(key);
        if (!decoded.ok()) return decoded.status();
        return store::unwrap_message(store::Table::kCurrent, value,
                                     current_[{decoded->namespace_id, decoded->workflow_id, {}}]);
    });
    scan(store::Table::kRun, [this](std::string_view key, std::string_view) {
        const auto decoded = store::decode_run_key(key);
        if (!decoded.ok()) return decoded.status();
        const auto run_key = read_run_key(store_, decoded->slot, decoded->run);
        if (!run_key.ok()) return run_key.status();
        named_[decoded->run] = run_key->value_or(RunKey());
        return absl::OkStatus();
    });
    scan(store::Table::kDispatch, [this](std::string_view key, std::string_view) {
        dispatch_.insert(std::string(key));
        return store::decode_dispatch_key(key).status();
    });
    scan(store::Table::kAlarm, [this](std::string_view key, std::string_view) {
        const auto decoded = store::decode_alarm_key(key);
        if (decoded.ok()) alarms_[{decoded->slot, decoded->run}].insert(decoded->time);
        return decoded.status();
    });
    scan(store::Table::kOutbox, [this](std::string_view key, std::string_view value) {
        return store::unwrap_message(store::Table::kOutbox, value, outbox_[std::string(key)]);
    });
}

void Verifier::check_run(RunAddress address) {
    const auto loaded = read_run(store_, address);
    if (!loaded.ok()) return complain(message_of(loaded.status()));
    const history::Run& run = *(*loaded)->run;
    const std::string name = run.info.workflow_id() + "/" + run.info.run_id();
    if (run.info.sequence() != address.key.value()) complain(name + " has another run key");
    const auto named = named_.find(run.ref());
    if (named == named_.end() || named->second != address.key) {
        complain(name + " can not be found by its run id");
    }
    if (run.is_open()) ++open_runs_[{run.info.namespace_id(), run.info.workflow_id(), {}}];
    check_current(**loaded, name);
    check_history(**loaded, name);
    check_tasks(**loaded, name);
    check_callbacks(**loaded, name);
    check_alarm(**loaded, name);
}

void Verifier::check_current(const LoadedRun& loaded, const std::string& name) {
    const history::Run& run = *loaded.run;
    const auto found = current_.find({run.info.namespace_id(), run.info.workflow_id(), {}});
    if (found == current_.end()) return complain(name + ": no current row for its workflow id");
    const storage::CurrentRow& row = found->second;
    if (row.run_key() < loaded.address.key.value())
        complain(name + " is newer than the current run");
    if (row.run_key() != loaded.address.key.value()) {
        if (run.is_open()) complain(name + " is open and not the current run");
        return;
    }
    if (row.run_id() != run.info.run_id()) complain(name + ": the current row names another run");
    if (row.status() != run.header.status()) complain(name + ": the current row is out of date");
    if (row.create_request_id() != run.info.create_request_id()) {
        complain(name + ": the current row has another request id");
    }
}

void Verifier::check_history(const LoadedRun& loaded, const std::string& name) {
    std::vector<std::string> found;
    Fold fold(found);
    std::int64_t next = 1;
    const store::KeyRange range = store::events_range(loaded.address.slot, loaded.address.key);
    const auto cursor = store_.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        const auto key = store::decode_events_key(cursor->key());
        const auto bytes = store::unwrap_value(store::Table::kEvents, cursor->value());
        History history;
        if (!key.ok() || !bytes.ok() ||
            !history.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) {
            return complain(name + ": a batch of events can not be read");
        }
        if (key->first.value() != next) found.push_back("a batch of events has the wrong key");
        for (const HistoryEvent& event : history.events()) fold.add(event, next++);
    }
    const history::Run& run = *loaded.run;
    if (run.header.next_event_id() != next) {
        found.push_back("the header expects event " + std::to_string(run.header.next_event_id()) +
                        ", the history " + std::to_string(next));
    }
    if (fold.closed() == run.is_open()) found.push_back("status and closing event disagree");
    for (const auto& [id, row] : run.buffered.rows()) fold.add_buffered(row.event());
    compare(run, fold, name);
    for (std::string& text : found) complain(name + ": " + std::move(text));
}

template <typename Row>
bool same_items(const std::set<std::int64_t>& folded, const history::Table<Row>& table) {
    if (folded.size() != table.size()) return false;
    for (const std::int64_t id : folded) {
        if (table.find(id) == nullptr) return false;
    }
    return true;
}

/// Of closed runs as well: their outcomes can still be asked for.
bool same_updates(const history::Run& run, const Fold& fold) {
    std::size_t accepted = 0;
    std::size_t completed = 0;
    const auto is_at = [](const std::map<std::string, std::int64_t>& events, const auto& row,
                          std::int64_t event) {
        const auto found = events.find(row.update_id());
        return found != events.end() && found->second == event;
    };
    for (const auto& [id, row] : run.updates.rows()) {
        if (row.accepted_event_id() != 0) ++accepted;
        if (row.completed_event_id() != 0) ++completed;
        if (row.accepted_event_id() != 0 && !is_at(fold.accepted, row, row.accepted_event_id())) {
            return false;
        }
        if (row.completed_event_id() != 0 &&
            !is_at(fold.completed, row, row.completed_event_id())) {
            return false;
        }
    }
    return accepted == fold.accepted.size() && completed == fold.completed.size();
}

void Verifier::compare(const history::Run& run, const Fold& fold, const std::string& name) {
    const storage::HeaderRow& header = run.header;
    if (header.signal_count() != fold.signal_count) complain(name + ": wrong count of signals");
    if (header.cancel_requested() != fold.cancel_requested) {
        complain(name + ": cancel_requested and the history disagree");
    }
    if (!same_updates(run, fold)) complain(name + ": wrong updates");
    if (!run.is_open()) return;
    if (!same_items(fold.activities, run.activities)) complain(name + ": wrong activities");
    if (!same_items(fold.timers, run.timers)) complain(name + ": wrong timers");
    if (!same_items(fold.signals, run.external_signals)) complain(name + ": wrong signals");
    if (!same_items(fold.cancels, run.external_cancels)) complain(name + ": wrong cancels");
    if (!same_items(fold.children, run.children)) complain(name + ": wrong children");
    if (!same_items(fold.nexus_operations, run.nexus_operations)) {
        complain(name + ": wrong Nexus operations");
    }
    for (const auto& [id, child] : run.children.rows()) {
        if (history::is_started(child) == fold.unstarted_children.contains(id)) {
            complain(name + ": child " + std::to_string(id) + " and the history disagree");
        }
    }
    if (header.last_completed_task_started_event_id() != fold.last_completed_started) {
        complain(name + ": wrong last completed workflow task");
    }
    const storage::WorkflowTask& task = header.task();
    const bool normal = task.kind() == storage::TASK_KIND_NORMAL;
    if (fold.task_scheduled != (normal ? task.scheduled_event_id() : 0) ||
        fold.task_started != (normal ? task.started_event_id() : 0)) {
        complain(name + ": the workflow task and the history disagree");
    }
}

void Verifier::check_task_row(const LoadedRun& loaded, const QueueId& queue, std::int64_t sequence,
                              const std::string& name) {
    const std::string key =
        dispatch_key(loaded.address.slot, queue, row_sequence(loaded.address.key, sequence));
    if (dispatch_.erase(key) == 0) complain(name + ": a task in " + queue.name + " has no row");
}

void Verifier::check_tasks(const LoadedRun& loaded, const std::string& name) {
    const history::Run& run = *loaded.run;
    const std::string& space = run.info.namespace_id();
    const storage::WorkflowTask& task = run.header.task();
    const bool pending = task.kind() != storage::TASK_KIND_NONE;
    if (run.is_open() && pending && task.started_event_id() == 0 && task.dispatch_sequence() == 0) {
        complain(name + ": a scheduled workflow task is in no queue");
    }
    if (pending && task.dispatch_sequence() != 0) {
        check_task_row(loaded, {space, task.task_queue(), QueueKind::kWorkflow},
                       task.dispatch_sequence(), name);
    }
    for (const auto& [id, activity] : run.activities.rows()) {
        if (activity.dispatch_sequence() != 0) {
            check_task_row(loaded, {space, activity.task_queue(), QueueKind::kActivity},
                           activity.dispatch_sequence(), name);
        } else if (!activity.has_started_time() && !activity.has_next_attempt_time() &&
                   !activity.has_pause()) {
            complain(name + ": activity " + std::to_string(id) +
                     " is neither started nor in a queue nor waits for a retry nor is paused");
        }
    }
    const auto check_outbox = [&](const auto& table) {
        for (const auto& [id, row] : table.rows()) {
            const std::string key = store::encode(
                store::OutboxKey{loaded.address.slot, row_sequence(loaded.address.key, id)});
            if (outbox_.erase(key) == 0) complain(name + ": an external request has no outbox row");
        }
    };
    check_outbox(run.external_signals);
    check_outbox(run.external_cancels);
    check_nexus(loaded, name);
    for (const auto& [id, child] : run.children.rows()) {
        const std::string key = store::encode(
            store::OutboxKey{loaded.address.slot, row_sequence(loaded.address.key, id)});
        const auto row = outbox_.find(key);
        const bool starts =
            row != outbox_.end() && row->second.kind() == storage::OutboxRow::KIND_START_CHILD;
        if (starts == history::is_started(child)) {
            complain(name + ": a child and its outbox row disagree");
        }
    }
}

void Verifier::check_callbacks(const LoadedRun& loaded, const std::string& name) {
    for (const auto& [id, row] : loaded.run->callbacks.rows()) {
        const bool waits = row.state() == storage::CallbackRow::STATE_SCHEDULED ||
                           row.state() == storage::CallbackRow::STATE_BACKING_OFF;
        const std::int64_t number = history::callback_number(id);
        const std::string key = store::encode(
            store::OutboxKey{loaded.address.slot, row_sequence(loaded.address.key, number)});
        if (waits != (outbox_.erase(key) == 1)) {
            complain(name + ": a callback and its outbox row disagree");
        }
    }
}

/// A call of a handler is in the outbox, or waits until it is due.
void Verifier::check_nexus(const LoadedRun& loaded, const std::string& name) {
    const auto take = [&](std::int64_t number) {
        return outbox_.erase(store::encode(store::OutboxKey{
                   loaded.address.slot, row_sequence(loaded.address.key, number)})) > 0;
    };
    for (const auto& [id, row] : loaded.run->nexus_operations.rows()) {
        const bool started = row.has_started_time();
        if (take(id) == (started || row.has_next_attempt_time())) {
            complain(name + ": Nexus operation " + std::to_string(id) +
                     " and its outbox row disagree");
        }
        if (!row.has_cancellation()) continue;
        const storage::NexusCancellation& cancellation = row.cancellation();
        const bool sent = started && !cancellation.over() && !cancellation.has_next_attempt_time();
        if (take(cancellation.requested_event_id()) != sent) {
            complain(name + ": the cancellation of Nexus operation " + std::to_string(id) +
                     " and its outbox row disagree");
        }
    }
}

void Verifier::check_alarm(const LoadedRun& loaded, const std::string& name) {
    const history::Run& run = *loaded.run;
    const Timestamp alarm = run.header.has_alarm() ? from_proto(run.header.alarm()) : kNever;
    const auto rows = alarms_.find(loaded.address);
    std::set<Timestamp> expected;
    if (alarm != kNever) expected.insert(alarm);
    if ((rows == alarms_.end() ? std::set<Timestamp>() : rows->second) != expected) {
        complain(name + ": alarm rows and header disagree");
    }
    if (rows != alarms_.end()) alarms_.erase(rows);
    if (!run.is_open()) return;
    const history::Draft draft(run);
    if (alarm > history::earliest_deadline(draft)) {
        complain(name + ": it would be woken after its earliest deadline");
    }
}

void Verifier::check_open_runs() {
    for (const auto& [workflow, count] : open_runs_) {
        if (count > 1) complain(workflow.workflow_id + ": more than one open run");
    }
}

void Verifier::report_left_over() {
    for (const std::string& key : dispatch_) {
        complain(store::describe_key(key) + ": no run has this task");
    }
    for (const auto& [address, times] : alarms_) {
        complain("alarm rows of a run that does not exist: " + std::to_string(address.slot) + ", " +
                 std::to_string(address.key.value()));
    }
    for (const auto& [key, row] : outbox_) {
        // These go on when their source has forgotten them.
        const bool of_child = row.kind() == storage::OutboxRow::KIND_START_CHILD;
        // An operation may have timed out while its handler was being called.
        const bool of_nexus = row.kind() == storage::OutboxRow::KIND_START_NEXUS ||
                              row.kind() == storage::OutboxRow::KIND_CANCEL_NEXUS;
        if (of_child || of_nexus || is_self_contained(row)) continue;
        if (row.kind() == storage::OutboxRow::KIND_CALLBACK) {
            complain(store::describe_key(key) + ": no run has this callback");
        }
        const auto run =
            read_run(store_, {store::decode_outbox_key(key)->slot, RunKey(row.run_key())});
        const bool open = run.ok() && *run != nullptr && (*run)->run->is_open();
        if (open) complain(store::describe_key(key) + ": its run does not wait for it");
    }
}

}  // namespace

std::vector<std::string> verify_store(store::Store& store) { return Verifier(store).run(); }

}  // namespace stele::shard
