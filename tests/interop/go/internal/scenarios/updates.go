package scenarios

import (
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

// counterWorkflow counts until the signal "finish". The update "add" adds a
// number that is not negative, in a later workflow task, and returns the sum.
func counterWorkflow(ctx workflow.Context) (int, error) {
	count := 0
	err := workflow.SetUpdateHandlerWithOptions(ctx, "add", func(ctx workflow.Context, number int) (int, error) {
		if err := workflow.Sleep(ctx, 1); err != nil {
			return 0, err
		}
		count += number
		return count, nil
	}, workflow.UpdateHandlerOptions{
		Validator: func(number int) error {
			if number < 0 {
				return errors.New("negative")
			}
			return nil
		},
	})
	if err != nil {
		return 0, err
	}
	workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
	return count, workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

func registerCounter(w worker.Registry) { w.RegisterWorkflow(counterWorkflow) }

func (u updateSender) send(number int, stage client.WorkflowUpdateStage) client.WorkflowUpdateHandle {
	handle, err := u.env.Client.UpdateWorkflow(u.env, client.UpdateWorkflowOptions{
		WorkflowID: u.workflowID, UpdateName: "add", Args: []any{number}, WaitForStage: stage,
	})
	u.env.Check(err, "send update")
	return handle
}

type updateSender struct {
	env        *harness.Env
	workflowID string
}

func outcome(e *harness.Env, handle client.WorkflowUpdateHandle) int {
	var count int
	e.Check(handle.Get(e, &count), "outcome of update")
	return count
}

func update(e *harness.Env) {
	e.Worker(registerCounter)
	run := e.Start("counter", counterWorkflow)
	updates := updateSender{e, run.GetID()}
	e.Equal(1, outcome(e, updates.send(1, client.WorkflowUpdateStageCompleted)), "first outcome")
	accepted := updates.send(2, client.WorkflowUpdateStageAccepted)
	e.Equal(3, outcome(e, accepted), "outcome of an accepted update")
	e.Signal(run.GetID(), "finish", nil)
	e.Equal(3, harness.Result[int](e, run), "result")
	e.HasEvents(run, 2, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
	e.HasEvents(run, 2, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
	again := e.Client.GetWorkflowUpdateHandle(client.GetWorkflowUpdateHandleOptions{
		WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateID: accepted.UpdateID(),
	})
	e.Equal(3, outcome(e, again), "outcome after the workflow has closed")
}

func updateRejected(e *harness.Env) {
	e.Worker(registerCounter)
	run := e.Start("counter", counterWorkflow)
	updates := updateSender{e, run.GetID()}
	updates.send(1, client.WorkflowUpdateStageCompleted)
	before := len(e.History(run.GetID(), run.GetRunID()))
	var count int
	err := updates.send(-1, client.WorkflowUpdateStageCompleted).Get(e, &count)
	failure := harness.ErrorAs[*temporal.ApplicationError](e, err, "outcome of a negative number")
	e.Equal("negative", failure.Message(), "message of the rejection")
	e.Equal(before, len(e.History(run.GetID(), run.GetRunID())), "events after the rejection")
	e.Equal(5, outcome(e, updates.send(4, client.WorkflowUpdateStageCompleted)), "outcome behind it")
	e.Signal(run.GetID(), "finish", nil)
	e.Equal(5, harness.Result[int](e, run), "result")
}

func updateWithStart(e *harness.Env) {
	e.Worker(registerCounter)
	send := func(number int) (client.WorkflowUpdateHandle, client.WorkflowRun) {
		options := e.Options("counter")
		options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
		start := e.Client.NewWithStartWorkflowOperation(options, counterWorkflow)
		handle, err := e.Client.UpdateWithStartWorkflow(e, client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: start,
			UpdateOptions: client.UpdateWorkflowOptions{
				UpdateName: "add", Args: []any{number}, WaitForStage: client.WorkflowUpdateStageCompleted,
			},
		})
		e.Check(err, "update with start")
		run, err := start.Get(e)
		e.Check(err, "run of the start")
		return handle, run
	}
	first, run := send(1)
	second, same := send(2)
	e.Equal(1, outcome(e, first), "outcome with the start")
	e.Equal(3, outcome(e, second), "outcome of the one that runs")
	e.Equal(run.GetRunID(), same.GetRunID(), "run")
	e.Signal(run.GetID(), "finish", nil)
	e.Equal(3, harness.Result[int](e, run), "result")
}
