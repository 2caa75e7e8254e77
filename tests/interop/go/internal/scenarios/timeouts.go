package scenarios

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

// idle does nothing for a while; it may report one heartbeat first.
func idle(ctx context.Context, heartbeat string) error {
	if heartbeat != "" {
		activity.RecordHeartbeat(ctx, heartbeat)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Second):
		return nil
	}
}

func failAlways(context.Context) error { return errors.New("always fails") }

type activityPlan struct {
	Activity  string
	Heartbeat string
	Options   workflow.ActivityOptions
}

// activityWorkflow runs one activity as planned.
func activityWorkflow(ctx workflow.Context, plan activityPlan) error {
	ctx = workflow.WithActivityOptions(ctx, plan.Options)
	if plan.Activity == "failAlways" {
		return workflow.ExecuteActivity(ctx, failAlways).Get(ctx, nil)
	}
	return workflow.ExecuteActivity(ctx, idle, plan.Heartbeat).Get(ctx, nil)
}

// timeOut runs an activity that must time out and returns the timeout, after
// checking that it did not come early.
func timeOut(e *harness.Env, plan activityPlan, after time.Duration) *temporal.TimeoutError {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(activityWorkflow)
		w.RegisterActivity(idle)
		w.RegisterActivity(failAlways)
	})
	begin := time.Now()
	run := e.Start("timeout", activityWorkflow, plan)
	err := run.Get(e, nil)
	elapsed := time.Since(begin)
	harness.ErrorAs[*temporal.ActivityError](e, err, "timeout")
	e.True(elapsed > after && elapsed < after+10*time.Second, "the timeout comes on time, not after "+elapsed.String())
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
	return harness.ErrorAs[*temporal.TimeoutError](e, err, "timeout")
}

func scheduleToStartTimeout(e *harness.Env) {
	timeout := timeOut(e, activityPlan{Options: workflow.ActivityOptions{
		TaskQueue:              e.TaskQueue + "-nobody-polls",
		ScheduleToStartTimeout: time.Second,
		StartToCloseTimeout:    20 * time.Second,
	}}, time.Second)
	e.Equal(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, timeout.TimeoutType(), "timeout type")
}

func startToCloseTimeout(e *harness.Env) {
	timeout := timeOut(e, activityPlan{Options: workflow.ActivityOptions{
		StartToCloseTimeout: 500 * time.Millisecond,
		RetryPolicy:         quickRetry(2),
	}}, time.Second)
	e.Equal(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, timeout.TimeoutType(), "timeout type")
}

func scheduleToCloseTimeout(e *harness.Env) {
	timeout := timeOut(e, activityPlan{Options: workflow.ActivityOptions{
		ScheduleToCloseTimeout: time.Second,
	}}, time.Second)
	e.Equal(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, timeout.TimeoutType(), "timeout type")

	// An activity whose next retry would come too late fails as it failed last.
	err := e.Start("retries", activityWorkflow, activityPlan{
		Activity: "failAlways",
		Options: workflow.ActivityOptions{
			ScheduleToCloseTimeout: time.Second,
			RetryPolicy:            everySoOften(400 * time.Millisecond),
		},
	}).Get(e, nil)
	failed := harness.ErrorAs[*temporal.ActivityError](e, err, "no time for another retry")
	e.Equal(enumspb.RETRY_STATE_TIMEOUT, failed.RetryState(), "retry state")
	last := harness.ErrorAs[*temporal.ApplicationError](e, err, "no time for another retry")
	e.Equal("always fails", last.Message(), "last failure")
}

func everySoOften(interval time.Duration) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: interval, BackoffCoefficient: 1}
}

func heartbeatTimeout(e *harness.Env) {
	timeout := timeOut(e, activityPlan{Heartbeat: "last words", Options: workflow.ActivityOptions{
		StartToCloseTimeout: 20 * time.Second,
		HeartbeatTimeout:    time.Second,
		RetryPolicy:         quickRetry(1),
	}}, time.Second)
	e.Equal(enumspb.TIMEOUT_TYPE_HEARTBEAT, timeout.TimeoutType(), "timeout type")
	e.True(timeout.HasLastHeartbeatDetails(), "details of the last heartbeat")
	var details string
	e.Check(timeout.LastHeartbeatDetails(&details), "details of the last heartbeat")
	e.Equal("last words", details, "details of the last heartbeat")
}

func sleepWorkflow(ctx workflow.Context, duration time.Duration) error {
	return workflow.Sleep(ctx, duration)
}

func workflowTimeouts(e *harness.Env) {
	e.Worker(func(w worker.Registry) { w.RegisterWorkflow(sleepWorkflow) })
	run := e.Options("run")
	run.WorkflowRunTimeout = time.Second
	execution := e.Options("execution")
	execution.WorkflowExecutionTimeout = time.Second
	// Nobody polls this task queue: the workflow times out without having run.
	unserved := e.Options("unserved")
	unserved.TaskQueue += "-nobody-polls"
	unserved.WorkflowRunTimeout = time.Second
	// The execution timeout spans the retries that the run timeout leads to.
	retried := e.Options("retried")
	retried.WorkflowExecutionTimeout = 3 * time.Second
	retried.WorkflowRunTimeout = time.Second
	retried.RetryPolicy = everySoOften(100 * time.Millisecond)
	begin := time.Now()
	first := e.StartWith(run, sleepWorkflow, time.Minute)
	second := e.StartWith(execution, sleepWorkflow, time.Minute)
	third := e.StartWith(unserved, sleepWorkflow, time.Minute)
	fourth := e.StartWith(retried, sleepWorkflow, time.Minute)
	firstOfFourth := fourth.GetRunID()
	for _, started := range []struct {
		id, runID string
		err       error
	}{
		{first.GetID(), first.GetRunID(), first.Get(e, nil)},
		{second.GetID(), second.GetRunID(), second.Get(e, nil)},
		{third.GetID(), third.GetRunID(), third.Get(e, nil)},
		{fourth.GetID(), "", fourth.Get(e, nil)},
	} {
		timeout := harness.ErrorAs[*temporal.TimeoutError](e, started.err, started.id)
		e.Equal(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, timeout.TimeoutType(), "timeout type of "+started.id)
		e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, started.id, started.runID)
	}
	e.True(time.Since(begin) > 2500*time.Millisecond, "the retried workflow lasts longer than one run timeout")
	e.True(e.Describe(fourth.GetID(), "").WorkflowExecutionInfo.Execution.RunId != firstOfFourth,
		"the retried workflow has more than one run")
}
