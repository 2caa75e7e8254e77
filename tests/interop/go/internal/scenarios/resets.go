package scenarios

import (
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"stele/tests/interop/internal/harness"
)

// reset resets a workflow to its first workflow task and returns the id of
// the new run.
func reset(e *harness.Env, workflowID, runID, requestID string) string {
	answer, err := e.Client.ResetWorkflowExecution(e, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:                 e.Namespace,
		WorkflowExecution:         &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: runID},
		Reason:                    "interop",
		RequestId:                 requestID,
		WorkflowTaskFinishEventId: 4,
	})
	e.Check(err, "reset")
	return answer.GetRunId()
}

// resetToFirstTask resets an open workflow and then the closed one: signals
// are applied again each time, and the worker replays what is kept.
func resetToFirstTask(e *harness.Env) {
	e.Worker(registerCollect)
	run := e.Start("collect", collectWorkflow, []int{})
	hasValues := func(count int) func() bool {
		return func() bool {
			var values []int
			answer, err := e.Client.QueryWorkflow(e, run.GetID(), "", "values", 0)
			return err == nil && answer.Get(&values) == nil && len(values) == count
		}
	}
	e.Eventually("the first task is over", hasValues(0))
	for i := range 5 {
		e.Signal(run.GetID(), "add", i)
	}
	e.Eventually("the signals are there", hasValues(5))
	second := reset(e, run.GetID(), run.GetRunID(), "first-reset")
	e.Equal(second, reset(e, run.GetID(), run.GetRunID(), "first-reset"), "run of the same request")
	e.HasEvents(run, 1, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED)
	e.Signal(run.GetID(), "add", 5)
	e.Signal(run.GetID(), "finish", nil)
	e.Equal(countTo(6), harness.Result[[]int](e, e.Client.GetWorkflow(e, run.GetID(), second)), "values")

	third := reset(e, run.GetID(), second, "second-reset")
	e.Equal(countTo(6), harness.Result[[]int](e, e.Client.GetWorkflow(e, run.GetID(), third)), "values again")
	e.HasEvents(e.Client.GetWorkflow(e, run.GetID(), third), 7, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
	_, err := e.Client.ResetWorkflowExecution(e, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:                 e.Namespace,
		WorkflowExecution:         &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: third},
		RequestId:                 "third-reset",
		WorkflowTaskFinishEventId: 1000,
	})
	harness.ErrorAs[*serviceerror.InvalidArgument](e, err, "reset to an event that is not there")
}
