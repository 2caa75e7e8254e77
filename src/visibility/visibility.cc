#include "visibility/visibility.h"

#include "base/probe.h"
#include "store/keys.h"
#include "visibility/follower.h"
#include "visibility/page_checksums.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace stele::visibility {
namespace {

/// Rows of the feeds are taken out of the store in bulk, once they are not needed even if the power
/// fails: that costs a sync of the index.
constexpr std::size_t kTrimAfterRows = 10'000;

class VisibilityImpl final : public Visibility {
public:
    VisibilityImpl(env::Env& env, store::Store& store, store::Committer& committer,
                   store::IndexFeeds& feeds, SchemaSource schemas, const VisibilityOptions& options,
                   std::unique_ptr<Index> index)
        : env_(env),
          store_(store),
          committer_(committer),
          feeds_(feeds),
          schemas_(std::move(schemas)),
          delay_(options.delay),
          path_(options.path),
          store_id_(options.store_id),
          notice_(options.notice),
          index_(std::move(index)),
          executor_(env.make_blocking_executor("visibility")) {
        feeds_.on_news([this] { executor_->post([this] { wake(); }); });
    }

    ~VisibilityImpl() override {
        executor_->stop();
        committer_.forget(*executor_);
    }

    /// Takes up what this process has not written itself. That may be on no disk yet: an index that
    /// is ahead of its store would show runs that never were.
    void start() {
        const Position synced = committer_.submit({}, store::Urgency::kSynced);
        committer_.when_durable(synced, *executor_, [this] {
            // On failure the next list tries again, and tells its caller what is wrong.
            static_cast<void>(mending([this] { return bring_up(); }));
        });
    }

    void list(ListQuery query, Reply<ListPage> reply) override {
        ask<ListPage>(std::move(reply),
                      [this, query = std::move(query)] { return index_->list(query); });
    }

    void count(CountQuery query, Reply<CountResult> reply) override {
        ask<CountResult>(std::move(reply),
                         [this, query = std::move(query)] { return index_->count(query); });
    }

private:
    /// Answers from an index that has everything which is there now.
    template <typename T, typename Question>
    void ask(Reply<T> reply, Question question) {
        if (STELE_FAULT("visibility.busy")) return reply(unavailable("not now"));
        const store::IndexFeeds::Ends ends = feeds_.ends();
        when_durable(
            ends, [this, ends, reply = std::move(reply), question = std::move(question)]() mutable {
                std::optional<absl::StatusOr<T>> answer;
                absl::Status status = mending([&]() -> absl::Status {
                    STELE_RETURN_IF_ERROR(apply(ends));
                    return answer.emplace(question()).status();
                });
                if (!status.ok()) return reply(std::move(status));
                reply(*std::move(answer));
            });
    }

    void when_durable(const store::IndexFeeds::Ends& ends, env::Closure closure) {
        Position last;
        for (const auto& [slot, end] : ends) last = std::max(last, end.position);
        if (STELE_BUG("visibility.reads-unsynced")) last = {};
        committer_.when_durable(last, *executor_, std::move(closure));
    }

    /// Something is new: gathers for a while.
    void wake() {
        if (std::exchange(waiting_, true)) return;
        const Duration delay = delay_ * (STELE_FAULT("visibility.slow") ? 50 : 1);
        executor_->run_at(env_.now() + delay, [this] {
            waiting_ = false;
            const store::IndexFeeds::Ends ends = feeds_.ends();
            when_durable(ends, [this, ends] {
                // On failure once more: the next list tells its caller what is wrong.
                if (!mending([&] { return apply(ends); }).ok()) wake();
            });
        });
    }

    /// Does something with the index; if that turns out to be damaged, makes it anew from the store and
    /// does it again.
    template <typename Work>
    absl::Status mending(Work work) {
        absl::Status status = work();
        if (status.code() != absl::StatusCode::kDataLoss) return status;
        STELE_RETURN_IF_ERROR(start_anew());
        return work();
    }

    absl::Status start_anew() {
        if (path_) {
            // Nobody may have the file open when it is removed. An index that can not be made again is
            // in memory until the next start.
            STELE_ASSIGN_OR_RETURN(index_, Index::open(std::nullopt, store_id_));
            remove_database(*path_);
        }
        absl::StatusOr<std::unique_ptr<Index>> made = Index::open(path_, store_id_);
        if (made.ok()) index_ = *std::move(made);
        caught_up_ = false;
        return absl::OkStatus();
    }

    absl::Status bring_up() {
        if (caught_up_) return absl::OkStatus();
        STELE_RETURN_IF_ERROR(catch_up());
        caught_up_ = true;
        return absl::OkStatus();
    }

    Follower follower() { return {store_, *index_, schemas_}; }

    absl::Status catch_up() {
        STELE_ASSIGN_OR_RETURN(const bool follows, follower().can_follow());
        STELE_PROBE_IF("visibility.followed", follows);
        if (!follows || STELE_FAULT("visibility.rebuilt")) return make_anew();
        STELE_ASSIGN_OR_RETURN(const store::IndexFeeds::Ends ends, follower().stored_ends());
        return follower().follow(ends).status();
    }

    absl::Status make_anew() {
        STELE_ASSIGN_OR_RETURN(const bool takes_long, follower().has_runs());
        const bool tell = takes_long && notice_;
        const std::string what = "the visibility index" + (path_ ? " " + *path_ : std::string());
        if (tell) notice_(what + " is made anew from the store; lists wait for it");
        STELE_RETURN_IF_ERROR(follower().rebuild());
        if (tell) notice_(what + " has been made anew");
        return absl::OkStatus();
    }

    absl::Status apply(const store::IndexFeeds::Ends& ends) {
        STELE_PROBE_IF("visibility.caught-up-late", !caught_up_);
        STELE_RETURN_IF_ERROR(bring_up());
        STELE_ASSIGN_OR_RETURN(const std::size_t rows, follower().follow(ends));
        untrimmed_ += rows;
        if (untrimmed_ < kTrimAfterRows && !STELE_FAULT("visibility.early-trim"))
            return absl::OkStatus();
        STELE_PROBE("visibility.trimmed");
        untrimmed_ = 0;
        return trim();
    }

    /// Erases what was applied, except the last row of each feed, from which its numbering goes on.
    absl::Status trim() {
        STELE_RETURN_IF_ERROR(index_->checkpoint());
        store::WriteBatch batch;
        for (const auto& [slot, sequence] : index_->progress()) {
            batch.erase_range(store::index_range(slot).begin,
                              store::encode(store::IndexKey{slot, sequence}));
        }
        committer_.submit(std::move(batch), store::Urgency::kLazy);
        return absl::OkStatus();
    }

    env::Env& env_;
    store::Store& store_;
    store::Committer& committer_;
    store::IndexFeeds& feeds_;
    const SchemaSource schemas_;
    const Duration delay_;
    const std::optional<std::string> path_;
    const std::string store_id_;
    const std::function<void(const std::string&)> notice_;
    // Only on the executor.
    std::unique_ptr<Index> index_;
    bool caught_up_ = false;
    bool waiting_ = false;
    std::size_t untrimmed_ = 0;

    std::unique_ptr<env::Executor> executor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Visibility>> make_visibility(env::Env& env, store::Store& store,
                                                            store::Committer& committer,
                                                            store::IndexFeeds& feeds,
                                                            SchemaSource schemas,
                                                            const VisibilityOptions& options) {
    STELE_ASSIGN_OR_RETURN(std::unique_ptr<Index> index,
                           Index::open(options.path, options.store_id));
    auto made = std::make_unique<VisibilityImpl>(env, store, committer, feeds, std::move(schemas),
                                                 options, std::move(index));
    made->start();
    return made;
}

absl::Status rebuild(store::Store& store, const SchemaSource& schemas,
                     const VisibilityOptions& options) {
    if (options.path) remove_database(*options.path);
    STELE_ASSIGN_OR_RETURN(const std::unique_ptr<Index> index,
                           Index::open(options.path, options.store_id));
    Follower follower(store, *index, schemas);
    STELE_RETURN_IF_ERROR(follower.rebuild());
    return index->checkpoint();
}

}  // namespace stele::visibility
