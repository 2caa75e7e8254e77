#include "history/invariants_testing.h"
#include "history/scenario_testing.h"
#include "history/update.h"

#include <gtest/gtest.h>

#include <random>

// Random sequences of everything that can happen to a run, valid or not. After every step the rows
// agree with the events, what was written agrees with what is in memory, and what was refused has
// left no trace.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using api::command::v1::Command;
using api::history::v1::History;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The rows of one run as a store would hold them: written from the changes of transitions only.
class StoredRows {
public:
    void write(const Draft& draft) {
        if (draft.info) info_ = draft.info->SerializeAsString();
        header_ = draft.header.SerializeAsString();
        if (draft.attributes) attributes_ = draft.attributes->SerializeAsString();
        write("activity", draft.activities);
        write("timer", draft.timers);
        write("signal", draft.external_signals);
        write("cancel", draft.external_cancels);
        write("nexus operation", draft.nexus_operations);
        write("buffered", draft.buffered);
        write("request", draft.request_ids);
        write("update", draft.updates);
    }

    std::unique_ptr<Run> load() const {
        auto run = std::make_unique<Run>();
        EXPECT_TRUE(run->info.ParseFromString(info_));
        EXPECT_TRUE(run->header.ParseFromString(header_));
        EXPECT_TRUE(run->attributes.ParseFromString(attributes_));
        load("activity", run->activities);
        load("timer", run->timers);
        load("signal", run->external_signals);
        load("cancel", run->external_cancels);
        load("nexus operation", run->nexus_operations);
        load("buffered", run->buffered);
        load("request", run->request_ids);
        load("update", run->updates);
        return run;
    }

private:
    template <typename Row>
    void write(const std::string& kind, const TableDraft<Row>& rows) {
        for (const auto& [id, row] : rows.changes()) {
            if (row) {
                rows_[kind][id] = row->SerializeAsString();
            } else {
                rows_[kind].erase(id);
            }
        }
    }
    template <typename Row>
    void load(const std::string& kind, Table<Row>& table) const {
        const auto found = rows_.find(kind);
        if (found == rows_.end()) return;
        for (const auto& [id, bytes] : found->second) {
            Row row;
            EXPECT_TRUE(row.ParseFromString(bytes));
            table.put(id, std::move(row));
        }
    }

    std::string info_, header_, attributes_;
    std::map<std::string, std::map<ItemId, std::string>> rows_;
};

class RandomRun {
public:
    explicit RandomRun(std::uint64_t seed) : random_(seed) {}

    void play(int steps) {
        begin();
        for (int i = 0; i < steps && run_->is_open(); ++i) {
            step();
            check();
            if (::testing::Test::HasFatalFailure()) return;
        }
    }
    std::int64_t events() const { return history_.events_size(); }
    std::int64_t refusals() const { return refusals_; }

private:
    std::int64_t below(std::int64_t limit) {
        return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random_);
    }
    bool chance(int percent) { return below(100) < percent; }

    Context context() {
        Context context;
        context.now = now_;
        context.limits = &limits_;
        context.new_id = [this] { return "id-" + std::to_string(++ids_); };
        context.uniform = [this] { return static_cast<double>(below(1000)) / 1000; };
        return context;
    }

    void begin() {
        limits_.buffered_events = 12;
        limits_.history_events = 800;
        StartInput input;
        input.run_id = "run";
        input.request.set_workflow_id("workflow");
        input.request.mutable_task_queue()->set_name("queue");
        input.request.set_request_id("start");
        if (chance(20)) *input.request.mutable_workflow_start_delay() = to_proto(seconds(2));
        if (chance(20)) *input.request.mutable_workflow_run_timeout() = to_proto(seconds(200));
        auto made = start_workflow(std::move(input), context());
        ASSERT_TRUE(made.ok());
        run_ = std::move(made->run);
        take(*made->transition);
    }

    void take(Transition& transition) {
        if (transition.empty) return;
        ASSERT_LE(transition.events.size(), 1U);
        for (const EventBatch& batch : transition.events) {
            History events;
            ASSERT_TRUE(events.ParseFromString(batch.bytes));
            for (const HistoryEvent& event : events.events()) *history_.add_events() = event;
        }
        for (const DispatchRef& done : transition.dispatch_done) {
            ASSERT_EQ(queued_.erase(done.sequence), 1U) << "withdrew what is not queued";
        }
        const bool closed = transition.closed;
        alarm_ = transition.alarm;
        ahead_of_rows_ = transition.in_memory;
        if (!transition.in_memory) {
            for (const DispatchTask& task : transition.dispatch) {
                queued_.emplace(task.sequence, task);
            }
            stored_.write(transition.draft);
        }
        apply(*run_, transition);
        ASSERT_EQ(closed, !run_->is_open());
    }

    /// Applies what was permitted; checks that what was refused changed nothing.
    template <typename Reply>
    std::optional<Reply> settle(absl::StatusOr<Applied<Reply>> applied) {
        if (!applied.ok()) {
            ++refusals_;
            return std::nullopt;
        }
        take(applied->transition);
        return std::move(applied->reply);
    }

    void check() {
        testing::check_history(history_);
        testing::check_rows_against_history(*run_, history_);
        if (!ahead_of_rows_) {
            ASSERT_EQ(testing::rows_text(*run_), testing::rows_text(*stored_.load()));
        }
        const storage::WorkflowTask& task = run_->header.task();
        const bool waiting = task.kind() != storage::TASK_KIND_NONE && task.started_event_id() == 0;
        ASSERT_EQ(waiting, task.dispatch_sequence() != 0) << task.DebugString();
        const bool has_row = waiting && !run_->has_speculative_task();
        ASSERT_EQ(queued_.size(), has_row ? 1U : 0U);
        ASSERT_EQ(has_row, queued_.contains(task.dispatch_sequence()));
        ASSERT_EQ(alarm_, earliest_deadline(Draft(*run_)));
    }

    void step() {
        switch (below(12)) {
            case 10:
            case 11: return update();
            case 0:
            case 1: return start_task();
            case 2:
            case 3: return answer_task();
            case 4: return fail_task();
            case 5: return signal();
            case 6: return use_old_token();
            case 7: return give_up();
            default: return let_time_pass();
        }
    }

    void start_task() {
        StartWorkflowTaskInput input;
        input.scheduled = EventId(run_->header.task().scheduled_event_id());
        input.stamp = run_->header.task().stamp() - (chance(10) ? 1 : 0);
        input.task_queue = chance(10) ? "queue" : run_->header.task().task_queue();
        input.request_id = "poll-" + std::to_string(++ids_);
        const auto started = settle(start_workflow_task(*run_, input, context()));
        if (started) tokens_.push_back(started->token);
    }

    void answer_task() {
        if (tokens_.empty()) return;
        service::RespondWorkflowTaskCompletedRequest request;
        for (std::int64_t i = below(4); i > 0; --i) *request.add_commands() = random_command();
        if (chance(50)) {
            auto& sticky = *request.mutable_sticky_attributes();
            sticky.mutable_worker_task_queue()->set_name("sticky");
            *sticky.mutable_schedule_to_start_timeout() = to_proto(seconds(5));
        }
        request.set_force_create_new_workflow_task(chance(20));
        request.set_return_new_workflow_task(chance(40));
        request.mutable_capabilities()->set_discard_speculative_workflow_task_with_events(
            chance(50));
        answer_updates(request);
        const auto reply =
            settle(complete_workflow_task(*run_, tokens_.back(), request, context()));
        if (reply && reply->next) tokens_.push_back(reply->next->token);
        if (!reply || !reply->speculative_next) return;
        const auto next = settle(start_next_speculative_task(*run_, "worker", context()));
        ASSERT_TRUE(next.has_value());
        tokens_.push_back(next->token);
    }

    void update() {
        api::update::v1::Request request;
        request.mutable_meta()->set_update_id("u" + std::to_string(below(60)));
        settle(admit_update(*run_, request, context()));
    }

    template <typename Body>
    void say(service::RespondWorkflowTaskCompletedRequest& request, const std::string& update_id,
             const Body& body) {
        auto& message = *request.add_messages();
        message.set_id(std::to_string(++ids_));
        message.set_protocol_instance_id(update_id);
        message.mutable_body()->PackFrom(body);
    }

    /// Some are accepted, rejected or completed, some are passed over, now and then one twice.
    void answer_updates(service::RespondWorkflowTaskCompletedRequest& request) {
        api::update::v1::Acceptance accept;
        accept.set_accepted_request_message_id("m");
        accept.set_accepted_request_sequencing_event_id(1);
        for (const auto& [id, pending] : run_->pending_updates.rows()) {
            if (chance(30)) {
                say(request, pending.update_id, api::update::v1::Rejection());
            } else if (chance(60)) {
                say(request, pending.update_id, accept);
                if (chance(5)) say(request, pending.update_id, accept);
                if (chance(50)) complete_update(request, pending.update_id);
            }
        }
        for (const auto& [id, row] : run_->updates.rows()) {
            if (row.completed_event_id() == 0 && chance(30)) {
                complete_update(request, row.update_id());
            }
        }
    }

    void complete_update(service::RespondWorkflowTaskCompletedRequest& request,
                         const std::string& update_id) {
        api::update::v1::Response response;
        response.mutable_meta()->set_update_id(update_id);
        response.mutable_outcome()->mutable_success();
        say(request, update_id, response);
    }

    void fail_task() {
        if (tokens_.empty()) return;
        settle(fail_workflow_task(*run_, tokens_.back(), {}, context()));
    }

    void signal() {
        SignalInput input;
        input.name = "s";
        input.request_id = "r" + std::to_string(below(200));
        settle(signal_workflow(*run_, input, context()));
    }

    void use_old_token() {
        if (tokens_.size() < 2) return;
        const WorkflowTaskToken& old = tokens_[tokens_.size() - 2];
        EXPECT_FALSE(complete_workflow_task(*run_, old, {}, context()).ok());
    }

    void give_up() {
        settle(give_up_sticky(*run_, EventId(run_->header.task().scheduled_event_id()),
                              run_->header.task().stamp(), context()));
    }

    void let_time_pass() {
        now_ += milliseconds(below(4000));
        if (alarm_ > now_) return;
        settle(fire_due(*run_, context()));
        ASSERT_GT(alarm_, now_);
    }

    Command random_command() {
        const std::string name = "t" + std::to_string(below(6));
        switch (below(20)) {
            case 0: return testing::complete_workflow();
            case 1: return testing::start_timer("", seconds(1));
            case 2: return testing::start_timer(name, seconds(-1));
            case 3: return Command();
            case 4:
            case 5:
            case 6: {
                Command command;
                command.set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
                command.mutable_cancel_timer_command_attributes()->set_timer_id(name);
                return command;
            }
            case 7:
            case 8:
            case 9: return marker();
            case 10:
            case 11: return memo(name);
            default: return testing::start_timer(name, milliseconds(below(5000)));
        }
    }

    Command marker() {
        Command command;
        command.set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
        command.mutable_record_marker_command_attributes()->set_marker_name("m");
        return command;
    }

    Command memo(const std::string& name) {
        Command command;
        command.set_command_type(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES);
        auto& fields = *command.mutable_modify_workflow_properties_command_attributes()
                            ->mutable_upserted_memo()
                            ->mutable_fields();
        fields[name].set_data(chance(50) ? "null" : "1");
        return command;
    }

    std::mt19937_64 random_;
    Timestamp now_{std::chrono::hours(480'000)};
    Limits limits_;
    std::unique_ptr<Run> run_;
    History history_;
    StoredRows stored_;
    std::map<std::int64_t, DispatchTask> queued_;
    std::vector<WorkflowTaskToken> tokens_;
    Timestamp alarm_ = kNever;
    bool ahead_of_rows_ = false;  // something stays in memory that no row tells of
    std::int64_t ids_ = 0;
    std::int64_t refusals_ = 0;
};

TEST(RandomRuns, KeepTheInvariantsAfterEveryStep) {
    std::int64_t events = 0;
    std::int64_t refusals = 0;
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomRun run(seed);
        run.play(120);
        if (::testing::Test::HasFailure()) return;
        events += run.events();
        refusals += run.refusals();
    }
    // The sequences are worth something only if much happens in them and much is refused.
    EXPECT_GT(events, 2'000);
    EXPECT_GT(refusals, 500);
}

}  // namespace
}  // namespace stele::history
