#include "store/committer.h"

#include "base/check.h"
#include "base/probe.h"
#include "env/mutex.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>
#include <vector>

// One write is under way at a time. While it runs, batches gather; when it ends, they become the
// next write. So the load itself sets the size of a group. Only under load does the next write rest
// for a moment; a lazy batch, which nobody waits for, has a timer of its own.
namespace stele::store {
namespace {

/// Closures that wait for positions, in the order of these. Not thread safe.
class Waiters {
public:
    void add(Position position, env::Executor& executor, env::Closure closure) {
        // Nearly always the last place: who waits, waits for what was submitted last.
        const auto place = std::upper_bound(
            waiters_.begin(), waiters_.end(), position,
            [](Position wanted, const Waiter& other) { return wanted < other.position; });
        waiters_.insert(place, Waiter{position, &executor, std::move(closure)});
    }

    void post_until(Position reached) {
        const auto is_next = [&] {
            return !waiters_.empty() && waiters_.front().position <= reached;
        };
        while (is_next()) {
            env::Executor* const executor = waiters_.front().executor;
            std::vector<env::Closure> closures;
            while (is_next() && waiters_.front().executor == executor) {
                closures.push_back(std::move(waiters_.front().closure));
                waiters_.pop_front();
            }
            executor->post_all(std::move(closures));
        }
    }

    /// Takes out the closures of one executor, or of all of them.
    std::vector<env::Closure> remove(const env::Executor* executor) {
        std::vector<env::Closure> removed;
        std::erase_if(waiters_, [&](Waiter& waiter) {
            if (executor != nullptr && waiter.executor != executor) return false;
            removed.push_back(std::move(waiter.closure));
            return true;
        });
        return removed;
    }

private:
    struct Waiter {
        Position position;
        env::Executor* executor;
        env::Closure closure;
    };
    std::deque<Waiter> waiters_;
};

class GroupCommitter final : public Committer {
public:
    GroupCommitter(env::Env& env, Store& store, CommitFailure on_failure,
                   const CommitterOptions& options)
        : env_(env),
          store_(store),
          on_failure_(std::move(on_failure)),
          options_(options),
          executor_(env.make_blocking_executor("committer")) {}

    ~GroupCommitter() override;

    Position submit(WriteBatch batch, Urgency urgency) override;
    void when_durable(Position position, env::Executor& executor, env::Closure closure) override;
    void when_readable(Position position, env::Executor& executor, env::Closure closure) override;
    void forget(env::Executor& executor) override { remove_waiters(&executor); }

    Position readable() const override { return readable_; }
    Position durable() const override { return durable_; }
    std::size_t pending_bytes() const override { return pending_bytes_; }

private:
    struct Group {
        std::vector<WriteBatch> batches;
        std::size_t submitted_bytes = 0;
        Position last;
        Sync sync;
    };

    void remove_waiters(const env::Executor* executor);
    bool want_sync_up_to(Position position) STELE_REQUIRES(mutex_);
    bool want_lazy_write() STELE_REQUIRES(mutex_);
    void start_write();
    void write_late();
    void write();
    Group take_group() STELE_REQUIRES(mutex_);
    bool commit(Group group);
    Timestamp end_of_rest(std::size_t batches, Timestamp began) const;

    env::Env& env_;
    Store& store_;
    const CommitFailure on_failure_;
    const CommitterOptions options_;

    mutable env::Mutex mutex_;
    /// Submitted and not taken by a write; the last one has the position `submitted_`.
    std::deque<WriteBatch> pending_ STELE_GUARDED_BY(mutex_);
    Position submitted_ STELE_GUARDED_BY(mutex_);
    // Changed with the lock held, and read without it: shards ask with every command.
    std::atomic<std::size_t> pending_bytes_ = 0;
    std::atomic<Position> readable_;
    std::atomic<Position> durable_;
    /// Everything up to here must be synced as soon as possible.
    Position sync_wanted_ STELE_GUARDED_BY(mutex_);
    Waiters durable_waiters_ STELE_GUARDED_BY(mutex_);
    Waiters readable_waiters_ STELE_GUARDED_BY(mutex_);
    bool writing_ STELE_GUARDED_BY(mutex_) = false;  // a write is under way or posted
    Timestamp rests_until_ STELE_GUARDED_BY(mutex_) = kUnset;
    bool lazy_timer_set_ STELE_GUARDED_BY(mutex_) = false;
    bool failed_ STELE_GUARDED_BY(mutex_) = false;

    std::unique_ptr<env::Executor> executor_;  // all writes
};

GroupCommitter::~GroupCommitter() {
    // The committer's closures hold a plain pointer to it, and end with its executor.
    executor_.reset();
    remove_waiters(nullptr);
    for (;;) {
        Group group;
        {
            env::MutexLock lock(mutex_);
            if (failed_ || durable_.load() == submitted_) return;
            sync_wanted_ = submitted_;
            group = take_group();
        }
        if (!commit(std::move(group))) return;
    }
}

Position GroupCommitter::submit(WriteBatch batch, Urgency urgency) {
    Position position;
    bool write_now = false;
    bool write_late = false;
    {
        env::MutexLock lock(mutex_);
        submitted_ = position = submitted_.next();
        pending_bytes_ += batch.bytes();
        pending_.push_back(std::move(batch));
        if (urgency == Urgency::kSynced) {
            write_now = want_sync_up_to(position);
        } else {
            write_late = want_lazy_write();
            if (STELE_FAULT("committer.eager-lazy")) write_now = want_sync_up_to(position);
        }
    }
    if (write_now) start_write();
    if (write_late) {
        const Duration delay = options_.lazy_delay * (STELE_FAULT("committer.late-lazy") ? 20 : 1);
        executor_->run_at(env_.now() + delay, [this] { this->write_late(); });
    }
    return position;
}

void GroupCommitter::when_durable(Position position, env::Executor& executor,
                                  env::Closure closure) {
    bool write_now = false;
    {
        env::MutexLock lock(mutex_);
        STELE_CHECK(position <= submitted_, "waits for a position that was never given");
        if (position <= durable_.load()) {
            // Under the lock, so that it can not overtake closures of earlier positions.
            executor.post(std::move(closure));
            return;
        }
        durable_waiters_.add(position, executor, std::move(closure));
        write_now = want_sync_up_to(position);
    }
    if (write_now) start_write();
}

void GroupCommitter::when_readable(Position position, env::Executor& executor,
                                   env::Closure closure) {
    env::MutexLock lock(mutex_);
    STELE_CHECK(position <= submitted_, "waits for a position that was never given");
    if (position <= readable_.load()) {
        executor.post(std::move(closure));
        return;
    }
    readable_waiters_.add(position, executor, std::move(closure));
}

void GroupCommitter::remove_waiters(const env::Executor* executor) {
    // Destroyed at the end, without the lock: what a closure holds may call the committer.
    std::vector<env::Closure> durable;
    std::vector<env::Closure> readable;
    env::MutexLock lock(mutex_);
    durable = durable_waiters_.remove(executor);
    readable = readable_waiters_.remove(executor);
}

/// True when the caller has to start a write.
bool GroupCommitter::want_sync_up_to(Position position) {
    sync_wanted_ = std::max(sync_wanted_, position);
    if (writing_ || failed_) return false;
    writing_ = true;
    return true;
}

/// True when the caller has to set the timer. A write under way needs none: it looks again when it
/// ends.
bool GroupCommitter::want_lazy_write() {
    if (writing_ || failed_ || lazy_timer_set_) return false;
    lazy_timer_set_ = true;
    return true;
}

void GroupCommitter::start_write() {
    const Timestamp now = env_.now();
    Timestamp when;
    {
        env::MutexLock lock(mutex_);
        when = rests_until_;
    }
    // A rest that is longer than any was begun before somebody set the clock back.
    if (STELE_FAULT("committer.slow-disk"))
        when = now + std::chrono::milliseconds(200);
    else if (when > now + options_.rest_max)
        when = now;
    if (when <= now) {
        executor_->post([this] { write(); });
    } else {
        STELE_PROBE("committer.rest");
        executor_->run_at(when, [this] { write(); });
    }
}

/// When the next write may start.
Timestamp GroupCommitter::end_of_rest(std::size_t batches, Timestamp began) const {
    if (STELE_FAULT("committer.rest-without-load")) return env_.now() + options_.rest_max;
    if (batches < options_.load_batches) return kUnset;
    const Timestamp now = env_.now();
    return now + std::clamp(now - began, Duration(0), options_.rest_max);
}

void GroupCommitter::write_late() {
    {
        env::MutexLock lock(mutex_);
        lazy_timer_set_ = false;
        if (writing_ || failed_ || pending_.empty()) return;
        STELE_PROBE("committer.lazy-write");
        writing_ = true;
    }
    write();
}

void GroupCommitter::write() {
    Group group;
    {
        env::MutexLock lock(mutex_);
        group = take_group();
    }
    const std::size_t batches = group.batches.size();
    const Timestamp began = env_.now();
    if (!commit(std::move(group))) return;
    const Timestamp rests_until = end_of_rest(batches, began);
    bool write_late = false;
    {
        env::MutexLock lock(mutex_);
        rests_until_ = rests_until;
        writing_ = sync_wanted_ > durable_.load();
        STELE_PROBE_IF("committer.write-again", writing_);
        if (!writing_ && !pending_.empty()) write_late = want_lazy_write();
        if (!writing_ && !write_late) return;
    }
    if (write_late) {
        executor_->run_at(env_.now() + options_.lazy_delay, [this] { this->write_late(); });
    } else {
        start_write();
    }
}

/// Takes what waits, up to the size of a write. The group may be empty when only a sync is wanted.
GroupCommitter::Group GroupCommitter::take_group() {
    Group group;
    while (!pending_.empty()) {
        const std::size_t bytes = pending_.front().bytes();
        if (group.submitted_bytes > 0 && STELE_FAULT("committer.short-group")) break;
        if (group.submitted_bytes > 0 && group.submitted_bytes + bytes > options_.write_bytes_max) {
            break;
        }
        if (STELE_BUG("committer.batch-dropped") && group.batches.size() == 3)
            pending_.front() = {};
        group.submitted_bytes += bytes;
        group.batches.push_back(std::move(pending_.front()));
        pending_.pop_front();
    }
    STELE_PROBE_IF("committer.merged", group.batches.size() > 1);
    STELE_PROBE_IF("committer.sync-alone", group.batches.empty());
    group.last = Position(submitted_.value() - static_cast<std::int64_t>(pending_.size()));
    const bool sync = sync_wanted_ > durable_.load() || STELE_FAULT("committer.extra-sync");
    group.sync = sync ? Sync::kYes : Sync::kNo;
    return group;
}

/// Writes a group and tells who waits for it. False after a failure: there is nothing left to do
/// then, because what the store holds is unknown.
bool GroupCommitter::commit(Group group) {
    // Without the lock: it takes longer than all else here but the write itself, and shards submit meanwhile.
    WriteBatch merged;
    for (WriteBatch& batch : group.batches) merged.append(std::move(batch));
    merged.drop_overwritten();
    const absl::Status status = store_.write(merged, group.sync);
    if (!status.ok()) {
        {
            env::MutexLock lock(mutex_);
            failed_ = true;
        }
        on_failure_(status);
        return false;
    }
    env::MutexLock lock(mutex_);
    pending_bytes_ -= group.submitted_bytes;
    readable_ = group.last;
    const bool synced = group.sync == Sync::kYes || STELE_BUG("committer.durable-unsynced");
    if (synced) durable_ = group.last;
    readable_waiters_.post_until(readable_);
    durable_waiters_.post_until(durable_);
    return true;
}

}  // namespace

std::unique_ptr<Committer> make_committer(env::Env& env, Store& store, CommitFailure on_failure,
                                          const CommitterOptions& options) {
    return std::make_unique<GroupCommitter>(env, store, std::move(on_failure), options);
}

}  // namespace stele::store
