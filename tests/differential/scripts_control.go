package main

import (
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// Resets, deletions and options of runs.

type resetRequest = workflowservice.ResetWorkflowExecutionRequest

func (p *Play) resetOf(run *commonpb.WorkflowExecution, finish int64, changes ...func(*resetRequest)) *resetRequest {
	request := &resetRequest{
		Namespace: defaultNamespace, WorkflowExecution: run, Reason: "wrong turn",
		WorkflowTaskFinishEventId: finish, RequestId: p.name("reset"),
	}
	for _, change := range changes {
		change(request)
	}
	return request
}

// reset resets the current run and reads what became of it.
func (p *Play) reset(finish int64, changes ...func(*resetRequest)) {
	base := p.describe().WorkflowExecutionInfo.GetExecution()
	p.send(p.resetOf(p.run(), finish, changes...))
	p.history()
	p.describe()
	if base != nil {
		p.send(p.historyOf(base))
		p.send(p.describeOf(base))
	}
}

func (Behaviour) ResetTriesAWorkflowTaskAgain(p *Play) {
	p.start()
	p.step(recordMarker("marker"))
	p.reset(4)
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ResetToATaskThatWaited(p *Play) {
	p.start()
	p.step(completeWorkflow())
	p.reset(3)
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ResetToAStartedTask(p *Play) {
	p.start()
	task := p.poll()
	p.reset(3)
	p.complete(task, completeWorkflow())
	p.history()
}

func (Behaviour) ResetOfAClosedRunWithTimeouts(p *Play) {
	p.start(func(r *startRequest) {
		r.WorkflowExecutionTimeout, r.WorkflowRunTimeout = seconds(100), seconds(50)
	})
	p.step(completeWorkflow())
	p.reset(4)
	p.step(failWorkflow("Again"))
	p.history()
}

func (Behaviour) ResetReappliesSignals(p *Play) {
	p.start()
	p.step()
	p.signal("first")
	p.signal("second")
	p.step(completeWorkflow())
	p.reset(4)
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ResetReappliesBufferedSignals(p *Play) {
	p.start()
	p.poll()
	p.signal("unseen")
	p.reset(3)
}

func (Behaviour) ResetLeavesSignalsOutOnRequest(p *Play) {
	p.start()
	p.step()
	p.signal("first")
	p.reset(4, func(r *resetRequest) {
		r.ResetReapplyExcludeTypes = []enumspb.ResetReapplyExcludeType{
			enumspb.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL}
	})
}

func (Behaviour) ResetReappliesNothingOnRequest(p *Play) {
	p.start()
	p.step()
	p.signal("first")
	p.reset(4, func(r *resetRequest) { r.ResetReapplyType = enumspb.RESET_REAPPLY_TYPE_NONE })
}

func (Behaviour) ResetDoesNotReapplyACancelRequest(p *Play) {
	p.start()
	p.step()
	p.send(p.cancelOf())
	p.reset(4)
}

func (Behaviour) ResetWithAWaitingActivity(p *Play) {
	p.start()
	p.step(p.scheduleActivity("a"))
	p.signal("go")
	p.step()
	p.reset(9)
	p.completeActivity(p.pollActivity())
	p.history()
}

func (Behaviour) ResetWithAnActivityUnderWay(p *Play) {
	p.start()
	p.step(p.scheduleActivity("a"))
	task := p.pollActivity()
	p.signal("go")
	p.step()
	p.reset(9)
	p.completeActivity(task)
	p.completeActivity(p.pollActivity())
	p.history()
}

func (Behaviour) ResetKeepsTimers(p *Play) {
	p.start()
	p.step(startTimer("t", 100))
	p.signal("go")
	p.step()
	p.reset(9)
}

func (Behaviour) ResetOfTheRunBeforeAContinuation(p *Play) {
	first := p.start()
	p.step(p.continueAsNew())
	p.silently(func() { p.signal("to the second") })
	p.send(p.resetOf(p.runOf(p.id(), first.RunId), 4))
	p.history()
	p.describe()
	p.send(p.describeOf(p.runOf(p.id(), first.RunId)))
}

func (Behaviour) ResetOfAReset(p *Play) {
	p.start()
	p.step()
	p.signal("early")
	p.reset(4)
	p.step()
	p.signal("late")
	p.reset(4, func(r *resetRequest) { r.RequestId = p.name("second") })
}

func (Behaviour) ResetWithNewOptions(p *Play) {
	p.start()
	p.step()
	p.reset(4, func(r *resetRequest) {
		r.PostResetOperations = []*workflowpb.PostResetOperation{{
			Variant: &workflowpb.PostResetOperation_UpdateWorkflowOptions_{
				UpdateWorkflowOptions: &workflowpb.PostResetOperation_UpdateWorkflowOptions{
					WorkflowExecutionOptions: &workflowpb.WorkflowExecutionOptions{
						Priority: &commonpb.Priority{PriorityKey: 2},
					},
					UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"priority"}},
				},
			},
		}}
	})
}

func (Behaviour) ResetWhereNoTaskIs(p *Play) {
	p.start()
	p.step(recordMarker("marker"))
	p.signal("go")
	for _, finish := range []int64{0, 1, 2, 5, 6, 7, 8, 100, -1} {
		p.send(p.resetOf(p.run(), finish))
	}
	p.history()
}

func (Behaviour) ResetInvalidCalls(p *Play) {
	p.start()
	p.step()
	p.send(p.resetOf(p.run(), 4, func(r *resetRequest) { r.RequestId = "" }))
	p.send(p.resetOf(p.run(), 4, func(r *resetRequest) { r.RequestId = long() }))
	p.send(p.resetOf(nil, 4))
	p.send(p.resetOf(&commonpb.WorkflowExecution{}, 4))
	p.send(p.resetOf(p.runOf(p.id(), "no uuid"), 4))
	p.send(p.resetOf(p.runOf(p.name("unknown"), ""), 4))
	p.send(p.resetOf(p.runOf(p.id(), "11111111-2222-4333-8444-555555555555"), 4))
	p.send(p.resetOf(p.run(), 4, func(r *resetRequest) { r.ResetReapplyType = 99 }))
	p.send(p.resetOf(p.run(), 4, func(r *resetRequest) {
		r.PostResetOperations = []*workflowpb.PostResetOperation{{}}
	}))
	p.history()
}

// ---- deletion

func (p *Play) deleteOf(run *commonpb.WorkflowExecution) *workflowservice.DeleteWorkflowExecutionRequest {
	return &workflowservice.DeleteWorkflowExecutionRequest{Namespace: defaultNamespace, WorkflowExecution: run}
}

// awaitDeletion returns once a run can not be described any more.
func (p *Play) awaitDeletion(run *commonpb.WorkflowExecution) {
	p.silently(func() {
		for end := time.Now().Add(callLimit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if call[*workflowservice.DescribeWorkflowExecutionResponse](p, p.describeOf(run)).WorkflowExecutionInfo == nil {
				return
			}
		}
	})
}

func (Behaviour) DeletionOfAClosedRun(p *Play) {
	p.start()
	p.step(completeWorkflow())
	p.send(p.deleteOf(p.run()))
	p.awaitDeletion(p.run())
	p.describe()
	p.history()
	p.send(p.deleteOf(p.run()))
	p.start(p.requestID("again"))
	p.history()
}

func (Behaviour) DeletionOfAnOpenRun(p *Play) {
	started := p.start()
	run := p.runOf(p.id(), started.RunId)
	task := p.poll()
	p.send(p.deleteOf(run))
	p.awaitDeletion(run)
	p.send(p.describeOf(run))
	p.complete(task, completeWorkflow())
	p.signal("too late")
}

func (Behaviour) DeletionOfAnOlderRunLeavesTheCurrentOne(p *Play) {
	first := p.runOf(p.id(), p.start().RunId)
	p.step(completeWorkflow())
	p.start(p.requestID("second"))
	p.send(p.deleteOf(first))
	p.awaitDeletion(first)
	p.send(p.describeOf(first))
	p.describe()
}

func (Behaviour) DeletionInvalidCalls(p *Play) {
	p.send(p.deleteOf(nil))
	p.send(p.deleteOf(&commonpb.WorkflowExecution{}))
	p.send(p.deleteOf(p.runOf(p.id(), "no uuid")))
	p.send(p.deleteOf(p.run()))
}

// ---- options

func (p *Play) optionsOf(options *workflowpb.WorkflowExecutionOptions, paths ...string) *workflowservice.UpdateWorkflowExecutionOptionsRequest {
	return &workflowservice.UpdateWorkflowExecutionOptionsRequest{
		Namespace: defaultNamespace, WorkflowExecution: p.run(), Identity: identity,
		WorkflowExecutionOptions: options, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
	}
}

func priority(key int32) *workflowpb.WorkflowExecutionOptions {
	return &workflowpb.WorkflowExecutionOptions{
		Priority: &commonpb.Priority{PriorityKey: key, FairnessKey: "tenant", FairnessWeight: 2},
	}
}

func (Behaviour) OptionsUpdatePriority(p *Play) {
	p.start()
	p.send(p.optionsOf(priority(2), "priority"))
	p.send(p.optionsOf(priority(2), "priority"))
	p.send(p.optionsOf(priority(4), "priority.priority_key"))
	p.send(p.optionsOf(priority(5)))
	p.history()
	p.describe()
	p.step(completeWorkflow())
	p.send(p.optionsOf(priority(1), "priority"))
}

func (Behaviour) OptionsUpdateBehindATask(p *Play) {
	p.start()
	task := p.poll()
	p.send(p.optionsOf(priority(2), "priority"))
	p.history()
	p.complete(task)
	p.history()
}

func (Behaviour) OptionsUpdateVersioningOverride(p *Play) {
	p.start()
	upgrade := &workflowpb.WorkflowExecutionOptions{VersioningOverride: &workflowpb.VersioningOverride{
		Override: &workflowpb.VersioningOverride_AutoUpgrade{AutoUpgrade: true}}}
	p.send(p.optionsOf(upgrade, "versioning_override"))
	p.history()
	p.send(p.optionsOf(&workflowpb.WorkflowExecutionOptions{}, "versioning_override"))
	p.history()
}

func (Behaviour) OptionsInvalidCalls(p *Play) {
	p.start()
	p.send(p.optionsOf(nil, "priority"))
	p.send(p.optionsOf(priority(2), "versioning_override.pinned"))
	p.send(p.optionsOf(priority(-1), "priority"))
	p.send(p.optionsOf(&workflowpb.WorkflowExecutionOptions{
		Priority: &commonpb.Priority{FairnessKey: long()}}, "priority"))
	p.send(p.optionsOf(&workflowpb.WorkflowExecutionOptions{
		VersioningOverride: &workflowpb.VersioningOverride{}}, "versioning_override"))
	withoutMask := p.optionsOf(priority(2))
	withoutMask.UpdateMask = nil
	p.send(withoutMask)
	withoutRun := p.optionsOf(priority(2), "priority")
	withoutRun.WorkflowExecution = nil
	p.send(withoutRun)
	p.history()
}

// ---- pausing, which is off by default

func (Behaviour) PauseIsOffByDefault(p *Play) {
	p.start()
	p.send(&workflowservice.PauseWorkflowExecutionRequest{
		Namespace: defaultNamespace, WorkflowId: p.id(), Identity: identity, Reason: "maintenance",
		RequestId: p.name("pause"),
	})
	p.send(&workflowservice.UnpauseWorkflowExecutionRequest{
		Namespace: defaultNamespace, WorkflowId: p.id(), Identity: identity, Reason: "done",
		RequestId: p.name("unpause"),
	})
	p.history()
}
