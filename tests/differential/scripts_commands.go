package main

import (
	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
)

// refusedCommands completes the first task with commands that are not valid, which fails the task.
func (p *Play) refusedCommands(commands ...*commandpb.Command) {
	p.start()
	p.complete(p.poll(), commands...)
	p.history()
	p.describe()
}

func (Behaviour) TwoCloseCommandsAreRefused(p *Play) {
	p.refusedCommands(completeWorkflow(), failWorkflow("Too"))
}

func (Behaviour) CommandAfterACloseIsRefused(p *Play) {
	p.refusedCommands(completeWorkflow(), recordMarker("late"))
}

func (Behaviour) DuplicateTimerIdIsRefused(p *Play) {
	p.refusedCommands(startTimer("same", 60), startTimer("same", 60))
}

func (Behaviour) TimerWithoutIdIsRefused(p *Play)          { p.refusedCommands(startTimer("", 60)) }
func (Behaviour) TimerOfNegativeTimeIsRefused(p *Play)     { p.refusedCommands(startTimer("past", -1)) }
func (Behaviour) TimerWithALongIdIsRefused(p *Play)        { p.refusedCommands(startTimer(long(), 60)) }
func (Behaviour) CancelOfAnUnknownTimerIsRefused(p *Play)  { p.refusedCommands(cancelTimer("none")) }
func (Behaviour) CancelOfATimerWithoutIdIsRefused(p *Play) { p.refusedCommands(cancelTimer("")) }
func (Behaviour) MarkerWithoutNameIsRefused(p *Play)       { p.refusedCommands(recordMarker("")) }
func (Behaviour) MarkerWithALongNameIsRefused(p *Play)     { p.refusedCommands(recordMarker(long())) }

func (Behaviour) MemoUpsertOfNothingIsRefused(p *Play) { p.refusedCommands(upsertMemo(nil)) }

func (Behaviour) UnknownSearchAttributeIsRefused(p *Play) {
	p.refusedCommands(upsertSearchAttributes(map[string]*commonpb.Payload{"Nothing": payload("x")}))
}

func (Behaviour) CommandOfUnknownTypeIsRefused(p *Play) {
	p.refusedCommands(&commandpb.Command{CommandType: 99})
}

func (Behaviour) CommandWithoutAttributesIsRefused(p *Play) {
	p.refusedCommands(&commandpb.Command{CommandType: enumspb.COMMAND_TYPE_START_TIMER})
}

func (Behaviour) FailureOfARunNeedsAFailure(p *Play) {
	p.refusedCommands(&commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_FailWorkflowExecutionCommandAttributes{
			FailWorkflowExecutionCommandAttributes: &commandpb.FailWorkflowExecutionCommandAttributes{}}})
}

func (Behaviour) ContinueAsNewWithABadTimeoutIsRefused(p *Play) {
	p.refusedCommands(p.continueAsNew(func(a *continueAttributes) { a.WorkflowRunTimeout = seconds(-1) }))
}

func (Behaviour) SignalOfARunWithoutIdIsRefused(p *Play) {
	p.refusedCommands(signalExternal(p.runOf("", ""), "hello"))
}

func (Behaviour) ExternalSignalWithoutNameIsRefused(p *Play) {
	p.refusedCommands(signalExternal(p.runOf(p.name("target"), ""), ""))
}

func (Behaviour) SignalOfABadRunIdIsRefused(p *Play) {
	p.refusedCommands(signalExternal(p.runOf(p.name("target"), "not-a-run"), "hello"))
}

func (Behaviour) CancelOfARunWithoutIdIsRefused(p *Play) {
	p.refusedCommands(cancelExternal(p.runOf("", "")))
}

func (Behaviour) ActivityWithoutIdIsRefused(p *Play) { p.refusedCommands(p.scheduleActivity("")) }

func (Behaviour) DuplicateActivityIdIsRefused(p *Play) {
	p.refusedCommands(p.scheduleActivity("same"), p.scheduleActivity("same"))
}

func (Behaviour) ActivityWithALongIdIsRefused(p *Play) { p.refusedCommands(p.scheduleActivity(long())) }

func (Behaviour) ActivityWithoutTypeIsRefused(p *Play) {
	p.refusedCommands(p.scheduleActivity("1", func(a *scheduleAttributes) { a.ActivityType = nil }))
}

func (Behaviour) ActivityWithoutTimeoutsIsRefused(p *Play) {
	p.refusedCommands(p.scheduleActivity("1", func(a *scheduleAttributes) {
		a.ScheduleToCloseTimeout, a.StartToCloseTimeout = nil, nil
	}))
}

func (Behaviour) ActivityWithANegativeTimeoutIsRefused(p *Play) {
	p.refusedCommands(p.scheduleActivity("1", func(a *scheduleAttributes) { a.HeartbeatTimeout = seconds(-1) }))
}

func (Behaviour) ActivityWithABadRetryPolicyIsRefused(p *Play) {
	p.refusedCommands(p.scheduleActivity("1", func(a *scheduleAttributes) {
		a.RetryPolicy = &commonpb.RetryPolicy{BackoffCoefficient: 0.5}
	}))
}

func (Behaviour) ActivityOnAnInternalQueueIsRefused(p *Play) {
	p.refusedCommands(p.scheduleActivity("1", func(a *scheduleAttributes) { a.TaskQueue.Name = "/_sys/queue" }))
}

func (Behaviour) CancelOfAnUnknownActivityIsRefused(p *Play) {
	p.refusedCommands(requestCancelActivity(4))
}

func (Behaviour) TimerFires(p *Play) {
	p.start()
	p.step(startTimer("one", 1))
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) CanceledTimerDoesNotFire(p *Play) {
	p.start()
	p.step(startTimer("one", 60), startTimer("two", 61))
	p.signal("go on")
	p.step(cancelTimer("one"), startTimer("one", 62))
	p.history()
}

func (Behaviour) TimerCanceledInTheTaskThatStartsIt(p *Play) {
	p.start()
	p.step(startTimer("one", 60), cancelTimer("one"))
	p.history()
}

func (Behaviour) TimerOfNoDurationFiresAtOnce(p *Play) {
	p.start()
	p.step(startTimer("zero", 0))
	p.step(completeWorkflow())
	p.history()
}
