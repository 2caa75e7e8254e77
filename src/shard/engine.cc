#include "shard/engine.h"

#include "base/probe.h"
#include "shard/backlog.h"
#include "shard/completion_pages.h"
#include "shard/control.h"
#include "shard/history_reads.h"
#include "shard/namespace_purge.h"
#include "shard/queries.h"
#include "shard/resets.h"
#include "shard/shard.h"
#include "shard/starts.h"
#include "shard/tasks.h"
#include "shard/updates.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <atomic>
#include <utility>
#include <vector>

// Finds the shard of a call, posts the call to its executor, and refuses at the door what can not
// be taken. What the call does stands in the part of the shard that it names.
namespace stele::shard {
namespace {

absl::Status busy() { return unavailable("the server is busy"); }

/// What was asked is done, and nobody is told.
template <typename T>
Reply<T> lose_answer(Reply<T> reply) {
    return [reply = std::move(reply)](const absl::StatusOr<T>&) mutable {
        reply(unavailable("the answer was lost"));
    };
}

class EngineImpl final : public Engine, private Router {
public:
    EngineImpl(env::Env& env, store::Store& store, store::Committer& committer,
               NamespaceSource& namespaces, EngineOptions options)
        : around_{env, store, committer, namespaces, options, this, &page_budget_} {
        for (int i = 0; i < options.shard_count; ++i) {
            const ShardId id(i);
            shards_.push_back(std::make_unique<Shard>(
                around_, id, store::slots_of_shard(id, options.shard_count)));
        }
    }

    /// Shards post to each other, so all of them stop before the first one goes.
    ~EngineImpl() override {
        for (const auto& shard : shards_) shard->executor().stop();
    }

    // ---- Starting and control ------------------------------------------------------------------

    void start_workflow(NamespacePtr space, service::StartWorkflowExecutionRequest request,
                        Reply<StartReply> reply) override {
        if (STELE_FAULT("engine.start-refused")) return reply(busy());
        if (STELE_FAULT("engine.start-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request)](Reply<StartReply> to) mutable {
                  shard.starts().start(space, std::move(request), std::move(to));
              });
    }

    void signal_with_start(NamespacePtr space,
                           service::SignalWithStartWorkflowExecutionRequest request,
                           Reply<StartReply> reply) override {
        Shard& shard = shard_of(*space, request.workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request)](Reply<StartReply> to) mutable {
                  shard.starts().signal_with_start(space, std::move(request), std::move(to));
              });
    }

    void signal(NamespacePtr space, service::SignalWorkflowExecutionRequest request,
                Reply<history::None> reply) override {
        if (STELE_FAULT("engine.signal-refused")) return reply(busy());
        if (STELE_FAULT("engine.signal-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.workflow_execution().workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request)](Reply<history::None> to) mutable {
                  control::signal(shard, space, std::move(request), std::move(to));
              });
    }

    void request_cancel(NamespacePtr space, service::RequestCancelWorkflowExecutionRequest request,
                        Reply<history::None> reply) override {
        if (STELE_FAULT("engine.cancel-refused")) return reply(busy());
        if (STELE_FAULT("engine.cancel-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.workflow_execution().workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request)](Reply<history::None> to) {
                  control::request_cancel(shard, space, request, std::move(to));
              });
    }

    void terminate(NamespacePtr space, service::TerminateWorkflowExecutionRequest request,
                   Reply<history::None> reply) override {
        if (STELE_FAULT("engine.terminate-refused")) return reply(busy());
        if (STELE_FAULT("engine.terminate-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.workflow_execution().workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request)](Reply<history::None> to) {
                  control::terminate(shard, space, request, std::move(to));
              });
    }

    void reset(NamespacePtr space, service::ResetWorkflowExecutionRequest request,
               Reply<service::ResetWorkflowExecutionResponse> reply) override {
        if (STELE_FAULT("engine.reset-refused")) return reply(busy());
        if (STELE_FAULT("engine.reset-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.workflow_execution().workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request)](
                  Reply<service::ResetWorkflowExecutionResponse> to) mutable {
                  control::reset(shard, space, std::move(request), std::move(to));
              });
    }

    void remove(NamespacePtr space, RunRef run, Reply<history::None> reply) override {
        if (STELE_FAULT("engine.delete-refused")) return reply(busy());
        if (STELE_FAULT("engine.delete-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, run.workflow_id);
        admit(shard, std::move(reply),
              [&shard, space = std::move(space), run = std::move(run)](Reply<history::None> to) {
                  control::remove(shard, space, run, std::move(to));
              });
    }

    void pause(NamespacePtr space, RunRef run, history::PauseInput input,
               Reply<history::None> reply) override {
        decide(
            std::move(space), std::move(run), std::move(reply),
            [input = std::move(input)](const history::Run& state, const history::Context& context) {
                return history::pause_workflow(state, input, context);
            });
    }

    void unpause(NamespacePtr space, RunRef run, history::PauseInput input,
                 Reply<history::None> reply) override {
        decide(
            std::move(space), std::move(run), std::move(reply),
            [input = std::move(input)](const history::Run& state, const history::Context& context) {
                return history::unpause_workflow(state, input, context);
            });
    }

    void update_options(NamespacePtr space, RunRef run, history::OptionsChange change,
                        Reply<history::WorkflowOptions> reply) override {
        decide(std::move(space), std::move(run), std::move(reply),
               [change = std::move(change)](const history::Run& state,
                                            const history::Context& context) {
                   return history::update_options(state, change, context);
               });
    }

    // ---- Updates -------------------------------------------------------------------------------

    void update_workflow(NamespacePtr space, service::UpdateWorkflowExecutionRequest request,
                         CallScopePtr scope, Reply<UpdateReply> reply) override {
        if (STELE_FAULT("engine.update-refused")) return reply(busy());
        if (STELE_FAULT("engine.update-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.workflow_execution().workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request),
               scope = std::move(scope)](Reply<UpdateReply> to) mutable {
                  shard.updates().update(space, request, std::move(scope), std::move(to));
              });
    }

    void poll_update(NamespacePtr space, service::PollWorkflowExecutionUpdateRequest request,
                     CallScopePtr scope, Reply<UpdateReply> reply) override {
        if (STELE_FAULT("engine.poll-update-refused")) return reply(busy());
        if (STELE_FAULT("engine.poll-update-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.update_ref().workflow_execution().workflow_id());
        enter(shard, std::move(reply),
              [&shard, space, request = std::move(request),
               scope = std::move(scope)](Reply<UpdateReply> to) mutable {
                  shard.updates().poll(space, request, std::move(scope), std::move(to));
              });
    }

    void update_with_start(NamespacePtr space, UpdateWithStartRequest request, CallScopePtr scope,
                           Reply<UpdateWithStartReply> reply) override {
        Shard& shard = shard_of(*space, request.start.workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request),
               scope = std::move(scope)](Reply<UpdateWithStartReply> to) mutable {
                  shard::update_with_start(shard, space, std::move(request), std::move(scope),
                                           std::move(to));
              });
    }

    // ---- Workers -------------------------------------------------------------------------------

    void complete_workflow_task(NamespacePtr space, RunRef run, history::WorkflowTaskToken token,
                                service::RespondWorkflowTaskCompletedRequest request,
                                Reply<CompletedTaskReply> reply) override {
        if (STELE_FAULT("engine.complete-task-refused")) return reply(busy());
        if (STELE_FAULT("engine.complete-task-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, run.workflow_id);
        admit(shard, std::move(reply),
              [&shard, space, run, token,
               request = std::move(request)](Reply<CompletedTaskReply> to) mutable {
                  shard.tasks().complete(space, run, token, std::move(request), std::move(to));
              });
    }

    void fail_workflow_task(NamespacePtr space, RunRef run, history::WorkflowTaskToken token,
                            service::RespondWorkflowTaskFailedRequest request,
                            Reply<history::None> reply) override {
        if (STELE_FAULT("engine.fail-task-refused")) return reply(busy());
        if (STELE_FAULT("engine.fail-task-unanswered")) reply = lose_answer(std::move(reply));
        decide(std::move(space), std::move(run), std::move(reply),
               [token, request = std::move(request)](const history::Run& state,
                                                     const history::Context& context) {
                   return history::fail_workflow_task(state, token, request, context);
               });
    }

    void heartbeat_activity(NamespacePtr space, RunRef run, history::ActivityToken token,
                            api::common::v1::Payloads details, std::string identity,
                            Reply<history::HeartbeatReply> reply) override {
        if (STELE_FAULT("engine.heartbeat-refused")) return reply(busy());
        if (STELE_FAULT("engine.heartbeat-unanswered")) reply = lose_answer(std::move(reply));
        decide(std::move(space), std::move(run), std::move(reply),
               [token, details = std::move(details), identity](const history::Run& state,
                                                               const history::Context& context) {
                   return history::record_heartbeat(state, token, details, identity, context);
               });
    }

    void complete_activity(NamespacePtr space, RunRef run, history::ActivityToken token,
                           api::common::v1::Payloads result, std::string identity,
                           Reply<history::None> reply) override {
        if (STELE_FAULT("engine.complete-activity-refused")) return reply(busy());
        if (STELE_FAULT("engine.complete-activity-unanswered"))
            reply = lose_answer(std::move(reply));
        decide(std::move(space), std::move(run), std::move(reply),
               [token, result = std::move(result), identity](const history::Run& state,
                                                             const history::Context& context) {
                   return history::complete_activity(state, token, result, identity, context);
               });
    }

    void fail_activity(NamespacePtr space, RunRef run, history::ActivityToken token,
                       api::failure::v1::Failure failure,
                       std::optional<api::common::v1::Payloads> last_heartbeat_details,
                       std::string identity, Reply<history::None> reply) override {
        if (STELE_FAULT("engine.fail-activity-refused")) return reply(busy());
        if (STELE_FAULT("engine.fail-activity-unanswered")) reply = lose_answer(std::move(reply));
        decide(std::move(space), std::move(run), std::move(reply),
               [token, failure = std::move(failure), details = std::move(last_heartbeat_details),
                identity](const history::Run& state, const history::Context& context) {
                   return history::fail_activity(state, token, failure, details, identity, context);
               });
    }

    void cancel_activity(NamespacePtr space, RunRef run, history::ActivityToken token,
                         api::common::v1::Payloads details, std::string identity,
                         Reply<history::None> reply) override {
        if (STELE_FAULT("engine.cancel-activity-refused")) return reply(busy());
        if (STELE_FAULT("engine.cancel-activity-unanswered")) reply = lose_answer(std::move(reply));
        decide(std::move(space), std::move(run), std::move(reply),
               [token, details = std::move(details), identity](const history::Run& state,
                                                               const history::Context& context) {
                   return history::cancel_activity(state, token, details, identity, context);
               });
    }

    void pause_activities(NamespacePtr space, RunRef run, history::PauseActivityInput input,
                          Reply<history::None> reply) override {
        if (STELE_FAULT("engine.pause-activities-refused")) return reply(busy());
        if (STELE_FAULT("engine.pause-activities-unanswered"))
            reply = lose_answer(std::move(reply));
        decide(
            std::move(space), std::move(run), std::move(reply),
            [input = std::move(input)](const history::Run& state, const history::Context& context) {
                return history::pause_activities(state, input, context);
            });
    }

    void unpause_activities(NamespacePtr space, RunRef run, history::UnpauseActivityInput input,
                            Reply<history::None> reply) override {
        if (STELE_FAULT("engine.unpause-activities-refused")) return reply(busy());
        if (STELE_FAULT("engine.unpause-activities-unanswered"))
            reply = lose_answer(std::move(reply));
        decide(
            std::move(space), std::move(run), std::move(reply),
            [input = std::move(input)](const history::Run& state, const history::Context& context) {
                return history::unpause_activities(state, input, context);
            });
    }

    void reset_activities(NamespacePtr space, RunRef run, history::ResetActivityInput input,
                          Reply<history::None> reply) override {
        if (STELE_FAULT("engine.reset-activities-refused")) return reply(busy());
        if (STELE_FAULT("engine.reset-activities-unanswered"))
            reply = lose_answer(std::move(reply));
        decide(
            std::move(space), std::move(run), std::move(reply),
            [input = std::move(input)](const history::Run& state, const history::Context& context) {
                return history::reset_activities(state, input, context);
            });
    }

    void update_activity_options(NamespacePtr space, RunRef run,
                                 history::UpdateActivityOptionsInput input,
                                 Reply<history::ActivityOptions> reply) override {
        if (STELE_FAULT("engine.activity-options-refused")) return reply(busy());
        if (STELE_FAULT("engine.activity-options-unanswered"))
            reply = lose_answer(std::move(reply));
        decide(
            std::move(space), std::move(run), std::move(reply),
            [input = std::move(input)](const history::Run& state, const history::Context& context) {
                return history::update_activity_options(state, input, context);
            });
    }

    void reset_sticky(NamespacePtr space, RunRef run, Reply<history::None> reply) override {
        decide(std::move(space), std::move(run), std::move(reply),
               [](const history::Run& state, const history::Context& context) {
                   return history::reset_sticky(state, context);
               });
    }

    // ---- Reads ---------------------------------------------------------------------------------

    void get_history(NamespacePtr space, HistoryQuery query, CallScopePtr scope,
                     Reply<HistoryReply> reply) override {
        if (STELE_FAULT("engine.history-refused")) return reply(busy());
        if (STELE_FAULT("engine.history-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, query.run.workflow_id);
        enter(shard, std::move(reply),
              [&shard, query = std::move(query),
               scope = std::move(scope)](Reply<HistoryReply> to) mutable {
                  shard.reads().get_history(std::move(query), std::move(scope), std::move(to));
              });
    }

    void describe(NamespacePtr space, RunRef run,
                  Reply<service::DescribeWorkflowExecutionResponse> reply) override {
        if (STELE_FAULT("engine.describe-refused")) return reply(busy());
        if (STELE_FAULT("engine.describe-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, run.workflow_id);
        enter(shard, std::move(reply),
              [&shard, run](Reply<service::DescribeWorkflowExecutionResponse> to) {
                  shard.reads().describe(run, std::move(to));
              });
    }

    void query(NamespacePtr space, service::QueryWorkflowRequest request, CallScopePtr scope,
               Reply<service::QueryWorkflowResponse> reply) override {
        if (STELE_FAULT("engine.query-refused")) return reply(busy());
        if (STELE_FAULT("engine.query-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.execution().workflow_id());
        enter(shard, std::move(reply),
              [&shard, space, request = std::move(request),
               scope = std::move(scope)](Reply<service::QueryWorkflowResponse> to) mutable {
                  shard.queries().query(space, std::move(request), std::move(scope), std::move(to));
              });
    }

    void respond_query(NamespacePtr space, RunRef run, std::string query_id,
                       service::RespondQueryTaskCompletedRequest request,
                       Reply<history::None> reply) override {
        if (STELE_FAULT("engine.respond-query-refused")) return reply(busy());
        if (STELE_FAULT("engine.respond-query-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, run.workflow_id);
        enter(
            shard, std::move(reply),
            [&shard, run, query_id, request = std::move(request)](Reply<history::None> to) mutable {
                shard.queries().respond(run, query_id, std::move(request), std::move(to));
            });
    }

    // ---- Matching ------------------------------------------------------------------------------

    void start_workflow_task(const TaskOffer& offer, history::StartWorkflowTaskInput input,
                             Reply<PolledWorkflowTask> reply) override {
        Shard& shard = shard_of(offer.slot);
        enter(shard, std::move(reply),
              [&shard, offer, input = std::move(input)](Reply<PolledWorkflowTask> to) mutable {
                  shard.tasks().start_workflow_task(offer, std::move(input), std::move(to));
              });
    }

    void start_activity(const TaskOffer& offer, history::StartActivityInput input,
                        Reply<PolledActivityTask> reply) override {
        Shard& shard = shard_of(offer.slot);
        enter(shard, std::move(reply),
              [&shard, offer, input = std::move(input)](Reply<PolledActivityTask> to) mutable {
                  shard.tasks().start_activity(offer, std::move(input), std::move(to));
              });
    }

    void start_query(const QueryOffer& offer, Reply<PolledWorkflowTask> reply) override {
        if (STELE_FAULT("engine.start-query-refused")) return reply(busy());
        if (STELE_FAULT("engine.start-query-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(store::slot_of(offer.run.namespace_id, offer.run.workflow_id));
        enter(shard, std::move(reply), [&shard, offer](Reply<PolledWorkflowTask> to) {
            shard.queries().start(offer, std::move(to));
        });
    }

    void give_up_sticky(const TaskOffer& offer) override {
        Shard& shard = shard_of(offer.slot);
        shard.executor().post([&shard, offer] { shard.tasks().give_up_sticky(offer); });
    }

    void return_task(const PolledWorkflowTask& task) override {
        if (task.direct_query) return;  // its wait ends by itself
        Shard& shard = shard_of(store::slot_of(task.run.namespace_id, task.run.workflow_id));
        shard.executor().post([&shard, run = task.run, token = task.task.token] {
            shard.tasks().take_back(run, token);
        });
    }

    void return_task(const PolledActivityTask& task) override {
        Shard& shard = shard_of(store::slot_of(task.run.namespace_id, task.run.workflow_id));
        shard.executor().post([&shard, run = task.run, token = task.activity.token] {
            shard.tasks().take_back(run, token);
        });
    }

    void refill(const QueueId& queue) override {
        for (const auto& shard : shards_) {
            shard->executor().post([&shard, queue] { shard->backlog().refill(queue); });
        }
    }

    void purge_namespace(std::string namespace_id, Reply<std::size_t> reply) override {
        struct Purge {
            std::atomic<std::size_t> left;
            std::atomic<std::size_t> runs = 0;
            Reply<std::size_t> reply;
        };
        auto purge = std::make_shared<Purge>();
        purge->left = shards_.size();
        purge->reply = std::move(reply);
        for (const auto& shard : shards_) {
            shard->executor().post([&shard, namespace_id, purge] {
                // Runs that are on their way to the store would be missed.
                shard->when_readable([&shard, namespace_id, purge] {
                    if (!shard->draining()) purge->runs += purge_runs(*shard, namespace_id);
                    if (--purge->left == 0) purge->reply(purge->runs.load());
                });
            });
        }
    }

    void count_backlog(const QueueId& queue, Reply<QueueBacklog> reply) override {
        add_backlog_from(0, queue, {}, std::move(reply));
    }

    // ---- Life cycle ----------------------------------------------------------------------------

    void connect(DispatchSink& sink) override { around_.sink = &sink; }
    void connect_nexus(NexusSender& sender) override { around_.nexus = &sender; }

    absl::Status recover() override {
        STELE_CHECK(around_.sink != nullptr, "the engine recovers before it is connected");
        // Nothing runs on the shards yet, so their state may be touched from here.
        for (const auto& shard : shards_) STELE_RETURN_IF_ERROR(shard->recover());
        for (const auto& shard : shards_) {
            shard->executor().post([&shard] { shard->begin(); });
        }
        return absl::OkStatus();
    }

    void drain(absl::AnyInvocable<void()> done) override {
        struct Draining {
            std::atomic<std::size_t> left;
            absl::AnyInvocable<void()> done;
        };
        auto draining = std::make_shared<Draining>();
        draining->left = shards_.size();
        draining->done = std::move(done);
        for (const auto& shard : shards_) {
            shard->executor().post([&shard, draining] {
                shard->drain();
                // Replies that wait for a position leave in order: behind them all is quiet.
                shard->around().committer.when_durable(shard->last_submitted(), shard->executor(),
                                                       [draining] {
                                                           if (--draining->left == 0)
                                                               draining->done();
                                                       });
            });
        }
    }

    std::vector<std::string> compare_with_store() override {
        std::vector<std::string> found;
        for (const auto& shard : shards_) shard->compare_with_store(found);
        return found;
    }

private:
    Shard& shard_of(Slot slot) {
        const ShardId id = store::shard_of_slot(slot, around_.options.shard_count);
        return *shards_[static_cast<std::size_t>(id.value())];
    }
    Shard& shard_of(const NamespaceView& space, const std::string& workflow_id) {
        return shard_of(store::slot_of(space.id, workflow_id));
    }

    /// Posts a call to its shard, which takes it unless it is stopping.
    template <typename T, typename Work>
    void enter(Shard& shard, Reply<T> reply, Work work) {
        shard.executor().post([&shard, reply = std::move(reply), work = std::move(work)]() mutable {
            if (shard.draining()) return reply(unavailable("the server is shutting down"));
            work(std::move(reply));
        });
    }
    /// The same for calls that bring new work: refused while too much waits to be written.
    template <typename T, typename Work>
    void admit(Shard& shard, Reply<T> reply, Work work) {
        const absl::Status status = check_load();
        if (!status.ok()) return reply(status);
        enter(shard, std::move(reply), std::move(work));
    }

    /// Adds the counts of one shard after the other, each on its own executor.
    void add_backlog_from(std::size_t shard, QueueId queue, QueueBacklog sum,
                          Reply<QueueBacklog> reply) {
        if (shard == shards_.size()) return reply(std::move(sum));
        shards_[shard]->executor().post([this, shard, queue = std::move(queue),
                                         sum = std::move(sum), reply = std::move(reply)]() mutable {
            for (const auto& [priority, count] : shards_[shard]->backlog().by_priority(queue)) {
                sum[priority] += count;
            }
            add_backlog_from(shard + 1, std::move(queue), std::move(sum), std::move(reply));
        });
    }

    absl::Status check_load() {
        if (around_.committer.pending_bytes() <= around_.options.pending_commit_bytes) {
            return absl::OkStatus();
        }
        api::errordetails::v1::ResourceExhaustedFailure detail;
        detail.set_cause(api::enums::v1::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
        detail.set_scope(api::enums::v1::RESOURCE_EXHAUSTED_SCOPE_SYSTEM);
        return make_error(absl::StatusCode::kResourceExhausted,
                          "more is waiting to be written than the server may hold", detail);
    }

    /// For commands that one function of the pure core decides.
    template <typename T, typename Decide>
    void decide(NamespacePtr space, RunRef run, Reply<T> reply, Decide command) {
        Shard& shard = shard_of(*space, run.workflow_id);
        admit(shard, std::move(reply),
              [&shard, space = std::move(space), run = std::move(run),
               command = std::move(command)](Reply<T> to) {
                  const absl::StatusOr<LoadedRun*> loaded = shard.find(run);
                  if (!loaded.ok()) return to(loaded.status());
                  const CommandContext context = shard.context_for(space);
                  shard.conclude<T>(**loaded, command(*(*loaded)->run, context.context),
                                    std::move(to));
              });
    }

    void deliver(Delivery delivery, Reply<history::None> reply) override {
        if (STELE_FAULT("engine.deliver-refused")) return reply(busy());
        if (STELE_FAULT("engine.deliver-unanswered")) reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*delivery.space, delivery.target.workflow_id);
        admit(shard, std::move(reply),
              [&shard, delivery = std::move(delivery)](Reply<history::None> to) {
                  control::receive(shard, delivery, std::move(to));
              });
    }

    void deliver_signal_with_start(NamespacePtr space,
                                   service::SignalWithStartWorkflowExecutionRequest request,
                                   std::string new_run_id, Reply<StartReply> reply) override {
        if (STELE_FAULT("engine.deliver-signal-with-start-refused")) return reply(busy());
        if (STELE_FAULT("engine.deliver-signal-with-start-unanswered"))
            reply = lose_answer(std::move(reply));
        Shard& shard = shard_of(*space, request.workflow_id());
        admit(shard, std::move(reply),
              [&shard, space, request = std::move(request),
               run_id = std::move(new_run_id)](Reply<StartReply> to) mutable {
                  shard.starts().signal_with_start_once(space, std::move(request),
                                                        std::move(run_id), std::move(to));
              });
    }

    PageBudget page_budget_;
    Surroundings around_;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace

std::unique_ptr<Engine> make_engine(env::Env& env, store::Store& store, store::Committer& committer,
                                    NamespaceSource& namespaces, EngineOptions options) {
    return std::make_unique<EngineImpl>(env, store, committer, namespaces, options);
}

}  // namespace stele::shard
