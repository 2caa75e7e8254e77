package scenarios

import (
	"context"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

const longHistoryRounds = 10

// longHistoryWorkflow fills more than 2,000 events with side effects, timers,
// local activities and activities, then waits for a signal.
func longHistoryWorkflow(ctx workflow.Context) (int, error) {
	sum := 0
	err := workflow.SetQueryHandler(ctx, "sum", func() (int, error) { return sum, nil })
	if err != nil {
		return 0, err
	}
	ctx = withActivity(ctx)
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 20 * time.Second,
	})
	for range longHistoryRounds {
		if err := longHistoryRound(ctx, &sum); err != nil {
			return 0, err
		}
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return sum, nil
}

// longHistoryRound adds 4103 to the sum and more than 200 events to the
// history.
func longHistoryRound(ctx workflow.Context, sum *int) error {
	for range 130 {
		var one int
		if err := workflow.SideEffect(ctx, func(workflow.Context) any { return 1 }).Get(&one); err != nil {
			return err
		}
		*sum += one
	}
	var futures []workflow.Future
	for range 30 {
		futures = append(futures, workflow.NewTimer(ctx, 20*time.Millisecond))
	}
	for number := range 3 {
		futures = append(futures, workflow.ExecuteActivity(ctx, greet, number))
	}
	futures = append(futures, workflow.ExecuteLocalActivity(ctx, greet, -30))
	for i, future := range futures {
		var result int
		if i < 30 {
			if err := future.Get(ctx, nil); err != nil {
				return err
			}
		} else if err := future.Get(ctx, &result); err != nil {
			return err
		}
		*sum += result
	}
	return nil
}

func registerLongHistory(w worker.Registry) {
	w.RegisterWorkflow(longHistoryWorkflow)
	w.RegisterActivity(greet)
}

func historyWithColdCache(e *harness.Env) {
	stop := e.Worker(registerLongHistory)
	run := e.Start("long", longHistoryWorkflow)
	want := longHistoryRounds * (130 + 3*1000 + 3 + 1000 - 30)
	e.Eventually("all rounds are done", func() bool {
		return e.Describe(run.GetID(), "").WorkflowExecutionInfo.HistoryLength > 2000 &&
			harness.Query[int](e, run.GetID(), "sum") == want
	})
	stop()
	// The new process has nothing cached: it must read every page.
	e.WorkerProcess("long_history")
	e.Equal(want, harness.Query[int](e, run.GetID(), "sum"), "sum on another worker")
	e.Signal(run.GetID(), "finish", nil)
	e.Equal(want, harness.Result[int](e, run), "result")
	events := e.History(run.GetID(), run.GetRunID())
	e.True(len(events) > 2000, "a long history")
	e.HasEvents(run, 0, enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED)
}

// stuckActivity never returns in the process that is to be killed: only the
// worker of the parent process knows that it may finish.
func stuckActivity(mayFinish bool) func(context.Context) (int32, error) {
	return func(ctx context.Context) (int32, error) {
		for !mayFinish {
			activity.RecordHeartbeat(ctx)
			time.Sleep(100 * time.Millisecond)
		}
		return activity.GetInfo(ctx).Attempt, nil
	}
}

func survivorWorkflow(ctx workflow.Context) (int32, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		HeartbeatTimeout:    3 * time.Second,
		RetryPolicy:         quickRetry(3),
	})
	var attempt int32
	err := workflow.ExecuteActivity(ctx, "stuckActivity").Get(ctx, &attempt)
	return attempt, err
}

// stuckWorkflow runs a local activity, which keeps its workflow task in the
// hands of the worker.
func stuckWorkflow(ctx workflow.Context) (string, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 50 * time.Second,
		RetryPolicy:            quickRetry(1),
	})
	var result string
	err := workflow.ExecuteLocalActivity(ctx, "stuckLocally").Get(ctx, &result)
	return result, err
}

func registerSurvivor(w worker.Registry, mayFinish bool) {
	w.RegisterWorkflow(survivorWorkflow)
	w.RegisterActivityWithOptions(stuckActivity(mayFinish), activity.RegisterOptions{Name: "stuckActivity"})
}

func registerStuck(w worker.Registry, mayFinish bool) {
	w.RegisterWorkflow(stuckWorkflow)
	stuck := func(context.Context) (string, error) {
		if !mayFinish {
			select {}
		}
		return "finished by another", nil
	}
	w.RegisterActivityWithOptions(stuck, activity.RegisterOptions{Name: "stuckLocally"})
}

func registerStuckActivity(w worker.Registry) { registerSurvivor(w, false) }
func registerStuckWorkflow(w worker.Registry) { registerStuck(w, false) }

func workerKilledMidTask(e *harness.Env) {
	killedInActivity(e)
	killedInWorkflowTask(e)
}

func killedInActivity(e *harness.Env) {
	kill := e.WorkerProcess("stuck_activity")
	run := e.Start("activity", survivorWorkflow)
	e.Eventually("the activity is in progress", func() bool { return e.ActivityStarted(run.GetID()) })
	kill()
	stop := e.Worker(func(w worker.Registry) { registerSurvivor(w, true) })
	e.True(harness.Result[int32](e, run) > 1, "another worker finished a later attempt")
	stop()
}

func killedInWorkflowTask(e *harness.Env) {
	kill := e.WorkerProcess("stuck_workflows")
	options := e.Options("workflow-task")
	options.WorkflowTaskTimeout = 3 * time.Second
	run := e.StartWith(options, stuckWorkflow)
	e.Eventually("the workflow task is in progress", func() bool {
		task := e.Describe(run.GetID(), "").PendingWorkflowTask
		return task.GetState() == enumspb.PENDING_WORKFLOW_TASK_STATE_STARTED
	})
	kill()
	e.Worker(func(w worker.Registry) { registerStuck(w, true) })
	e.Equal("finished by another", harness.Result[string](e, run), "result")
	timedOut := e.EventsOf(run, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
	e.True(len(timedOut) > 0, "the task of the killed worker timed out")
}

func addOne(_ context.Context, number int) (int, error)   { return number + 1, nil }
func multiply(_ context.Context, number int) (int, error) { return number * 10, nil }

func beforePatch(w worker.Registry) { registerPatched(w, patchedBefore) }
func afterPatch(w worker.Registry)  { registerPatched(w, patchedAfter) }

func registerPatched(w worker.Registry, code any) {
	w.RegisterWorkflowWithOptions(code, workflow.RegisterOptions{Name: "patched"})
	w.RegisterActivity(addOne)
	w.RegisterActivity(multiply)
}

// patchedBefore is the workflow as it was first written.
func patchedBefore(ctx workflow.Context) (int, error) {
	var result int
	ctx = withActivity(ctx)
	if err := workflow.ExecuteActivity(ctx, addOne, 1).Get(ctx, &result); err != nil {
		return 0, err
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return result, nil
}

// patchedAfter is the same workflow with another activity for new runs.
func patchedAfter(ctx workflow.Context) (int, error) {
	var result int
	ctx = withActivity(ctx)
	version := workflow.GetVersion(ctx, "use-multiply", workflow.DefaultVersion, 1)
	activityFunction := addOne
	if version == 1 {
		activityFunction = multiply
	}
	if err := workflow.ExecuteActivity(ctx, activityFunction, 1).Get(ctx, &result); err != nil {
		return 0, err
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return result, nil
}

// unpatched changes the workflow without a version: old runs cannot continue.
func unpatched(ctx workflow.Context) (int, error) {
	var result int
	ctx = withActivity(ctx)
	err := workflow.ExecuteActivity(ctx, multiply, 1).Get(ctx, &result)
	return result, err
}

func patching(e *harness.Env) {
	stop := e.Worker(beforePatch)
	old := e.Start("old", "patched")
	e.Eventually("the old run is past its activity", func() bool {
		return len(e.EventsOf(old, enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)) == 1
	})
	stop()
	e.Worker(afterPatch)
	fresh := e.Start("new", "patched")
	e.Signal(old.GetID(), "finish", nil)
	e.Signal(fresh.GetID(), "finish", nil)
	e.Equal(2, harness.Result[int](e, old), "result of the run from before the patch")
	e.Equal(10, harness.Result[int](e, fresh), "result of the run from after the patch")

	oldEvents := e.History(old.GetID(), old.GetRunID())
	newEvents := e.History(fresh.GetID(), fresh.GetRunID())
	e.HasEvents(old, 0, enumspb.EVENT_TYPE_MARKER_RECORDED)
	e.HasEvents(fresh, 1, enumspb.EVENT_TYPE_MARKER_RECORDED)
	e.HasEvents(fresh, 1, enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
	e.Check(replay(oldEvents, patchedAfter), "replay of the old run on the new code")
	e.Check(replay(newEvents, patchedAfter), "replay of the new run on the new code")
	e.True(replay(oldEvents, unpatched) != nil, "the change without a version does not replay")
}

func replay(events []*historypb.HistoryEvent, code any) error {
	replayer := worker.NewWorkflowReplayer()
	replayer.RegisterWorkflowWithOptions(code, workflow.RegisterOptions{Name: "patched"})
	silent := sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	return replayer.ReplayWorkflowHistory(silent, &historypb.History{Events: events})
}
