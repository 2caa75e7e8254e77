package scenarios

import (
	"errors"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/tests/interop/internal/harness"
)

// obedientWorkflow ends as it is told to.
func obedientWorkflow(_ workflow.Context, how string) (string, error) {
	if how == "fail" {
		return "", temporal.NewApplicationError("told to fail", "Told")
	}
	return how, nil
}

func idPolicies(e *harness.Env) {
	e.Worker(func(w worker.Registry) {
		w.RegisterWorkflow(obedientWorkflow)
		registerCollect(w)
	})
	reusePolicies(e)
	conflictPolicies(e)
	requestIDs(e)
}

// reusePolicies are about ids of closed workflows.
func reusePolicies(e *harness.Env) {
	start := func(name string, policy enumspb.WorkflowIdReusePolicy, how string) (client.WorkflowRun, error) {
		options := e.Options(name)
		options.WorkflowIDReusePolicy = policy
		return e.Client.ExecuteWorkflow(e, options, obedientWorkflow, how)
	}
	allow := enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	failedOnly := enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
	reject := enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE

	completed, err := start("completed", allow, "complete")
	e.Check(err, "first start")
	harness.Result[string](e, completed)
	for _, policy := range []enumspb.WorkflowIdReusePolicy{failedOnly, reject} {
		_, err = start("completed", policy, "complete")
		e.Equal(completed.GetRunID(), alreadyStarted(e, err, policy.String()).RunId, "run in the way")
	}
	again, err := start("completed", allow, "complete")
	e.Check(err, "allow duplicate")
	e.True(again.GetRunID() != completed.GetRunID(), "another run")

	failed, err := start("failed", allow, "fail")
	e.Check(err, "first start")
	e.True(failed.Get(e, nil) != nil, "the workflow fails as told")
	_, err = start("failed", reject, "complete")
	alreadyStarted(e, err, "reject duplicate of a failed workflow")
	again, err = start("failed", failedOnly, "complete")
	e.Check(err, "duplicate of a failed workflow")
	e.Equal("complete", harness.Result[string](e, again), "result of the second try")
}

// conflictPolicies are about ids of open workflows.
func conflictPolicies(e *harness.Env) {
	start := func(policy enumspb.WorkflowIdConflictPolicy) (client.WorkflowRun, error) {
		options := e.Options("open")
		options.WorkflowIDConflictPolicy = policy
		options.WorkflowExecutionErrorWhenAlreadyStarted = policy == enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
		return e.Client.ExecuteWorkflow(e, options, collectWorkflow, []int{})
	}
	first, err := start(enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
	e.Check(err, "first start")
	_, err = start(enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
	e.Equal(first.GetRunID(), alreadyStarted(e, err, "fail on conflict").RunId, "run in the way")
	same, err := start(enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
	e.Check(err, "use existing")
	e.Equal(first.GetRunID(), same.GetRunID(), "existing run")
	other, err := start(enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING)
	e.Check(err, "terminate existing")
	e.True(other.GetRunID() != first.GetRunID(), "another run")
	e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, first.GetID(), first.GetRunID())
	e.HasStatus(enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, first.GetID(), "")
	e.Signal(other.GetID(), "finish", nil)
	e.Equal([]int{}, harness.Result[[]int](e, other), "result of the new run")
}

// requestIDs make a repeated start harmless. The SDK chooses them itself, so
// the call is made without it.
func requestIDs(e *harness.Env) {
	request := &workflowservice.StartWorkflowExecutionRequest{
		Namespace:    e.Namespace,
		WorkflowId:   e.ID("request"),
		WorkflowType: &commonpb.WorkflowType{Name: "obedientWorkflow"},
		TaskQueue:    &taskqueuepb.TaskQueue{Name: e.TaskQueue + "-nobody-polls"},
		RequestId:    uuid.NewString(),
	}
	first, err := e.Client.WorkflowService().StartWorkflowExecution(e, request)
	e.Check(err, "raw start")
	second, err := e.Client.WorkflowService().StartWorkflowExecution(e, request)
	e.Check(err, "the same raw start again")
	e.Equal(first.RunId, second.RunId, "run of the repeated request")
	request.RequestId = uuid.NewString()
	_, err = e.Client.WorkflowService().StartWorkflowExecution(e, request)
	alreadyStarted(e, err, "another request")
	e.Check(e.Client.TerminateWorkflow(e, request.WorkflowId, "", "done"), "terminate")
}

func alreadyStarted(e *harness.Env, err error, what string) *serviceerror.WorkflowExecutionAlreadyStarted {
	var target *serviceerror.WorkflowExecutionAlreadyStarted
	if !errors.As(err, &target) {
		e.Failf("%s: want WorkflowExecutionAlreadyStarted, got %v", what, err)
	}
	return target
}
