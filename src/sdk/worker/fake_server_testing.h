#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sdk/core/history_testing.h"
#include "sdk/core/update_machine.h"
#include "sdk/data/convert.h"
#include "stele/runtime.h"
#include "stele/transport.h"
#include "temporal/api/worker/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::testing {

/// A server for one workflow, in memory: enough of the protocol to drive a worker without threads.
class FakeServer final : public Transport {
public:
    using Message = google::protobuf::Message;

    explicit FakeServer(std::shared_ptr<Runtime> runtime)
        : runtime_(std::move(runtime)), executor_(runtime_->make_executor()) {}

    /// Histories are handed out in pages of so many events.
    int page_events = 1'000;
    /// Every so manieth call is refused once as unavailable; 0 means none.
    int refuse_every = 0;
    int workflow_tasks = 0;
    int sticky_tasks = 0;
    /// The server's patience with callers that wait for an update: so many calls are answered before
    /// the update has come as far as asked for.
    int impatient_answers = 0;
    int update_calls = 0;
    /// Workflow tasks that ended with the wish for another one.
    int heartbeats = 0;
    /// Activities that went out with the answer to a completion.
    int eager_activities = 0;
    /// First tasks of workflows that went out with the answer to the start.
    int eager_starts = 0;
    bool brings_first_tasks = true;
    /// Of the task queue, as the last poll that said one has it.
    double activities_per_second = 0;
    /// What every reply with a workflow task advises about the number of polls; 0: nothing.
    int poll_advice = 0;
    /// How many polls for workflow tasks have been open at a time.
    int workflow_polls_max = 0;
    /// Whether workers may tell how they are, and what they told; the last one with their end.
    bool heartbeats_known = false;
    std::vector<temporal::api::worker::v1::WorkerHeartbeat> worker_heartbeats;
    /// What workers said about the tasks that they failed.
    std::vector<std::string> failed_tasks;

    std::shared_ptr<Call> call(std::string_view method, std::shared_ptr<const Message> request,
                               std::shared_ptr<Message> reply, const CallOptions&,
                               Callback done) override {
        const std::string name(method.substr(method.rfind('/') + 1));
        auto call = std::make_shared<Pending>(Pending{request, reply, std::move(done)});
        executor_->post([this, name, call] { dispatch(name, call); });
        return std::make_shared<Cancel>(*this, call);
    }

private:
    struct Pending {
        std::shared_ptr<const Message> request;
        std::shared_ptr<Message> reply;
        Callback done;
        void finish(const Status& status = {}) {
            if (const Callback callback = std::exchange(done, nullptr)) callback(status);
        }
    };
    using PendingPointer = std::shared_ptr<Pending>;

    class Cancel final : public Call {
    public:
        Cancel(FakeServer& server, PendingPointer call)
            : server_(&server), call_(std::move(call)) {}
        void cancel() override {
            server_->executor_->post([call = call_] { call->finish({1, "cancelled", {}}); });
        }

    private:
        FakeServer* server_;
        PendingPointer call_;
    };

    template <class M>
    static const M& request_of(const PendingPointer& call) {
        return static_cast<const M&>(*call->request);
    }
    template <class M>
    static M& reply_of(const PendingPointer& call) {
        return static_cast<M&>(*call->reply);
    }

    void dispatch(const std::string& name, const PendingPointer& call);
    void start(const PendingPointer& call);
    void record_worker(const PendingPointer& call);
    void poll_workflow_task(const PendingPointer& call);
    void poll_activity(const PendingPointer& call);
    void complete_workflow_task(const PendingPointer& call);
    void fail_workflow_task(const PendingPointer& call);
    void complete_activity(const PendingPointer& call);
    void read_history(const PendingPointer& call);
    void match();
    void give_workflow_task(const PendingPointer& call);
    void give_activity_task(const PendingPointer& call);
    void answer_waiting_readers();
    void update(const PendingPointer& call);
    void poll_update(const PendingPointer& call);
    void start_with_update(const PendingPointer& call);
    void admit(const temporal::api::update::v1::Request& request);
    void attach_updates(temporal::api::workflowservice::v1::PollWorkflowTaskQueueResponse& reply);
    std::vector<core::UpdateMessage> read_messages(
        const temporal::api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request);
    void answer_update_callers();
    PendingPointer take(std::list<PendingPointer>& polls, bool sticky_first);

    std::shared_ptr<Runtime> runtime_;
    std::shared_ptr<Executor> executor_;
    std::optional<core::testing::HistoryWriter> writer_;
    std::list<PendingPointer> workflow_polls_;
    std::list<PendingPointer> activity_polls_;
    std::list<PendingPointer> readers_;
    struct ActivityTask {
        std::int64_t scheduled;
        core::Command command;
    };
    void fill(temporal::api::workflowservice::v1::PollWorkflowTaskQueueResponse& reply);
    void fill(temporal::api::workflowservice::v1::PollActivityTaskQueueResponse& reply,
              const ActivityTask& task);
    std::deque<ActivityTask> activities_;
    std::list<std::unique_ptr<Runtime::Timer>> timers_;
    struct Update {
        temporal::api::update::v1::Request request;
        temporal::api::enums::v1::UpdateWorkflowExecutionLifecycleStage stage{};
        std::optional<temporal::api::update::v1::Outcome> outcome;
    };
    std::map<std::string, Update> updates_;
    /// Calls that wait for an update, and its id.
    std::list<std::pair<PendingPointer, std::string>> update_callers_;
    core::Command end_;
    bool task_due_ = false;
    bool task_running_ = false;
    std::string sticky_queue_;
    std::int64_t last_completed_ = 0;
    int calls_ = 0;
    std::string refused_;
};

}  // namespace stele::testing
