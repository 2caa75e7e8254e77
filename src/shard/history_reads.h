#pragma once

#include "shard/shard.h"

#include <map>
#include <memory>

// Reads of a run by clients: pages of history, waits for new events, and the description. Only
// what is durable is shown: a read waits for the run's last position first.
namespace stele::shard {

/// Not thread safe: belongs to its shard's executor.
class HistoryReads {
public:
    explicit HistoryReads(Shard& shard) : shard_(shard) {}

    /// Pages forwards from `query.from`. With wait_new_event and nothing new the call is held until
    /// events come, the run closes, or the long poll ends with an empty page. With
    /// close_event_only the page is the closing event or empty.
    void get_history(HistoryQuery query, CallScopePtr scope, Reply<HistoryReply> reply);
    void describe(const RunRef& run, Reply<service::DescribeWorkflowExecutionResponse> reply);

    /// A commit has added events to a run or closed it.
    void changed(const LoadedRun& run);
    /// Answers every wait with an empty page.
    void drain();

private:
    struct Wait {
        HistoryQuery query;
        CallScopePtr scope;
        Reply<HistoryReply> reply;
        env::TimerId timer = 0;
    };
    using WaitId = std::uint64_t;
    using Waits = std::map<WaitId, Wait>;

    void read(RunAddress address, Wait wait);
    absl::StatusOr<HistoryReply> make_page(LoadedRun& run, const Wait& wait);
    absl::StatusOr<HistoryPage> page_of(LoadedRun& run, const Wait& wait);
    void hold(RunAddress address, Wait wait);
    void end_wait(RunAddress address, WaitId id, bool answer);
    std::optional<Wait> take(RunAddress address, WaitId id);

    Shard& shard_;
    std::map<RunAddress, Waits> waits_;
    WaitId last_wait_ = 0;
};

}  // namespace stele::shard
