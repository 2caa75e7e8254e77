package main

import (
	"context"
	"time"

	batchpb "go.temporal.io/api/batch/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

type batchRequest = workflowservice.StartBatchOperationRequest

// signalBatch is a batch operation that signals the runs of the query.
func (p *Play) signalBatch(query string) *batchRequest {
	return &batchRequest{
		Namespace: defaultNamespace, JobId: p.name("job"), Reason: "because", VisibilityQuery: query,
		Operation: &workflowservice.StartBatchOperationRequest_SignalOperation{
			SignalOperation: &batchpb.BatchOperationSignal{Signal: "go", Identity: "operator"},
		},
	}
}

// awaitBatch waits until the job has ended.
func (p *Play) awaitBatch() {
	describe := &workflowservice.DescribeBatchOperationRequest{Namespace: defaultNamespace, JobId: p.name("job")}
	for end := time.Now().Add(callLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), callLimit)
		answer, err := p.invoke(ctx, describe)
		cancel()
		if err != nil {
			return
		}
		state := answer.(*workflowservice.DescribeBatchOperationResponse).State
		if state != enumspb.BATCH_OPERATION_STATE_RUNNING {
			return
		}
	}
}

func (p *Play) describeBatch() *workflowservice.DescribeBatchOperationRequest {
	return &workflowservice.DescribeBatchOperationRequest{Namespace: defaultNamespace, JobId: p.name("job")}
}

func (Behaviour) BatchIsRefusedWithoutReason(p *Play) {
	request := p.signalBatch("WorkflowId = 'x'")
	request.Reason = ""
	p.send(request)
}

func (Behaviour) BatchIsRefusedWithTwoKindsOfTargets(p *Play) {
	request := p.signalBatch("WorkflowId = 'x'")
	request.TargetExecutions = []*commonpb.Execution{{Type: enumspb.EXECUTION_TYPE_WORKFLOW, BusinessId: "x"}}
	p.send(request)
}

func (Behaviour) BatchIsRefusedWithExecutionsOfAnotherKind(p *Play) {
	request := p.signalBatch("")
	request.TargetExecutions = []*commonpb.Execution{{Type: enumspb.EXECUTION_TYPE_ACTIVITY, BusinessId: "x"}}
	p.send(request)
}

func (Behaviour) BatchIsRefusedWithAQueryThatIsNone(p *Play) {
	p.send(p.signalBatch("WorkflowId = "))
}

func (Behaviour) BatchOfSignalsNeedsAName(p *Play) {
	request := p.signalBatch("WorkflowId = 'x'")
	request.GetSignalOperation().Signal = ""
	p.send(request)
}

func (Behaviour) BatchOfResetsNeedsATarget(p *Play) {
	request := p.signalBatch("WorkflowId = 'x'")
	request.Operation = &workflowservice.StartBatchOperationRequest_ResetOperation{
		ResetOperation: &batchpb.BatchOperationReset{Options: &commonpb.ResetOptions{}},
	}
	p.send(request)
}

func (Behaviour) BatchOfStandaloneActivitiesIsRefused(p *Play) {
	request := p.signalBatch("ActivityId = 'x'")
	request.Operation = &workflowservice.StartBatchOperationRequest_DeleteActivitiesOperation{
		DeleteActivitiesOperation: &batchpb.BatchOperationDeleteActivities{},
	}
	p.send(request)
}

func (Behaviour) BatchThatDoesNotExistIsNotFound(p *Play) {
	p.send(p.describeBatch())
	p.send(&workflowservice.StopBatchOperationRequest{
		Namespace: defaultNamespace, JobId: p.name("job"), Reason: "because"})
}

func (Behaviour) BatchNeedsAJobAndAReasonToStop(p *Play) {
	p.send(&workflowservice.StopBatchOperationRequest{Namespace: defaultNamespace, Reason: "because"})
	p.send(&workflowservice.StopBatchOperationRequest{Namespace: defaultNamespace, JobId: "x"})
	p.send(&workflowservice.DescribeBatchOperationRequest{Namespace: defaultNamespace})
}

func (Behaviour) WorkerFilterThatIsNone(p *Play) {
	p.send(&workflowservice.ListWorkersRequest{Namespace: defaultNamespace, Query: "TaskQueue = "})
	p.send(&workflowservice.CountWorkersRequest{Namespace: defaultNamespace, Query: "Nothing = 'x'"})
}

func (Behaviour) VersionSetsAreOffUnlessAllowed(p *Play) {
	p.send(&workflowservice.UpdateWorkerBuildIdCompatibilityRequest{
		Namespace: defaultNamespace, TaskQueue: p.name("queue"),
		Operation: &workflowservice.UpdateWorkerBuildIdCompatibilityRequest_AddNewBuildIdInNewDefaultSet{
			AddNewBuildIdInNewDefaultSet: "1.0",
		},
	})
	p.send(&workflowservice.GetWorkerBuildIdCompatibilityRequest{Namespace: defaultNamespace, TaskQueue: p.name("queue")})
	p.send(&workflowservice.GetWorkerTaskReachabilityRequest{Namespace: defaultNamespace, BuildIds: []string{"1.0"}})
}

func (Behaviour) BatchSignalsWhatTheQueryMeans(p *Play) {
	p.start()
	p.awaitCount(p.mine(), 1)
	p.silently(func() { p.send(p.signalBatch(p.mine())) })
	p.awaitBatch()
	p.send(p.describeBatch())
}
