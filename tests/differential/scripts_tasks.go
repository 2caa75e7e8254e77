package main

import (
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	querypb "go.temporal.io/api/query/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

func (Behaviour) WorkflowCompletesInOneTask(p *Play) {
	p.start()
	p.step(completeWorkflow())
	p.history()
	p.describe()
	p.awaitClose()
}

func (Behaviour) WorkflowFails(p *Play) {
	p.start()
	p.step(failWorkflow("Broken"))
	p.history()
	p.describe()
}

func (Behaviour) EmptyCompletionLeavesAnIdleRun(p *Play) {
	p.start()
	p.step()
	p.history()
	p.describe()
	p.pollNothing()
}

func (Behaviour) CompletionTwiceIsNotFound(p *Play) {
	p.start()
	task := p.poll()
	p.complete(task)
	p.complete(task)
	p.failTask(task, enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR)
	p.history()
}

func (Behaviour) CompletionAfterTerminationIsNotFound(p *Play) {
	p.start()
	task := p.poll()
	p.terminate()
	p.complete(task, completeWorkflow())
	p.history()
}

func (Behaviour) FailedTaskIsRetriedWithoutFurtherEvents(p *Play) {
	p.start()
	p.failTask(p.poll(), enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR)
	p.history()
	task := p.poll()
	p.describe()
	p.history()
	p.failTask(task, enumspb.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE)
	p.history()
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) WorkerReadsEventsOfATransientTask(p *Play) {
	p.start()
	p.failTask(p.poll(), enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR)
	p.worker = true
	p.history()
}

func (Behaviour) TimedOutTaskIsRetried(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowTaskTimeout = seconds(1) })
	task := p.poll()
	next := p.poll()
	p.history()
	p.complete(task)
	p.complete(next, completeWorkflow())
	p.history()
}

func (Behaviour) SignalTurnsATransientTaskNormal(p *Play) {
	p.start()
	p.failTask(p.poll(), enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR)
	p.signal("new")
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ForcedNewTaskIsReturnedWithTheAnswer(p *Play) {
	p.start()
	request := p.completionOf(p.poll())
	request.ForceCreateNewWorkflowTask, request.ReturnNewWorkflowTask = true, true
	answer := call[*workflowservice.RespondWorkflowTaskCompletedResponse](p, request)
	p.complete(answer.WorkflowTask, completeWorkflow())
	p.history()
}

func (Behaviour) ForcedNewTaskIsPolled(p *Play) {
	p.start()
	request := p.completionOf(p.poll(), recordMarker("marker"))
	request.ForceCreateNewWorkflowTask = true
	p.send(request)
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ReturnNewTaskWithoutEventsReturnsNone(p *Play) {
	p.start()
	request := p.completionOf(p.poll())
	request.ReturnNewWorkflowTask = true
	p.send(request)
	p.history()
}

func (Behaviour) SignalDuringATaskIsBuffered(p *Play) {
	p.start()
	task := p.poll()
	p.signal("first")
	p.signal("second")
	p.history()
	p.describe()
	p.complete(task, recordMarker("marker"))
	p.history()
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ClosingWithBufferedEventsIsUnhandledCommand(p *Play) {
	p.start()
	task := p.poll()
	p.signal("unseen")
	p.complete(task, completeWorkflow())
	p.history()
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) StickyTaskHasAPartialHistory(p *Play) {
	p.start()
	request := p.completionOf(p.poll())
	request.StickyAttributes = &taskqueuepb.StickyExecutionAttributes{
		WorkerTaskQueue: p.stickyQueue(), ScheduleToStartTimeout: seconds(10)}
	p.silently(func() {
		callWithin[workflowTask](p, emptyPollLimit, p.pollOf(p.stickyQueue()))
	})
	p.send(request)
	p.signal("signal")
	p.complete(p.pollFrom(p.stickyQueue()), completeWorkflow())
	p.history()
}

func (Behaviour) StickyTaskThatNobodyTakesGoesToTheNormalQueue(p *Play) {
	p.start()
	request := p.completionOf(p.poll())
	request.StickyAttributes = &taskqueuepb.StickyExecutionAttributes{
		WorkerTaskQueue: p.stickyQueue(), ScheduleToStartTimeout: seconds(1)}
	p.silently(func() {
		callWithin[workflowTask](p, emptyPollLimit, p.pollOf(p.stickyQueue()))
	})
	p.send(request)
	p.signal("signal")
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ResetStickyTaskQueueForgetsTheWorker(p *Play) {
	p.start()
	request := p.completionOf(p.poll())
	request.StickyAttributes = &taskqueuepb.StickyExecutionAttributes{
		WorkerTaskQueue: p.stickyQueue(), ScheduleToStartTimeout: seconds(10)}
	p.send(request)
	p.send(&workflowservice.ResetStickyTaskQueueRequest{Namespace: defaultNamespace, Execution: p.run()})
	p.signal("signal")
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) MarkersAreRecorded(p *Play) {
	p.start()
	p.step(recordMarker("one"), recordMarker("two"), completeWorkflow())
	p.history()
}

func (Behaviour) MemoIsMerged(p *Play) {
	p.start(func(r *startRequest) {
		r.Memo = &commonpb.Memo{Fields: map[string]*commonpb.Payload{"kept": payload("old"), "gone": payload("old")}}
	})
	p.step(upsertMemo(map[string]*commonpb.Payload{"new": payload("new"),
		"gone": {Metadata: map[string][]byte{"encoding": []byte("binary/null")}}}))
	p.describe()
	p.history()
}

func (Behaviour) SignalsReachTheHistory(p *Play) {
	p.start()
	p.step()
	p.signal("one")
	p.signal("two")
	p.history()
	p.step()
	p.history()
}

func (Behaviour) SignalWithSameRequestIdCountsOnce(p *Play) {
	p.start()
	p.step()
	request := p.signalOf("once")
	request.RequestId = p.name("signal")
	request.Header = header("signal")
	p.send(request)
	p.send(request)
	p.history()
}

func (Behaviour) SignalToAClosedRunIsNotFound(p *Play) {
	p.start()
	p.terminate()
	p.signal("late")
	p.send(p.cancelOf())
	p.terminate()
	p.history()
}

func (Behaviour) CancelRequestLeadsToACanceledRun(p *Play) {
	p.start()
	p.step()
	p.send(p.cancelOf())
	p.send(p.cancelOf())
	p.history()
	p.describe()
	p.step(cancelWorkflow())
	p.history()
	p.describe()
}

func (Behaviour) SecondCancelRequestWithAnotherIdChangesNothing(p *Play) {
	p.start()
	p.send(p.cancelOf())
	request := p.cancelOf()
	request.RequestId = p.name("another")
	p.send(request)
	p.history()
}

func (Behaviour) TerminationClosesAtOnce(p *Play) {
	p.start()
	p.poll()
	p.terminate()
	p.history()
	p.describe()
}

func (Behaviour) FirstRunIdMustMatch(p *Play) {
	first := p.start()
	terminate := p.terminateOf()
	terminate.FirstExecutionRunId = "11111111-1111-1111-1111-111111111111"
	p.send(terminate)
	terminate.FirstExecutionRunId = first.RunId
	p.send(terminate)
	p.history()
}

func (Behaviour) ContinueAsNewCarriesOn(p *Play) {
	first := p.start(func(r *startRequest) {
		r.WorkflowRunTimeout = seconds(100)
		r.Memo = &commonpb.Memo{Fields: map[string]*commonpb.Payload{"first": payload("memo")}}
	})
	p.step(p.continueAsNew())
	p.send(p.historyOf(p.runOf(p.id(), first.RunId)))
	p.history()
	p.describe()
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ContinueAsNewInheritsWhatItDoesNotSay(p *Play) {
	p.start()
	p.step(p.continueAsNew(func(a *continueAttributes) {
		a.WorkflowType, a.TaskQueue, a.Input, a.Memo = nil, nil, nil, nil
		a.WorkflowTaskTimeout = seconds(5)
	}))
	p.history()
}

func (p *Play) queryOf() *workflowservice.QueryWorkflowRequest {
	return &workflowservice.QueryWorkflowRequest{Namespace: defaultNamespace, Execution: p.run(),
		Query: &querypb.WorkflowQuery{QueryType: "state", QueryArgs: payloads("argument")}}
}

// queried makes a query while a worker answers it, and notes both.
func (p *Play) queried(answer func(task workflowTask)) {
	worker := p.muted()
	done := make(chan struct{})
	go func() {
		defer close(done)
		answer(worker.poll())
	}()
	p.send(p.queryOf())
	<-done
}

func (p *Play) answerOf(task workflowTask) *workflowservice.RespondQueryTaskCompletedRequest {
	return &workflowservice.RespondQueryTaskCompletedRequest{Namespace: defaultNamespace,
		TaskToken: task.TaskToken, CompletedType: enumspb.QUERY_RESULT_TYPE_ANSWERED,
		QueryResult: payloads("answer")}
}

func (Behaviour) QueryOfAnIdleRunIsAnswered(p *Play) {
	p.start()
	p.step()
	p.queried(func(task workflowTask) { p.muted().send(p.answerOf(task)) })
	p.history()
}

func (Behaviour) QueryOfAClosedRunIsAnswered(p *Play) {
	p.start()
	p.step(completeWorkflow())
	p.queried(func(task workflowTask) { p.muted().send(p.answerOf(task)) })
}

func (Behaviour) FailedQuerySaysWhy(p *Play) {
	p.start()
	p.step()
	p.queried(func(task workflowTask) {
		request := p.answerOf(task)
		request.CompletedType, request.QueryResult = enumspb.QUERY_RESULT_TYPE_FAILED, nil
		request.ErrorMessage, request.Failure = "unknown query", applicationFailure("Unknown", false)
		p.muted().send(request)
	})
}

func (Behaviour) QueryRejectConditionsAreHonoured(p *Play) {
	p.start()
	p.step(failWorkflow("Failed"))
	request := p.queryOf()
	request.QueryRejectCondition = enumspb.QUERY_REJECT_CONDITION_NOT_OPEN
	p.send(request)
	request.QueryRejectCondition = enumspb.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY
	p.send(request)
}

func (Behaviour) SignalOfAnotherRunIsDelivered(p *Play) {
	target := p.name("target")
	p.start(func(r *startRequest) {
		r.WorkflowId, r.RequestId = target, target
		r.TaskQueue = &taskqueuepb.TaskQueue{Name: target}
	})
	p.start()
	p.step(signalExternal(p.runOf(target, ""), "hello"))
	p.step(completeWorkflow())
	p.history()
	p.send(p.historyOf(p.runOf(target, "")))
}

func (Behaviour) SignalOfAMissingRunFails(p *Play) {
	p.start()
	p.step(signalExternal(p.runOf(p.name("missing"), ""), "hello"))
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) CancelOfAnotherRunIsDelivered(p *Play) {
	target := p.name("target")
	p.start(func(r *startRequest) {
		r.WorkflowId, r.RequestId = target, target
		r.TaskQueue = &taskqueuepb.TaskQueue{Name: target}
	})
	p.start()
	p.step(cancelExternal(p.runOf(target, "")))
	p.step(completeWorkflow())
	p.history()
	p.send(p.historyOf(p.runOf(target, "")))
}

func (Behaviour) CancelOfAMissingRunFails(p *Play) {
	p.start()
	p.step(cancelExternal(p.runOf(p.name("missing"), "")))
	p.step(completeWorkflow())
	p.history()
}
