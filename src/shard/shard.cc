#include "shard/shard.h"

#include "base/probe.h"
#include "shard/alarms.h"
#include "shard/backlog.h"
#include "shard/completion_pages.h"
#include "shard/history_reads.h"
#include "shard/index_feed.h"
#include "shard/loader.h"
#include "shard/outbox.h"
#include "shard/queries.h"
#include "shard/run_deletion.h"
#include "shard/starts.h"
#include "shard/tasks.h"
#include "shard/updates.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <string>
#include <utility>

namespace stele::shard {
namespace {

/// Of all shards. More would hardly be found again, and they lie between what comes and goes with
/// every call: with 100,000 of them each allocation touched memory that no cache of the processor held.
constexpr std::size_t kCurrentRows = 10'000;

absl::Status no_such_run(const RunRef& run) {
    if (run.run_id.empty()) return not_found("workflow not found for ID: " + run.workflow_id);
    return not_found("workflow execution not found for workflow ID \"" + run.workflow_id +
                     "\" and run ID \"" + run.run_id + "\"");
}

std::string bytes_of(const google::protobuf::MessageLite& message) {
    std::string bytes;
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // maps have no order of their own
    message.SerializeToCodedStream(&coded);
    coded.Trim();
    return bytes;
}

template <typename Row>
bool same_rows(const history::Table<Row>& a, const history::Table<Row>& b) {
    return std::equal(a.rows().begin(), a.rows().end(), b.rows().begin(), b.rows().end(),
                      [](const auto& left, const auto& right) {
                          return left.first == right.first &&
                                 bytes_of(left.second) == bytes_of(right.second);
                      });
}

bool same_state(const history::Run& a, const history::Run& b) {
    return bytes_of(a.info) == bytes_of(b.info) && bytes_of(a.header) == bytes_of(b.header) &&
           bytes_of(a.attributes) == bytes_of(b.attributes) &&
           same_rows(a.activities, b.activities) && same_rows(a.timers, b.timers) &&
           same_rows(a.children, b.children) && same_rows(a.external_signals, b.external_signals) &&
           same_rows(a.external_cancels, b.external_cancels) &&
           same_rows(a.nexus_operations, b.nexus_operations) && same_rows(a.buffered, b.buffered) &&
           same_rows(a.request_ids, b.request_ids) && same_rows(a.updates, b.updates) &&
           same_rows(a.callbacks, b.callbacks);
}

}  // namespace

Shard::Shard(Surroundings& surroundings, ShardId id, store::SlotRange slots)
    : around_(surroundings),
      slots_(slots),
      cache_(surroundings.options.cache_bytes /
             static_cast<std::size_t>(surroundings.options.shard_count)),
      currents_(kCurrentRows / static_cast<std::size_t>(surroundings.options.shard_count)),
      starts_(std::make_unique<Starts>(*this)),
      tasks_(std::make_unique<Tasks>(*this)),
      queries_(std::make_unique<Queries>(*this)),
      updates_(std::make_unique<Updates>(*this)),
      reads_(std::make_unique<HistoryReads>(*this)),
      backlog_(std::make_unique<Backlog>(*this)),
      alarms_(std::make_unique<Alarms>(*this)),
      outbox_(std::make_unique<Outbox>(*this)),
      index_feed_(std::make_unique<IndexFeed>(*this)),
      completion_pages_(std::make_unique<CompletionPages>(*surroundings.page_budget)),
      executor_(surroundings.env.make_executor("shard-" + std::to_string(id.value()))) {}

Shard::~Shard() {
    executor_->stop();
    around_.committer.forget(*executor_);
}

// ---- Runs ------------------------------------------------------------------------------------

Slot Shard::slot_of(const RunRef& run) const {
    const Slot slot = store::slot_of(run.namespace_id, run.workflow_id);
    STELE_CHECK(slots_.contains(slot), "a workflow id was sent to a shard that does not own it");
    return slot;
}

absl::StatusOr<LoadedRun*> Shard::find(const RunRef& run) {
    const Slot slot = slot_of(run);
    RunAddress address{slot, {}};
    if (run.run_id.empty()) {
        STELE_ASSIGN_OR_RETURN(const storage::CurrentRow* const row, find_current(run));
        if (row == nullptr) return no_such_run(run);
        address.key = RunKey(row->run_key());
    } else {
        if (LoadedRun* found = cache_.find(run)) {
            if (found->deleted) return no_such_run(run);
            return found;
        }
        STELE_ASSIGN_OR_RETURN(const std::optional<RunKey> key,
                               read_run_key(around_.store, slot, run));
        if (!key) return no_such_run(run);
        address.key = *key;
    }
    STELE_ASSIGN_OR_RETURN(LoadedRun * loaded, load(address));
    if (loaded == nullptr) return no_such_run(run);
    return loaded;
}

absl::StatusOr<LoadedRun*> Shard::load(RunAddress address) {
    if (LoadedRun* found = cache_.find(address)) {
        STELE_PROBE_IF("shard.found-deleted", found->deleted);
        return found->deleted ? nullptr : found;
    }
    STELE_PROBE("shard.loaded-from-store");
    STELE_ASSIGN_OR_RETURN(std::unique_ptr<LoadedRun> loaded, read_run(around_.store, address));
    if (loaded == nullptr) return static_cast<LoadedRun*>(nullptr);
    LoadedRun& run = cache_.insert(std::move(loaded));
    schedule_eviction();
    return &run;
}

absl::StatusOr<const storage::CurrentRow*> Shard::find_current(const RunRef& workflow) {
    if (const storage::CurrentRow* row = currents_.find(workflow)) {
        // A row without a run stands for one that is being erased.
        STELE_PROBE_IF("shard.current-being-erased", row->run_id().empty());
        return row->run_id().empty() ? nullptr : row;
    }
    STELE_ASSIGN_OR_RETURN(std::optional<storage::CurrentRow> row,
                           read_current(around_.store, slot_of(workflow), workflow));
    if (!row) return nullptr;
    return &currents_.put(workflow, *std::move(row), Position(), around_.committer.readable());
}

absl::StatusOr<std::optional<storage::CurrentRow>> Shard::current(const RunRef& workflow) {
    STELE_ASSIGN_OR_RETURN(const storage::CurrentRow* const row, find_current(workflow));
    return row == nullptr ? std::nullopt : std::optional(*row);
}

RunAddress Shard::allocate(const RunRef& workflow) {
    last_run_key_ = last_run_key_.next();
    return {slot_of(workflow), last_run_key_};
}

LoadedRun& Shard::adopt(RunAddress address, history::NewRun& created) {
    history::Draft& draft = created.transition->draft;
    STELE_CHECK(draft.info.has_value(), "a run is to be created without its info row");
    draft.info->set_sequence(address.key.value());
    for (history::DispatchTask& task : created.transition->dispatch) {
        task.row.set_run_key(address.key.value());
    }
    for (storage::OutboxRow& row : created.transition->outbox) {
        row.set_run_key(address.key.value());
    }
    auto loaded = std::make_unique<LoadedRun>();
    loaded->address = address;
    loaded->run = std::move(created.run);
    // The cache finds it by name from now on, before the transition has filled it.
    loaded->run->set_info(*draft.info);
    return cache_.insert(std::move(loaded));
}

CommandContext Shard::context_for(NamespacePtr space) {
    static const history::Limits kDefaultLimits;
    history::Context context;
    context.now = now();
    context.nexus_endpoints = around_.options.nexus_endpoints;
    context.limits = space == nullptr ? &kDefaultLimits : &space->limits;
    context.new_id = [this] { return env::new_uuid(around_.env.random()); };
    context.uniform = [this] {
        return static_cast<double>(around_.env.random().next() >> 11) * 0x1.0p-53;
    };
    context.find_namespace = [this](const std::string& name) {
        std::optional<history::OtherNamespace> other;
        if (const NamespacePtr found = around_.namespaces.by_name(name)) {
            other = {found->id, {found, &found->search_attributes}};
        }
        return other;
    };
    if (space != nullptr) {
        context.search_attributes = &space->search_attributes;
        context.rules = &space->rules;
        context.retention = space->retention;
    }
    return {std::move(space), std::move(context)};
}

CommandContext Shard::context_of(const LoadedRun& run) {
    return context_for(around_.namespaces.by_id(run.run->info.namespace_id()));
}

void Shard::forget(LoadedRun& run) {
    if (is_current(run)) {
        currents_.put(run.run->ref(), storage::CurrentRow(), run.last,
                      around_.committer.readable());
    }
    cache_.mark_deleted(run);
    schedule_eviction();
}

void Shard::schedule_eviction() {
    // Later, because whoever runs now may still hold a pointer into the cache.
    if (eviction_scheduled_) return;
    eviction_scheduled_ = true;
    executor_->post([this] {
        eviction_scheduled_ = false;
        cache_.evict(around_.committer.readable());
    });
}

// ---- Writing ---------------------------------------------------------------------------------

bool Shard::is_current(const LoadedRun& run) {
    const absl::StatusOr<const storage::CurrentRow*> row = find_current(run.run->ref());
    STELE_CHECK(row.ok(),
                "the current row of a run could not be read: " + message_of(row.status()));
    return *row != nullptr && (*row)->run_key() == run.address.key.value();
}

/// Closed, paused or unpaused: the current row says so too.
bool Shard::changes_status(const Change& change) {
    return change.transition->draft.header.status() != change.run->run->header.status();
}

void Shard::write(store::WriteBatch& batch, Change& change) {
    history::Transition& transition = *change.transition;
    history::Draft& draft = transition.draft;
    for (history::DispatchTask& task : transition.dispatch) task.row.set_sticky(task.sticky);
    const AlarmChange alarm =
        move_alarm(draft.header, alarm_after(change), transition.closed, now());
    const RunAddress address = change.run->address;
    if (change.outbox_done && !STELE_BUG("outbox.row-kept"))
        batch.erase(store::encode(*change.outbox_done));
    if (change.truncate_from != kNoEvent) {
        store::KeyRange withdrawn =
            store::events_range(address.slot, address.key, change.truncate_from,
                                EventId(change.run->run->header.next_event_id()));
        STELE_PROBE("shard.start-withdrawn");
        batch.erase_range(std::move(withdrawn.begin), std::move(withdrawn.end));
    }
    write_transition(batch, address, transition, alarm, change.is_new);
    const bool listed =
        shows_in_lists(change) && !(STELE_BUG("index.status-missed") && !change.is_new);
    if (listed) index_feed_->add(batch, address);
    if (change.is_new || (changes_status(change) && is_current(*change.run))) {
        write_current(batch, address.slot, change.run->run->ref(),
                      make_current(draft.run_info(), draft.header));
    }
    if (alarm.erased != kNever || alarm.set != kNever) alarms_->moved(address, alarm);
}

/// When the run wants to be woken after a change: a closed one only for its deletion.
Timestamp Shard::alarm_after(const Change& change) {
    const history::Transition& transition = *change.transition;
    if (transition.closed) return deletion_time(*this, transition.draft);
    if (change.is_new || change.run->run->is_open()) return transition.alarm;
    const storage::HeaderRow& header = change.run->run->header;
    return header.has_alarm() ? from_proto(header.alarm()) : kNever;
}

void Shard::remember_current(const LoadedRun& run, Position position) {
    currents_.put(run.run->ref(), make_current(run.run->info, run.run->header), position,
                  around_.committer.readable());
}

void Shard::settle(Change& change, Position position) {
    LoadedRun& run = *change.run;
    history::Transition& transition = *change.transition;
    const bool current = change.is_new || (changes_status(change) && is_current(run));
    history::apply(*run.run, transition);
    if (change.truncate_from != kNoEvent) run.tail.truncate(change.truncate_from);
    run.ahead_of_rows = false;
    run.last = position;
    if (!transition.lazy) run.last_synced = position;
    for (history::EventBatch& events : transition.events) {
        run.tail.append(std::move(events), position);
    }
    if (current) remember_current(run, position);
    cache_.changed(run, around_.committer.readable());
}

void Shard::announce(Change& change, Position position) {
    LoadedRun& run = *change.run;
    history::Transition& transition = *change.transition;
    backlog_->removed(run, transition.dispatch_done);
    backlog_->added(run, transition.dispatch, change.offer);
    outbox_->added(run.address, transition.outbox, position);
    if (!transition.events.empty() || transition.closed) reads_->changed(run);
    queries_->changed(run);
    updates_->changed(run, transition.updates);
    completion_pages_->changed(run);
}

void Shard::apply_in_memory(Change& change) {
    LoadedRun& run = *change.run;
    history::Transition& transition = *change.transition;
    history::apply(*run.run, transition);
    run.ahead_of_rows = true;
    cache_.changed(run, around_.committer.readable());
    backlog_->offer_unwritten(run, transition.dispatch);
    queries_->changed(run);
    updates_->changed(run, transition.updates);
}

void Shard::commit(std::vector<Change> changes) {
    std::erase_if(changes, [](const Change& change) { return change.transition->empty; });
    std::erase_if(changes, [this](Change& change) {
        if (change.transition->in_memory) apply_in_memory(change);
        return change.transition->in_memory;
    });
    if (changes.empty()) return;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        for (history::NewRun& successor : changes[i].transition->successor) {
            const RunAddress address = allocate(changes[i].run->run->ref());
            STELE_PROBE("shard.successor");
            history::Transition* transition = successor.transition.get();
            changes.push_back({&adopt(address, successor), transition, true});
        }
    }
    store::WriteBatch batch;
    bool lazy = true;
    for (Change& change : changes) {
        write(batch, change);
        lazy = lazy && change.transition->lazy;
    }
    const Position position =
        submit(std::move(batch), lazy ? store::Urgency::kLazy : store::Urgency::kSynced, nullptr);
    for (Change& change : changes) settle(change, position);
    for (Change& change : changes) announce(change, position);
    schedule_eviction();
}

void Shard::commit(LoadedRun& run, history::Transition& transition) {
    commit({Change{&run, &transition}});
}

void Shard::reset_alarm(LoadedRun& run, Timestamp earliest) {
    storage::HeaderRow& header = run.run->header;
    const AlarmChange alarm = move_alarm(header, earliest, !run.run->is_open(), now());
    if (alarm.erased == kNever && alarm.set == kNever) return;
    store::WriteBatch batch;
    write_header(batch, run.address, header);
    write_alarm(batch, run.address, alarm);
    submit(std::move(batch), store::Urgency::kLazy, &run);
    alarms_->moved(run.address, alarm);
}

Position Shard::submit(store::WriteBatch batch, store::Urgency urgency, LoadedRun* run) {
    last_submitted_ = around_.committer.submit(std::move(batch), urgency);
    index_feed_->submitted(last_submitted_);
    if (run != nullptr) {
        run->last = last_submitted_;
        if (urgency == store::Urgency::kSynced) run->last_synced = last_submitted_;
    }
    return last_submitted_;
}

// ---- Replying --------------------------------------------------------------------------------

void Shard::when_durable(Position position, env::Closure closure) {
    const bool durable =
        position <= around_.committer.durable() && !STELE_FAULT("shard.late-reply");
    if (durable || STELE_BUG("shard.reply-before-durable")) {
        closure();
        return;
    }
    around_.committer.when_durable(position, *executor_, std::move(closure));
}

void Shard::when_readable(env::Closure closure) {
    if (last_submitted_ <= around_.committer.readable() || STELE_BUG("shard.reads-unwritten")) {
        executor_->post(std::move(closure));
        return;
    }
    STELE_PROBE("shard.waits-for-readable");
    around_.committer.when_readable(last_submitted_, *executor_, std::move(closure));
}

// ---- Life cycle ------------------------------------------------------------------------------

absl::Status Shard::recover() {
    STELE_ASSIGN_OR_RETURN(last_run_key_, read_last_run_key(around_.store));
    STELE_RETURN_IF_ERROR(alarms_->recover());
    STELE_RETURN_IF_ERROR(outbox_->recover());
    STELE_RETURN_IF_ERROR(index_feed_->recover());
    return backlog_->recover();
}

void Shard::begin() {
    backlog_->begin();
    alarms_->begin();
    outbox_->begin();
}

void Shard::compare_with_store(std::vector<std::string>& found) {
    const Position readable = around_.committer.readable();
    cache_.for_each([&](const LoadedRun& loaded) {
        if (loaded.last > readable || loaded.ahead_of_rows) return;
        const std::string& name = loaded.run->info.run_id();
        const auto stored = read_run(around_.store, loaded.address);
        if (!stored.ok()) {
            found.push_back(name + ": " + message_of(stored.status()));
        } else if ((*stored == nullptr) != loaded.deleted) {
            found.push_back(name + (loaded.deleted ? " was deleted and is in the store"
                                                   : " is in memory and not in the store"));
        } else if (loaded.deleted) {
            return;
        } else if (!same_state(*loaded.run, *(*stored)->run)) {
            found.push_back(name + " is not the same in memory and in the store");
        }
    });
}

void Shard::drain() {
    draining_ = true;
    alarms_->stop();
    outbox_->stop();
    reads_->drain();
    queries_->drain();
    updates_->drain();
}

}  // namespace stele::shard
