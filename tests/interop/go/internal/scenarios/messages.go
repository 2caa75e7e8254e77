package scenarios

import (
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

// collectWorkflow collects the values of the signal "add" until the signal
// "finish" comes; the query "values" returns what is there.
func collectWorkflow(ctx workflow.Context, initial []int) ([]int, error) {
	values := initial
	err := workflow.SetQueryHandler(ctx, "values", func(from int) ([]int, error) {
		if from > len(values) {
			return nil, fmt.Errorf("there are only %d values", len(values))
		}
		return values[from:], nil
	})
	if err != nil {
		return nil, err
	}
	finished := false
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, "add"), func(channel workflow.ReceiveChannel, _ bool) {
		var value int
		channel.Receive(ctx, &value)
		values = append(values, value)
	})
	selector.AddReceive(workflow.GetSignalChannel(ctx, "finish"), func(channel workflow.ReceiveChannel, _ bool) {
		channel.Receive(ctx, nil)
		finished = true
	})
	for !finished || selector.HasPending() {
		selector.Select(ctx)
	}
	return values, nil
}

func registerCollect(w worker.Registry) { w.RegisterWorkflow(collectWorkflow) }

func countTo(limit int) []int {
	values := make([]int, limit)
	for i := range values {
		values[i] = i
	}
	return values
}

func signals(e *harness.Env) {
	run := e.Start("collect", collectWorkflow, []int{})
	// Half of the signals are there before the first workflow task starts.
	for i := range 30 {
		if i == 15 {
			e.Worker(registerCollect)
		}
		e.Signal(run.GetID(), "add", i)
	}
	e.Signal(run.GetID(), "finish", nil)
	e.Equal(countTo(30), harness.Result[[]int](e, run), "signals in the order sent")
	e.HasEvents(run, 31, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
	err := e.Client.SignalWorkflow(e, run.GetID(), "", "add", 1)
	harness.ErrorAs[*serviceerror.NotFound](e, err, "signal to a closed workflow")
	err = e.Client.SignalWorkflow(e, e.ID("never-started"), "", "add", 1)
	harness.ErrorAs[*serviceerror.NotFound](e, err, "signal to an unknown workflow")
}

func signalWithStart(e *harness.Env) {
	e.Worker(registerCollect)
	send := func(value int) client.WorkflowRun {
		run, err := e.Client.SignalWithStartWorkflow(e, e.ID("collect"), "add", value, e.Options("collect"),
			collectWorkflow, []int{})
		e.Check(err, "signal with start")
		return run
	}
	first, second := send(0), send(1)
	e.Equal(first.GetRunID(), second.GetRunID(), "run that gets the second signal")
	e.Signal(first.GetID(), "finish", nil)
	e.Equal([]int{0, 1}, harness.Result[[]int](e, first), "values")
	third := send(2)
	e.True(third.GetRunID() != first.GetRunID(), "a closed workflow is started anew")
	e.Signal(third.GetID(), "finish", nil)
	e.Equal([]int{2}, harness.Result[[]int](e, third), "values of the new run")
}

func queryOpen(e *harness.Env) {
	e.Worker(registerCollect)
	run := e.Start("collect", collectWorkflow, []int{})
	e.Equal([]int{}, harness.Query[[]int](e, run.GetID(), "values", 0), "values at first")
	for i := range 10 {
		e.Signal(run.GetID(), "add", i)
		// A query sees every signal that was acknowledged before it was sent.
		e.Equal(countTo(i+1), harness.Query[[]int](e, run.GetID(), "values", 0), "values after a signal")
	}
	e.Equal([]int{8, 9}, harness.Query[[]int](e, run.GetID(), "values", 8), "query with an argument")
	_, err := e.Client.QueryWorkflow(e, run.GetID(), "", "values", 99)
	failed := harness.ErrorAs[*serviceerror.QueryFailed](e, err, "a handler that fails")
	e.Equal("there are only 10 values", failed.Message, "message of the handler")
	_, err = e.Client.QueryWorkflow(e, run.GetID(), "", "no-such-query")
	harness.ErrorAs[*serviceerror.QueryFailed](e, err, "an unknown query")
	e.Signal(run.GetID(), "finish", nil)
	e.Equal(countTo(10), harness.Result[[]int](e, run), "values at the end")
}

func queryClosed(e *harness.Env) {
	stop := e.Worker(registerCollect)
	run := e.Start("collect", collectWorkflow, []int{4})
	e.Signal(run.GetID(), "add", 5)
	e.Signal(run.GetID(), "finish", nil)
	e.Equal([]int{4, 5}, harness.Result[[]int](e, run), "values at the end")
	e.Equal([]int{4, 5}, harness.Query[[]int](e, run.GetID(), "values", 0), "values after the end")
	// A new worker has to read the history of the closed run first.
	stop()
	e.Worker(registerCollect)
	e.Equal([]int{5}, harness.Query[[]int](e, run.GetID(), "values", 1), "values on another worker")

	answer, err := e.Client.QueryWorkflowWithOptions(e, &client.QueryWorkflowWithOptionsRequest{
		WorkflowID:           run.GetID(),
		QueryType:            "values",
		Args:                 []any{0},
		QueryRejectCondition: enumspb.QUERY_REJECT_CONDITION_NOT_OPEN,
	})
	e.Check(err, "query with a condition")
	e.True(answer.QueryRejected != nil, "the condition rejects the query")
	e.Equal(enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, answer.QueryRejected.Status, "status in the rejection")
}

func cleanUp() (string, error) { return "cleaned up", nil }

// cleanupWorkflow waits to be canceled and then runs an activity in a scope
// that the cancellation does not reach.
func cleanupWorkflow(ctx workflow.Context) error {
	err := workflow.Sleep(ctx, time.Minute)
	var canceled *temporal.CanceledError
	if !errors.As(err, &canceled) {
		return fmt.Errorf("want cancellation, got %w", err)
	}
	shielded, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	shielded = withActivity(shielded)
	var result string
	if failure := workflow.ExecuteActivity(shielded, cleanUp).Get(shielded, &result); failure != nil {
		return failure
	}
	return temporal.NewCanceledError(result)
}

func cancelWithCleanup(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(cleanupWorkflow)
		w.RegisterActivity(cleanUp)
	})
	run := e.Start("cancel", cleanupWorkflow)
	e.Eventually("the timer is started", func() bool {
		return len(e.EventsOf(run, enumspb.EVENT_TYPE_TIMER_STARTED)) == 1
	})
	e.Check(e.Client.CancelWorkflow(e, run.GetID(), ""), "cancel")
	canceled := harness.ErrorAs[*temporal.CanceledError](e, run.Get(e, nil), "result of a canceled workflow")
	var result string
	e.Check(canceled.Details(&result), "details of the cancellation")
	e.Equal("cleaned up", result, "result of the clean-up")
	e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, run.GetID(), run.GetRunID())
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_TIMER_CANCELED)
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
	err := e.Client.CancelWorkflow(e, e.ID("never-started"), "")
	harness.ErrorAs[*serviceerror.NotFound](e, err, "cancel of an unknown workflow")
}

func terminate(e *harness.Env) {
	e.Worker(registerCollect)
	run := e.Start("collect", collectWorkflow, []int{})
	harness.Query[[]int](e, run.GetID(), "values", 0)
	e.Check(e.Client.TerminateWorkflow(e, run.GetID(), "", "no longer needed", "why"), "terminate")
	harness.ErrorAs[*temporal.TerminatedError](e, run.Get(e, nil), "result of a terminated workflow")
	e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, run.GetID(), run.GetRunID())
	events := e.History(run.GetID(), run.GetRunID())
	attributes := events[len(events)-1].GetWorkflowExecutionTerminatedEventAttributes()
	e.True(attributes != nil, "termination is the last event")
	e.Equal("no longer needed", attributes.Reason, "reason")
	e.Equal(1, len(attributes.Details.GetPayloads()), "details")
	err := e.Client.TerminateWorkflow(e, run.GetID(), "", "again")
	harness.ErrorAs[*serviceerror.NotFound](e, err, "terminate a closed workflow")
}
