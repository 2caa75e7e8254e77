#pragma once

#include "env/mutex.h"
#include "shard/run_cache.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include "history/commands.h"

#include <map>
#include <string>
#include <unordered_map>

// A workflow task may be completed in pages: every request but the last is only kept, and the last
// one completes the task with the commands of all of them. Pages are soft state: whoever lost them,
// in a restart or to a limit, tells the worker to send them again.
namespace stele::shard {

/// Bytes of pages that all shards keep together. Thread safe.
class PageBudget {
public:
    /// Takes the bytes unless that would go over either limit.
    bool reserve(const std::string& namespace_id, std::size_t bytes, const history::Limits& limits);
    void release(const std::string& namespace_id, std::size_t bytes);

private:
    env::Mutex mutex_;
    std::size_t total_ STELE_GUARDED_BY(mutex_) = 0;
    std::unordered_map<std::string, std::size_t> by_namespace_ STELE_GUARDED_BY(mutex_);
};

/// The pages of one shard, at most one series per run. Not thread safe: belongs to the shard's
/// executor. The budget must outlive it.
class CompletionPages {
public:
    using Request = temporal::api::workflowservice::v1::RespondWorkflowTaskCompletedRequest;
    enum class Kept { kYes, kTooLarge };

    explicit CompletionPages(PageBudget& budget) : budget_(budget) {}
    ~CompletionPages();

    /// Keeps a page of the task that the token names; its token is known to be good. Idempotent by page
    /// number. kTooLarge: the task has more than one task may have, and its pages are gone. ABORTED with
    /// WorkflowTaskCompletionBufferLostFailure when all pages together have too much.
    absl::StatusOr<Kept> keep(const LoadedRun& run, const history::WorkflowTaskToken& token,
                              const history::Limits& limits, Request& request);
    /// Puts the commands of the kept pages in front of those of the last one and forgets the pages.
    /// ABORTED as above when one of them is not there.
    absl::Status merge(const LoadedRun& run, const history::WorkflowTaskToken& token,
                       Request& request);
    /// A commit has changed a run: pages of a task that has ended are forgotten.
    void changed(const LoadedRun& run);

private:
    struct Series {
        std::string namespace_id;
        std::int64_t stamp = 0;  // of the task
        std::size_t bytes = 0;
        std::map<std::int32_t, google::protobuf::RepeatedPtrField<temporal::api::command::v1::Command>>
            pages;
    };
    void forget(RunAddress address);

    PageBudget& budget_;
    std::map<RunAddress, Series> series_;
};

}  // namespace stele::shard
