package main

import (
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Completion callbacks, as far as servers that may call nobody show them; and tasks that their
// sticky queue or their worker gives up.

func callback(url string) func(*startRequest) {
	return func(r *startRequest) {
		r.CompletionCallbacks = append(r.CompletionCallbacks, &commonpb.Callback{
			Variant: &commonpb.Callback_Nexus_{Nexus: &commonpb.Callback_Nexus{Url: url}}})
	}
}

func (Behaviour) CallbacksGoNowhereUnlessAllowed(p *Play) {
	for _, url := range []string{"https://receiver.example/done", "http://receiver.example",
		"ftp://receiver.example", "https:///path", "receiver.example"} {
		p.start(callback(url))
	}
	p.describe()
}

func (Behaviour) CallbacksAreAttachedWithTheirRequest(p *Play) {
	p.start()
	p.start(p.requestID("other"), conflict(enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING),
		func(r *startRequest) {
			r.OnConflictOptions = &workflowpb.OnConflictOptions{AttachCompletionCallbacks: true}
		})
	p.start(p.requestID("other"), conflict(enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING),
		func(r *startRequest) {
			r.OnConflictOptions = &workflowpb.OnConflictOptions{
				AttachRequestId: true, AttachCompletionCallbacks: true}
		})
	p.describe()
	p.history()
}

func (Behaviour) SignalWithStartThatReplacesDoesSoEachTime(p *Play) {
	replace := func(r *signalWithStartRequest) {
		r.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	}
	p.send(p.signalWithStartOf(replace))
	p.send(p.signalWithStartOf(replace))
	p.history()
}

func (p *Play) sticky(wait float64) func(*completion) {
	return func(request *completion) {
		request.StickyAttributes = &taskqueuepb.StickyExecutionAttributes{
			WorkerTaskQueue: p.stickyQueue(), ScheduleToStartTimeout: seconds(wait)}
	}
}

func (Behaviour) StickyTaskOfADeadWorkerTimesOutAllTheSame(p *Play) {
	p.start()
	request := p.completionOf(p.poll())
	p.sticky(1)(request)
	p.send(request)
	p.signal("wake")
	p.awaitEvent(enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) StickyTaskTimesOutAfterTheQueueWasReset(p *Play) {
	p.start()
	request := p.completionOf(p.poll())
	p.sticky(1)(request)
	p.send(request)
	p.signal("wake")
	p.send(&workflowservice.ResetStickyTaskQueueRequest{Namespace: defaultNamespace, Execution: p.run()})
	p.awaitEvent(enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
	p.step(completeWorkflow())
	p.history()
}
