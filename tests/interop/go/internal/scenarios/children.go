package scenarios

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

// withChild is a context for a child with the id.
func withChild(ctx workflow.Context, id string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          id,
		WaitForCancellation: true,
	})
}

func squareWorkflow(_ workflow.Context, number int) (int, error) { return number * number, nil }

// squaresWorkflow runs as many children as it is told to, all at once, and
// adds up what they give.
func squaresWorkflow(ctx workflow.Context, count int) (int, error) {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	var children []workflow.ChildWorkflowFuture
	for i := 1; i <= count; i++ {
		child := withChild(ctx, fmt.Sprintf("%s-%d", id, i))
		children = append(children, workflow.ExecuteChildWorkflow(child, squareWorkflow, i))
	}
	sum := 0
	for _, child := range children {
		var square int
		if err := child.Get(ctx, &square); err != nil {
			return 0, err
		}
		sum += square
	}
	return sum, nil
}

func registerSquares(w worker.Registry) {
	w.RegisterWorkflow(squareWorkflow)
	w.RegisterWorkflow(squaresWorkflow)
}

func childResult(e *harness.Env) {
	e.Worker(registerSquares)
	run := e.Start("squares", squaresWorkflow, 1)
	e.Equal(1, harness.Result[int](e, run), "result of the child")
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
	child := e.Describe(e.ID("squares")+"-1", "").WorkflowExecutionInfo
	e.Equal(run.GetID(), child.ParentExecution.GetWorkflowId(), "parent of the child")
	e.Equal(run.GetRunID(), child.RootExecution.GetRunId(), "root of the child")
}

func childFanOut(e *harness.Env) {
	e.Worker(registerSquares)
	run := e.Start("squares", squaresWorkflow, 50)
	e.Equal(42925, harness.Result[int](e, run), "sum of 50 squares")
	e.HasEvents(run, 50, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
}

func sleeperWorkflow(ctx workflow.Context) error { return workflow.Sleep(ctx, time.Hour) }

func waitForSleeperWorkflow(ctx workflow.Context, id string) error {
	return workflow.ExecuteChildWorkflow(withChild(ctx, id), sleeperWorkflow).Get(ctx, nil)
}

func childCancel(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(sleeperWorkflow)
		w.RegisterWorkflow(waitForSleeperWorkflow)
	})
	id := e.ID("sleeper")
	run := e.Start("waiter", waitForSleeperWorkflow, id)
	e.Eventually("the child runs", func() bool {
		return len(e.EventsOf(run, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)) == 1
	})
	e.Check(e.Client.CancelWorkflow(e, run.GetID(), ""), "cancel the parent")
	err := run.Get(e, nil)
	harness.ErrorAs[*temporal.CanceledError](e, err, "end of the parent")
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED)
	e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, id, "")
}

// policiesWorkflow ends while three children, one for each policy, go on.
func policiesWorkflow(ctx workflow.Context) error {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	for name, policy := range parentClosePolicies {
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:        id + "-" + name,
			ParentClosePolicy: policy,
		})
		future := workflow.ExecuteChildWorkflow(child, sleeperWorkflow)
		if err := future.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

var parentClosePolicies = map[string]enumspb.ParentClosePolicy{
	"terminated": enumspb.PARENT_CLOSE_POLICY_TERMINATE,
	"cancelled":  enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
	"abandoned":  enumspb.PARENT_CLOSE_POLICY_ABANDON,
}

func childClosePolicies(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(sleeperWorkflow)
		w.RegisterWorkflow(policiesWorkflow)
	})
	run := e.Start("parent", policiesWorkflow)
	harness.Result[any](e, run)
	for name, want := range map[string]enumspb.WorkflowExecutionStatus{
		"terminated": enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED,
		"cancelled":  enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED,
	} {
		e.Eventually("the child is "+name, func() bool {
			return e.Describe(run.GetID()+"-"+name, "").WorkflowExecutionInfo.Status == want
		})
	}
	abandoned := run.GetID() + "-abandoned"
	e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, abandoned, "")
	e.Check(e.Client.TerminateWorkflow(e, abandoned, "", "the scenario is over"), "terminate")
}

func failTwiceWorkflow(ctx workflow.Context) (int32, error) {
	attempt := workflow.GetInfo(ctx).Attempt
	if attempt < 3 {
		return 0, fmt.Errorf("attempt %d fails", attempt)
	}
	return attempt, nil
}

func retriedChildWorkflow(ctx workflow.Context) (int32, error) {
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{RetryPolicy: quickRetry(3)})
	var attempt int32
	err := workflow.ExecuteChildWorkflow(child, failTwiceWorkflow).Get(ctx, &attempt)
	return attempt, err
}

func childRetry(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(failTwiceWorkflow)
		w.RegisterWorkflow(retriedChildWorkflow)
	})
	run := e.Start("parent", retriedChildWorkflow)
	e.Equal(int32(3), harness.Result[int32](e, run), "attempt that succeeded")
	e.HasEvents(run, 0, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
}

// countingWorkflow adds one to what the run before it gave.
func countingWorkflow(ctx workflow.Context) (int, error) {
	count := 0
	if workflow.HasLastCompletionResult(ctx) {
		if err := workflow.GetLastCompletionResult(ctx, &count); err != nil {
			return 0, err
		}
	}
	return count + 1, nil
}

func cron(e *harness.Env) {
	e.Worker(func(w worker.Registry) { w.RegisterWorkflow(countingWorkflow) })
	options := e.Options("cron")
	options.CronSchedule = "@every 1s"
	run := e.StartWith(options, countingWorkflow)
	first := run.GetRunID()
	e.Eventually("the third run", func() bool {
		started := e.History(run.GetID(), "")[0].GetWorkflowExecutionStartedEventAttributes()
		e.Equal(first, started.FirstExecutionRunId, "first run of the chain")
		results := started.LastCompletionResult.GetPayloads()
		return len(results) == 1 && string(results[0].Data) >= "2"
	})
	e.Check(e.Client.TerminateWorkflow(e, run.GetID(), "", "enough"), "terminate")
	e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, run.GetID(), "")
}
