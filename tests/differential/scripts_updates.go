package main

import (
	"context"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	protocolpb "go.temporal.io/api/protocol/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

const (
	stageAccepted  = enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
	stageCompleted = enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
	// How long a call that waits for a worker is given to arrive before the worker polls.
	arrival = 300 * time.Millisecond
)

type updateRequest = workflowservice.UpdateWorkflowExecutionRequest

func (p *Play) updateOf(id string, changes ...func(*updateRequest)) *updateRequest {
	request := &updateRequest{
		Namespace: defaultNamespace, WorkflowExecution: p.run(),
		Request: &updatepb.Request{
			Meta:  &updatepb.Meta{UpdateId: id, Identity: identity},
			Input: &updatepb.Input{Name: "update", Args: payloads("arguments")},
		},
		WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: stageCompleted},
	}
	for _, change := range changes {
		change(request)
	}
	return request
}

func until(stage enumspb.UpdateWorkflowExecutionLifecycleStage) func(*updateRequest) {
	return func(r *updateRequest) { r.WaitPolicy.LifecycleStage = stage }
}

// pending is a call under way; its answer is written down when it is awaited.
type pending struct {
	play   *Play
	method string
	done   chan struct{}
	answer proto.Message
	err    error
}

// begin makes a call that a worker has to answer.
func (p *Play) begin(request proto.Message) *pending {
	result := &pending{play: p, method: methodOf(request), done: make(chan struct{})}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), callLimit)
		defer cancel()
		result.answer, result.err = p.invoke(ctx, request)
		close(result.done)
	}()
	time.Sleep(arrival)
	return result
}

func (c *pending) await() {
	<-c.done
	c.play.record(c.method, c.answer, c.err)
}

func (p *Play) update(id string, changes ...func(*updateRequest)) *pending {
	return p.begin(p.updateOf(id, changes...))
}

func (p *Play) pollUpdateOf(id string, stage enumspb.UpdateWorkflowExecutionLifecycleStage) *workflowservice.PollWorkflowExecutionUpdateRequest {
	return &workflowservice.PollWorkflowExecutionUpdateRequest{
		Namespace:  defaultNamespace,
		UpdateRef:  &updatepb.UpdateRef{WorkflowExecution: p.run(), UpdateId: id},
		WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: stage},
	}
}

// ---- what a worker says

func message(id string, request *protocolpb.Message, body proto.Message) *protocolpb.Message {
	packed, err := anypb.New(body)
	if err != nil {
		panic(err)
	}
	return &protocolpb.Message{Id: id, ProtocolInstanceId: request.GetProtocolInstanceId(), Body: packed}
}

func accepts(request *protocolpb.Message) *protocolpb.Message {
	original := &updatepb.Request{}
	_ = request.GetBody().UnmarshalTo(original)
	return message(request.GetId()+"/accept", request, &updatepb.Acceptance{
		AcceptedRequestMessageId:         request.GetId(),
		AcceptedRequestSequencingEventId: request.GetEventId(),
		AcceptedRequest:                  original,
	})
}

func rejects(request *protocolpb.Message) *protocolpb.Message {
	return message(request.GetId()+"/reject", request, &updatepb.Rejection{
		RejectedRequestMessageId:         request.GetId(),
		RejectedRequestSequencingEventId: request.GetEventId(),
		Failure:                          &failurepb.Failure{Message: "rejected"},
	})
}

func responds(request *protocolpb.Message) *protocolpb.Message {
	return message(request.GetId()+"/complete", request, &updatepb.Response{
		Meta:    &updatepb.Meta{UpdateId: request.GetProtocolInstanceId(), Identity: identity},
		Outcome: &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: payloads("outcome")}},
	})
}

func names(message *protocolpb.Message) *commandpb.Command {
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_PROTOCOL_MESSAGE,
		Attributes: &commandpb.Command_ProtocolMessageCommandAttributes{
			ProtocolMessageCommandAttributes: &commandpb.ProtocolMessageCommandAttributes{MessageId: message.Id}},
	}
}

// say completes a task with messages.
func (p *Play) say(task workflowTask, messages []*protocolpb.Message, commands ...*commandpb.Command) {
	request := p.completionOf(task, commands...)
	request.Messages = messages
	p.send(request)
}

// first is the update that a task has brought; an empty message when there is none.
func first(task workflowTask) *protocolpb.Message {
	if len(task.GetMessages()) == 0 {
		return &protocolpb.Message{}
	}
	return task.GetMessages()[0]
}

func (p *Play) idle() {
	p.silently(func() {
		p.start()
		p.step()
	})
}

// ---- scripts

func (Behaviour) UpdateOfAnIdleRunIsAcceptedAndCompleted(p *Play) {
	p.idle()
	update := p.update("u")
	task := p.poll()
	request := first(task)
	accept, respond := accepts(request), responds(request)
	p.say(task, []*protocolpb.Message{accept, respond}, names(accept), names(respond))
	update.await()
	p.history()
	p.describe()
	p.send(p.pollUpdateOf("u", stageCompleted))
	p.send(p.updateOf("u"))
}

func (Behaviour) UpdateThatIsRejectedLeavesNoTrace(p *Play) {
	p.idle()
	update := p.update("u")
	task := p.poll()
	p.say(task, []*protocolpb.Message{rejects(first(task))})
	update.await()
	p.history()
	p.send(p.pollUpdateOf("u", stageCompleted))
	p.signal("next")
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) UpdateWithTheFirstTask(p *Play) {
	p.start()
	update := p.update("u", until(stageAccepted))
	task := p.poll()
	p.say(task, []*protocolpb.Message{accepts(first(task))})
	update.await()
	p.send(p.pollUpdateOf("u", stageAccepted))
	p.history()
}

func (Behaviour) UpdateEndsADelay(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowStartDelay = seconds(60) })
	update := p.update("u", until(stageAccepted))
	task := p.poll()
	p.say(task, []*protocolpb.Message{accepts(first(task))})
	update.await()
	p.history()
}

func (Behaviour) RejectedUpdateLeavesADelay(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowStartDelay = seconds(4) })
	update := p.update("u")
	task := p.poll()
	p.say(task, []*protocolpb.Message{rejects(first(task))})
	update.await()
	p.history()
	p.signal("early")
	p.history()
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) SignalBesideAnUpdateOfADelayedRun(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowStartDelay = seconds(60) })
	update := p.update("u")
	p.signal("early")
	p.history()
	task := p.poll()
	p.say(task, []*protocolpb.Message{rejects(first(task))})
	update.await()
	p.history()
}

func (Behaviour) UpdateIsCompletedByALaterTask(p *Play) {
	p.idle()
	update := p.update("u", until(stageAccepted))
	task := p.poll()
	request := first(task)
	p.say(task, []*protocolpb.Message{accepts(request)})
	update.await()
	outcome := p.begin(p.pollUpdateOf("u", stageCompleted))
	p.signal("go on")
	p.say(p.poll(), []*protocolpb.Message{responds(request)})
	outcome.await()
	p.history()
}

func (Behaviour) UpdateBehindAStartedTaskComesWithTheNext(p *Play) {
	p.start()
	task := p.poll()
	update := p.update("u")
	request := p.completionOf(task)
	request.ReturnNewWorkflowTask = true
	answer := call[*workflowservice.RespondWorkflowTaskCompletedResponse](p, request)
	p.say(answer.GetWorkflowTask(), []*protocolpb.Message{rejects(first(answer.GetWorkflowTask()))})
	update.await()
	p.history()
}

func (Behaviour) UpdateIsRejectedForAWorkerThatDoesNotKnowIt(p *Play) {
	p.idle()
	update := p.update("u")
	p.step()
	update.await()
	p.history()
}

func (Behaviour) UpdateAndASignalBeforeTheTaskStarts(p *Play) {
	p.idle()
	update := p.update("u")
	p.signal("meanwhile")
	p.history()
	task := p.poll()
	p.say(task, []*protocolpb.Message{rejects(first(task))})
	update.await()
	p.history()
}

func (Behaviour) UpdateAndASignalWhileTheTaskRuns(p *Play) {
	p.idle()
	update := p.update("u")
	task := p.poll()
	p.signal("meanwhile")
	p.history()
	p.say(task, []*protocolpb.Message{rejects(first(task))})
	update.await()
	p.history()
	p.describe()
}

func (Behaviour) UpdateWhoseTaskTheWorkerFailsIsSentAgain(p *Play) {
	p.idle()
	update := p.update("u")
	p.failTask(p.poll(), enumspb.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE)
	p.history()
	task := p.poll()
	p.say(task, []*protocolpb.Message{accepts(first(task)), responds(first(task))})
	update.await()
	p.history()
}

func (Behaviour) UpdateWhoseTaskNobodyTakesInTime(p *Play) {
	p.idle()
	update := p.update("u")
	p.awaitEvent(enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
	p.history()
	task := p.poll()
	p.say(task, []*protocolpb.Message{accepts(first(task)), responds(first(task))})
	update.await()
	p.history()
}

func (Behaviour) UpdateIsAbortedWhenTheWorkflowCompletes(p *Play) {
	p.idle()
	update := p.update("u")
	p.say(p.poll(), nil, completeWorkflow())
	update.await()
	p.send(p.updateOf("v"))
	p.history()
}

func (Behaviour) UpdateThatWasAcceptedFailsWhenTheWorkflowIsTerminated(p *Play) {
	p.idle()
	update := p.update("u")
	task := p.poll()
	p.say(task, []*protocolpb.Message{accepts(first(task))})
	p.terminate()
	update.await()
	p.send(p.pollUpdateOf("u", stageCompleted))
	p.history()
}

func (Behaviour) UpdateWhoseScheduledTaskMeetsATermination(p *Play) {
	p.idle()
	update := p.update("u")
	p.terminate()
	update.await()
	p.history()
}

func (Behaviour) UpdateWhoseStartedTaskMeetsATermination(p *Play) {
	p.idle()
	update := p.update("u")
	task := p.poll()
	p.terminate()
	update.await()
	p.complete(task)
	p.history()
}

func (Behaviour) UpdateWithAHeartbeat(p *Play) {
	p.idle()
	update := p.update("u")
	task := p.poll()
	request := p.completionOf(task)
	request.ForceCreateNewWorkflowTask, request.ReturnNewWorkflowTask = true, true
	answer := call[*workflowservice.RespondWorkflowTaskCompletedResponse](p, request)
	brought := first(task)
	p.say(answer.GetWorkflowTask(), []*protocolpb.Message{accepts(brought), responds(brought)})
	update.await()
	p.history()
}

// badAnswer is a worker that says something wrong about an update.
func (p *Play) badAnswer(messages func(*protocolpb.Message) []*protocolpb.Message, commands ...*commandpb.Command) {
	p.idle()
	update := p.update("u")
	task := p.poll()
	p.say(task, messages(first(task)), commands...)
	update.await()
	p.history()
}

func (Behaviour) UpdateAcceptedTwice(p *Play) {
	p.badAnswer(func(r *protocolpb.Message) []*protocolpb.Message {
		return []*protocolpb.Message{accepts(r), accepts(r)}
	})
}

func (Behaviour) UpdateCompletedBeforeItIsAccepted(p *Play) {
	p.badAnswer(func(r *protocolpb.Message) []*protocolpb.Message {
		return []*protocolpb.Message{responds(r)}
	})
}

func (Behaviour) UpdateNamedByACommandWithoutAMessage(p *Play) {
	p.badAnswer(func(*protocolpb.Message) []*protocolpb.Message { return nil },
		names(&protocolpb.Message{Id: "absent"}))
}

func (Behaviour) UpdateThatNobodySent(p *Play) {
	p.badAnswer(func(*protocolpb.Message) []*protocolpb.Message {
		stranger := &protocolpb.Message{ProtocolInstanceId: "stranger"}
		return []*protocolpb.Message{message("m", stranger, &updatepb.Acceptance{
			AcceptedRequestMessageId: "m", AcceptedRequestSequencingEventId: 1})}
	})
}

func (Behaviour) UpdateMessagesOfAnotherProtocol(p *Play) {
	p.badAnswer(func(r *protocolpb.Message) []*protocolpb.Message {
		return []*protocolpb.Message{message("m", r, payload("no update"))}
	})
}

func (Behaviour) UpdateCallsThatAreRefused(p *Play) {
	p.send(p.updateOf("u"))
	p.send(p.pollUpdateOf("u", stageCompleted))
	p.idle()
	p.send(p.updateOf("u", func(r *updateRequest) { r.WorkflowExecution = nil }))
	p.send(p.updateOf("u", func(r *updateRequest) { r.WorkflowExecution.RunId = "no-uuid" }))
	p.send(p.updateOf("u", func(r *updateRequest) { r.Request = nil }))
	p.send(p.updateOf("u", func(r *updateRequest) { r.Request.Meta = nil }))
	p.send(p.updateOf("u", func(r *updateRequest) { r.Request.Input = nil }))
	p.send(p.updateOf("u", func(r *updateRequest) { r.Request.Input.Name = "" }))
	p.send(p.updateOf("u", until(enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED)))
	p.send(p.updateOf("u", func(r *updateRequest) {
		r.FirstExecutionRunId = "00000000-0000-0000-0000-000000000000"
	}))
	p.send(p.pollUpdateOf("never", stageCompleted))
	p.send(&workflowservice.PollWorkflowExecutionUpdateRequest{Namespace: defaultNamespace})
	p.terminate()
	p.send(p.updateOf("u"))
}

// ---- update-with-start

type multiOperation = workflowservice.ExecuteMultiOperationRequest_Operation

func startPart(start *startRequest) *multiOperation {
	return &multiOperation{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_StartWorkflow{StartWorkflow: start}}
}

func updatePart(update *updateRequest) *multiOperation {
	return &multiOperation{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_UpdateWorkflow{UpdateWorkflow: update}}
}

func (p *Play) both(start *startRequest, update *updateRequest) *workflowservice.ExecuteMultiOperationRequest {
	return &workflowservice.ExecuteMultiOperationRequest{
		Namespace: defaultNamespace, Operations: []*multiOperation{startPart(start), updatePart(update)},
	}
}

func useExisting(r *startRequest) {
	r.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
}

func (Behaviour) UpdateWithStartOfANewRun(p *Play) {
	update := p.begin(p.both(p.startOf(useExisting), p.updateOf("u")))
	task := p.poll()
	p.say(task, []*protocolpb.Message{accepts(first(task)), responds(first(task))})
	update.await()
	p.history()
	p.send(p.both(p.startOf(useExisting), p.updateOf("u")))
	p.terminate()
	p.send(p.both(p.startOf(useExisting), p.updateOf("u")))
}

func (Behaviour) UpdateWithStartOfARunThatIsThere(p *Play) {
	p.idle()
	another := func(r *startRequest) { r.RequestId = p.name("another") }
	p.send(p.both(p.startOf(another), p.updateOf("u")))
	update := p.begin(p.both(p.startOf(another, useExisting), p.updateOf("u")))
	task := p.poll()
	p.say(task, []*protocolpb.Message{rejects(first(task))})
	update.await()
	p.history()
}

func (Behaviour) UpdateWithStartThatIsRefused(p *Play) {
	p.send(&workflowservice.ExecuteMultiOperationRequest{Namespace: defaultNamespace})
	p.send(&workflowservice.ExecuteMultiOperationRequest{
		Namespace: defaultNamespace, Operations: []*multiOperation{updatePart(p.updateOf("u")), startPart(p.startOf())},
	})
	p.send(p.both(p.startOf(), p.updateOf("u", func(r *updateRequest) {
		r.WorkflowExecution = &commonpb.WorkflowExecution{WorkflowId: p.name("other")}
	})))
	p.send(p.both(p.startOf(func(r *startRequest) { r.CronSchedule = "* * * * *" }), p.updateOf("u")))
	p.send(p.both(p.startOf(func(r *startRequest) { r.WorkflowStartDelay = seconds(1) }), p.updateOf("u")))
	p.send(p.both(p.startOf(func(r *startRequest) { r.RequestEagerExecution = true }), p.updateOf("u")))
	p.send(p.both(p.startOf(func(r *startRequest) { r.WorkflowType = nil }), p.updateOf("u", func(r *updateRequest) {
		r.Request.Input = nil
	})))
	p.send(p.both(p.startOf(func(r *startRequest) { r.Namespace = "another" }), p.updateOf("u")))
	p.send(p.both(p.startOf(), p.updateOf("u", func(r *updateRequest) {
		r.FirstExecutionRunId = "00000000-0000-0000-0000-000000000000"
	})))
	p.history()
}
