#pragma once

#include "base/call.h"
#include "env/env.h"
#include "history/activity_control.h"
#include "history/nexus_endpoints.h"
#include "history/options.h"
#include "history/pause.h"
#include "history/search_attributes.h"
#include "shard/dispatch.h"
#include "shard/nexus.h"
#include "shard/update_calls.h"
#include "store/committer.h"
#include "store/index_feeds.h"
#include "store/store.h"
#include "temporal/api/rules/v1/message.pb.h"

#include <memory>
#include <vector>

// The engine: every run of every namespace, spread over shards. The frontend validates, then calls
// this; each call is posted to the executor of the shard that owns the workflow id, and its reply
// leaves when what it reveals is durable.
namespace stele::shard {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

class CompletionSender;

struct EngineOptions {
    int shard_count = 1;  // shards (ranges of slots), each on its own executor
    std::size_t cache_bytes = 256 * 1024 * 1024;  // runs kept in memory, all shards together
    std::size_t backlog_window = 10'000;          // offers per queue held in memory
    std::size_t pending_commit_bytes = 64 * 1024 * 1024;  // over this, calls get RESOURCE_EXHAUSTED
    Duration long_poll = std::chrono::seconds(20);        // waits for updates end after it
    store::IndexFeeds* index_feeds = nullptr;             // told of new index rows; may be null
    CompletionSender* completions = nullptr;              // sends callbacks; without it they wait
    const history::NexusEndpoints* nexus_endpoints = nullptr;  // null: there are none
};

/// A namespace that exists and that the caller may act on, as the frontend found it.
struct NamespaceView {
    /// As its row says, with the limits in force for it.
    NamespaceView(const storage::NamespaceRow& row, const history::Limits& limits_in_force)
        : id(row.id()),
          name(row.name()),
          limits(limits_in_force),
          retention(from_proto(row.retention())),
          search_attributes(row.name(), row.search_attributes()) {
        for (const std::string& bytes : row.workflow_rules()) {
            rules.emplace_back().ParseFromString(bytes);
        }
    }

    std::string id;
    std::string name;
    history::Limits limits;
    /// How long a closed run is kept.
    Duration retention;
    history::SearchAttributeSchema search_attributes;
    std::vector<api::rules::v1::WorkflowRule> rules;
};
using NamespacePtr = std::shared_ptr<const NamespaceView>;

struct StartReply {
    std::string run_id;
    std::string first_execution_run_id;
    bool started = false;
    api::enums::v1::WorkflowExecutionStatus status{};
    /// Whether the request id of the start was attached to a run that was there before.
    bool attached = false;
    /// With request_eager_execution: the first workflow task, started for the caller.
    std::optional<PolledWorkflowTask> eager_task;
};

/// Update-with-start: each part has a status of its own. A new workflow may have been started although
/// its update failed.
struct UpdateWithStartReply {
    absl::StatusOr<StartReply> start;
    absl::StatusOr<UpdateReply> update;
};

struct HistoryQuery {
    RunRef run;                  // empty run id: the current run
    EventId from = kFirstEvent;  // reverse: the newest wanted; kNoEvent means the last one
    EventId to;                  // forward: the last wanted; kNoEvent means no end
    std::int32_t maximum_events = 256;
    bool wait_new_event = false;
    bool close_event_only = false;
    bool reverse = false;
    Duration longest_wait = std::chrono::seconds(20);  // for an event
    /// Events of a task that a worker is working on (transient) are only for workers.
    bool for_worker = false;
};
struct HistoryReply {
    std::string run_id;
    HistoryPage page;
    bool running = false;  // more events may come
    EventId last;          // the last event when the page was made
};

struct CompletedTaskReply {
    std::optional<PolledWorkflowTask> next;
    std::vector<PolledActivityTask> eager_activities;
    EventId reset_history_event;
};

/// Thread safe. Every method returns at once and replies later, on an unspecified executor. The
/// scope may be null where nothing waits for the outside.
class Engine : public TaskStarter {
public:
    // Starting. Policies, request-id dedup and conflicts are decided in the shard.
    virtual void start_workflow(NamespacePtr space, service::StartWorkflowExecutionRequest request,
                                Reply<StartReply> reply) = 0;
    virtual void signal_with_start(NamespacePtr space,
                                   service::SignalWithStartWorkflowExecutionRequest request,
                                   Reply<StartReply> reply) = 0;

    // Control.
    virtual void signal(NamespacePtr space, service::SignalWorkflowExecutionRequest request,
                        Reply<history::None> reply) = 0;
    virtual void request_cancel(NamespacePtr space,
                                service::RequestCancelWorkflowExecutionRequest request,
                                Reply<history::None> reply) = 0;
    virtual void terminate(NamespacePtr space, service::TerminateWorkflowExecutionRequest request,
                           Reply<history::None> reply) = 0;
    virtual void reset(NamespacePtr space, service::ResetWorkflowExecutionRequest request,
                       Reply<service::ResetWorkflowExecutionResponse> reply) = 0;
    virtual void pause(NamespacePtr space, RunRef run, history::PauseInput input,
                       Reply<history::None> reply) = 0;
    virtual void unpause(NamespacePtr space, RunRef run, history::PauseInput input,
                         Reply<history::None> reply) = 0;
    virtual void update_options(NamespacePtr space, RunRef run, history::OptionsChange change,
                                Reply<history::WorkflowOptions> reply) = 0;
    virtual void remove(NamespacePtr space, RunRef run, Reply<history::None> reply) = 0;

    // Updates. They wait for the stage that the caller wants, at most as long as a long poll.
    virtual void update_workflow(NamespacePtr space,
                                 service::UpdateWorkflowExecutionRequest request,
                                 CallScopePtr scope, Reply<UpdateReply> reply) = 0;
    virtual void poll_update(NamespacePtr space,
                             service::PollWorkflowExecutionUpdateRequest request,
                             CallScopePtr scope, Reply<UpdateReply> reply) = 0;
    virtual void update_with_start(NamespacePtr space, UpdateWithStartRequest request,
                                   CallScopePtr scope, Reply<UpdateWithStartReply> reply) = 0;

    // Workers. The frontend has opened the token and checked that it belongs to `space`.
    virtual void complete_workflow_task(NamespacePtr space, RunRef run,
                                        history::WorkflowTaskToken token,
                                        service::RespondWorkflowTaskCompletedRequest request,
                                        Reply<CompletedTaskReply> reply) = 0;
    virtual void fail_workflow_task(NamespacePtr space, RunRef run,
                                    history::WorkflowTaskToken token,
                                    service::RespondWorkflowTaskFailedRequest request,
                                    Reply<history::None> reply) = 0;
    virtual void heartbeat_activity(NamespacePtr space, RunRef run, history::ActivityToken token,
                                    api::common::v1::Payloads details, std::string identity,
                                    Reply<history::HeartbeatReply> reply) = 0;
    virtual void complete_activity(NamespacePtr space, RunRef run, history::ActivityToken token,
                                   api::common::v1::Payloads result, std::string identity,
                                   Reply<history::None> reply) = 0;
    virtual void fail_activity(NamespacePtr space, RunRef run, history::ActivityToken token,
                               api::failure::v1::Failure failure,
                               std::optional<api::common::v1::Payloads> last_heartbeat_details,
                               std::string identity, Reply<history::None> reply) = 0;
    virtual void cancel_activity(NamespacePtr space, RunRef run, history::ActivityToken token,
                                 api::common::v1::Payloads details, std::string identity,
                                 Reply<history::None> reply) = 0;
    // Operators' commands on pending activities.
    virtual void pause_activities(NamespacePtr space, RunRef run, history::PauseActivityInput input,
                                  Reply<history::None> reply) = 0;
    virtual void unpause_activities(NamespacePtr space, RunRef run,
                                    history::UnpauseActivityInput input,
                                    Reply<history::None> reply) = 0;
    virtual void reset_activities(NamespacePtr space, RunRef run, history::ResetActivityInput input,
                                  Reply<history::None> reply) = 0;
    virtual void update_activity_options(NamespacePtr space, RunRef run,
                                         history::UpdateActivityOptionsInput input,
                                         Reply<history::ActivityOptions> reply) = 0;
    virtual void reset_sticky(NamespacePtr space, RunRef run, Reply<history::None> reply) = 0;

    // Reads.
    virtual void get_history(NamespacePtr space, HistoryQuery query, CallScopePtr scope,
                             Reply<HistoryReply> reply) = 0;
    virtual void describe(NamespacePtr space, RunRef run,
                          Reply<service::DescribeWorkflowExecutionResponse> reply) = 0;
    virtual void query(NamespacePtr space, service::QueryWorkflowRequest request,
                       CallScopePtr scope, Reply<service::QueryWorkflowResponse> reply) = 0;
    /// The worker's answer to a direct query; NOT_FOUND when nobody waits for it any more.
    virtual void respond_query(NamespacePtr space, RunRef run, std::string query_id,
                               service::RespondQueryTaskCompletedRequest request,
                               Reply<history::None> reply) = 0;

    /// Ends and deletes runs of a namespace in the background. Replies with how many it still found;
    /// call it again until there are none.
    virtual void purge_namespace(std::string namespace_id, Reply<std::size_t> reply) = 0;

    /// Finds all work that the store holds (dispatch rows, alarms, outbox) and starts it. Call once,
    /// after matching has been connected with `connect`.
    virtual absl::Status recover() = 0;
    virtual void connect(DispatchSink& sink) = 0;
    /// Without it no operation is handled by a worker, and no worker gets commands. Call before
    /// `recover`; the sender must outlive the engine's work.
    virtual void connect_nexus(NexusSender& sender) = 0;
    /// Stops taking calls (they get UNAVAILABLE), answers every wait, lets `done` run when quiet.
    virtual void drain(absl::AnyInvocable<void()> done) = 0;

    /// For tests and simulation, where nothing else runs: how runs in memory differ from their rows
    /// in the store although the store has caught up. Empty when nothing differs.
    virtual std::vector<std::string> compare_with_store() { return {}; }
};

/// Finds the view of a namespace for work that no call started (alarms, outbox); null if unknown.
/// Thread safe.
class NamespaceSource {
public:
    virtual ~NamespaceSource() = default;
    virtual NamespacePtr by_id(const std::string& id) = 0;
    virtual NamespacePtr by_name(const std::string& name) = 0;
};

/// All arguments must outlive the engine.
std::unique_ptr<Engine> make_engine(env::Env& env, store::Store& store, store::Committer& committer,
                                    NamespaceSource& namespaces, EngineOptions options);

}  // namespace stele::shard
