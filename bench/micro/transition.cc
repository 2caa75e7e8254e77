#include "history/commands.h"

#include <benchmark/benchmark.h>

#include <cstdlib>

// What the pure core takes for a workflow: its transitions one after the other, from the start of a run with
// activities to its close, as a shard makes and applies them. Nothing is written, and no event is kept.
namespace stele::history {
namespace {

template <typename T>
T must(absl::StatusOr<T> result) {
    if (!result.ok()) std::abort();
    return *std::move(result);
}

api::command::v1::Command schedule_activity(std::int64_t number) {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.set_activity_id(std::to_string(number));
    attributes.mutable_activity_type()->set_name("activity");
    attributes.mutable_task_queue()->set_name("queue");
    attributes.mutable_input()->add_payloads()->set_data("input");
    attributes.mutable_start_to_close_timeout()->set_seconds(10);
    return command;
}

api::command::v1::Command complete_workflow() {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes()
        ->mutable_result()
        ->add_payloads()
        ->set_data("result");
    return command;
}

/// One run in memory, and the worker that drives it.
class Life {
public:
    explicit Life(const Limits& limits) {
        context_.now = Timestamp(std::chrono::hours(480'000));
        context_.limits = &limits;
        context_.new_id = [] { return std::string("00000000-0000-4000-8000-000000000000"); };
        context_.uniform = [] { return 0.5; };
    }

    void live(std::int64_t activities) {
        start();
        for (std::int64_t number = 1; number <= activities; ++number) {
            run_task(schedule_activity(number));
            run_activity();
        }
        run_task(complete_workflow());
        if (run_->is_open()) std::abort();
    }

private:
    void start() {
        StartInput input;
        input.namespace_id = "00000000-0000-4000-8000-000000000001";
        input.namespace_name = "default";
        input.run_id = "00000000-0000-4000-8000-000000000002";
        input.run_key = RunKey(1);
        input.request.set_namespace_("default");
        input.request.set_workflow_id("workflow-id");
        input.request.mutable_workflow_type()->set_name("type");
        input.request.mutable_task_queue()->set_name("queue");
        input.request.set_request_id("00000000-0000-4000-8000-000000000003");
        NewRun made = must(start_workflow(std::move(input), context_));
        run_ = std::move(made.run);
        take(*made.transition);
    }

    template <typename Reply>
    Reply take(absl::StatusOr<Applied<Reply>> made) {
        Applied<Reply> applied = must(std::move(made));
        take(applied.transition);
        return std::move(applied.reply);
    }
    void take(Transition& transition) {
        if (!transition.dispatch.empty()) offered_ = transition.dispatch.front().row;
        benchmark::DoNotOptimize(transition.events);
        apply(*run_, transition);
    }

    void run_task(api::command::v1::Command command) {
        StartWorkflowTaskInput input;
        input.scheduled = EventId(offered_.scheduled_event_id());
        input.stamp = offered_.stamp();
        input.request_id = "poll";
        input.identity = "worker";
        input.task_queue = "queue";
        const StartedWorkflowTask started = take(start_workflow_task(*run_, input, context_));
        service::RespondWorkflowTaskCompletedRequest request;
        request.set_identity("worker");
        *request.add_commands() = std::move(command);
        take(complete_workflow_task(*run_, started.token, request, context_));
    }

    void run_activity() {
        StartActivityInput input;
        input.scheduled = EventId(offered_.scheduled_event_id());
        input.stamp = offered_.stamp();
        input.request_id = "poll";
        input.identity = "worker";
        const StartedActivity started = take(start_activity(*run_, input, context_));
        take(complete_activity(*run_, started.token, {}, "worker", context_));
    }

    Context context_;
    std::unique_ptr<Run> run_;
    storage::DispatchRow offered_;
};

void transitions_of_a_workflow(benchmark::State& state) {
    const Limits limits;
    for (auto _ : state) Life(limits).live(state.range(0));
    // A start, a start and an end of each task, a start and an end of each activity.
    const std::int64_t transitions = 1 + 2 * (state.range(0) + 1) + 2 * state.range(0);
    state.SetItemsProcessed(state.iterations() * transitions);
}
BENCHMARK(transitions_of_a_workflow)->ArgName("activities")->Arg(0)->Arg(1)->Arg(10)->Arg(100);

}  // namespace
}  // namespace stele::history
