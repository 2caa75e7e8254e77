#pragma once

#include "history/families.h"

// The beginning of every run, however it comes about: started by a client, continued as new, or tried
// again. Not thread safe.
namespace stele::history {

/// All that a run begins with.
struct RunBirth {
    std::string namespace_id;
    std::string namespace_name;
    std::string run_id;
    RunKey run_key;
    std::int64_t event_task_base = 0;  // see InfoRow
    std::string request_id;
    /// Event 1. The timeouts have their defaults; run id fields are filled in by begin_run.
    api::history::v1::WorkflowExecutionStartedEventAttributes started;
    api::sdk::v1::UserMetadata user_metadata;
    bool has_user_metadata = false;
    google::protobuf::RepeatedPtrField<api::common::v1::Link> links;
};

/// The rows that event 1 tells of. `now` is when the run begins: its timeouts count from then.
storage::InfoRow make_info(const RunBirth& birth, Timestamp now);
void fill_header(storage::HeaderRow& header,
                 const api::history::v1::WorkflowExecutionStartedEventAttributes& started,
                 Timestamp now);
storage::AttributesRow make_attributes(
    const api::history::v1::WorkflowExecutionStartedEventAttributes& started, const Limits& limits);

/// A run that is being made: the empty base, and the builder of its first transition.
struct Birth {
    std::unique_ptr<Run> run;
    std::unique_ptr<Builder> builder;
};
/// Writes event 1 and the rows. Schedules no task: finish_birth does, when it is not delayed.
Birth begin_run(RunBirth birth, const Context& context);
NewRun finish_birth(Birth birth);

/// Longest permitted task timeout, or the default for none, within the run timeout (zero: endless).
Duration effective_task_timeout(Duration requested, Duration run_timeout, const Limits& limits);
/// The shorter of the two, where zero means endless.
Duration effective_run_timeout(Duration run_timeout, Duration execution_timeout);

/// How long the first task of the run after this one waits when it is meant to wait for `wanted`: a
/// workflow that begins again and again, at once each time, is slowed down.
Duration spaced_backoff(const Builder& builder, Duration wanted);

/// The run after this one, for continue-as-new and retries: `started` holds what the new run is
/// given; identity in the chain and the execution's expiration come from the old run. The builder's
/// run closes in the same transition. Returns the id of the new run.
void add_successor(Builder& builder, const std::string& new_run_id,
                   api::history::v1::WorkflowExecutionStartedEventAttributes started);

}  // namespace stele::history
