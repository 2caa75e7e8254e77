#pragma once

#include "batch/operation.h"
#include "batch/settings.h"
#include "env/env.h"
#include "stele/internal/rows.pb.h"
#include "visibility/visibility.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// One batch operation while it runs: page by page it takes the runs that are meant and does the
// operation to each, several at a time and no faster than its rate. After every page it is written
// down how far it has come, so after a restart at most one page is done again.
namespace stele::batch {

/// What jobs work with. An answer of the engine may come when the rest has gone; it finds an
/// executor that has been stopped.
struct JobContext {
    env::Env& env;
    std::unique_ptr<env::Executor> executor;
    shard::Engine& engine;
    visibility::Visibility& visibility;
    shard::NamespaceSource& namespaces;
    /// What is in force for a namespace now.
    std::function<Settings(const std::string& namespace_id)> settings_of;
    /// Writes a row down, and replies once it is durable.
    std::function<void(const storage::BatchRow& row, Reply<history::None> reply)> save;
};

/// Belongs to the executor of its context. Holds itself alive while anything is under way.
class Job : public std::enable_shared_from_this<Job> {
public:
    Job(std::shared_ptr<const JobContext> context, storage::BatchRow row);

    /// Begins, or goes on where the row says.
    void run();
    /// Does nothing any more to any run, and writes nothing more down.
    void stop() { stopped_ = true; }

private:
    struct Item {
        RunRef run;
        int attempts = 0;
    };

    void count();
    void next_page();
    void list_page();
    void take_page(std::vector<RunRef> runs);
    void pump();
    void launch(Item item);
    void done(Item item, const absl::Status& outcome);
    void save_page();
    void close(api::enums::v1::BatchOperationState state);
    /// The same once more, a little later.
    void again(void (Job::*step)());
    absl::StatusOr<visibility::filter::Filter> filter() const;

    /// Wraps a function into a reply that runs it on the executor, unless the job was stopped.
    template <typename T>
    Reply<T> then(std::function<void(absl::StatusOr<T>)> function) {
        return [self = shared_from_this(),
                function = std::move(function)](absl::StatusOr<T> outcome) mutable {
            self->context_->executor->post(
                [self, function = std::move(function), outcome = std::move(outcome)]() mutable {
                    if (!self->stopped_) function(std::move(outcome));
                });
        };
    }

    const std::shared_ptr<const JobContext> context_;
    storage::BatchRow row_;
    Request request_;
    std::vector<api::common::v1::Execution> listed_;
    shard::NamespacePtr space_;
    bool stopped_ = false;

    // The page under way.
    std::deque<Item> waiting_;
    std::int32_t under_way_ = 0;
    Timestamp next_start_{};  // when the rate allows another one
    bool pump_scheduled_ = false;
    std::optional<visibility::PageKey> page_end_;
    std::int64_t page_succeeded_ = 0;
    std::int64_t page_failed_ = 0;
};

}  // namespace stele::batch
