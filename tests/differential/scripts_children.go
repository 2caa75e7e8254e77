package main

import (
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
)

type childAttributes = commandpb.StartChildWorkflowExecutionCommandAttributes

func (p *Play) child() string { return p.name("child") }
func (p *Play) childQueue() *taskqueuepb.TaskQueue {
	return &taskqueuepb.TaskQueue{Name: p.name("child-queue")}
}

func (p *Play) startChild(changes ...func(*childAttributes)) *commandpb.Command {
	attributes := &childAttributes{
		WorkflowId: p.child(), WorkflowType: &commonpb.WorkflowType{Name: "Child"},
		TaskQueue: p.childQueue(), Input: payloads("for the child"), Header: header("child"),
		Control: "control",
	}
	for _, change := range changes {
		change(attributes)
	}
	return &commandpb.Command{
		CommandType: enumspb.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_StartChildWorkflowExecutionCommandAttributes{
			StartChildWorkflowExecutionCommandAttributes: attributes},
	}
}

// parent starts a run whose first task starts a child, and waits until the child runs.
func (p *Play) parent(changes ...func(*childAttributes)) {
	p.start()
	p.step(p.startChild(changes...))
	p.awaitEvent(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
}

func (p *Play) childStep(commands ...*commandpb.Command) {
	p.complete(p.pollFrom(p.childQueue()), commands...)
}

func (p *Play) childHistory() {
	p.send(p.historyOf(&commonpb.WorkflowExecution{WorkflowId: p.child()}))
}

// childEnds waits for the child's closing event.
func (p *Play) childEnds() {
	request := p.historyOf(&commonpb.WorkflowExecution{WorkflowId: p.child()})
	request.WaitNewEvent = true
	request.HistoryEventFilterType = enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
	p.send(request)
}

func closePolicy(policy enumspb.ParentClosePolicy) func(*childAttributes) {
	return func(a *childAttributes) { a.ParentClosePolicy = policy }
}

func (Behaviour) ChildCompletes(p *Play) {
	p.parent()
	p.describe()
	p.childStep(completeWorkflow())
	p.awaitEvent(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
	p.step(completeWorkflow())
	p.history()
	p.childHistory()
}

func (Behaviour) ChildFails(p *Play) {
	p.parent()
	p.childStep(failWorkflow("Broken"))
	p.awaitEvent(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
	p.history()
}

func (Behaviour) ChildIsTerminated(p *Play) {
	p.parent()
	p.send(&workflowservice.TerminateWorkflowExecutionRequest{
		Namespace: defaultNamespace, Reason: "enough", Identity: identity,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: p.child()},
	})
	p.awaitEvent(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED)
	p.history()
}

func (Behaviour) ChildTimesOut(p *Play) {
	p.parent(func(a *childAttributes) { a.WorkflowRunTimeout = seconds(1) })
	p.awaitEvent(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT)
	p.history()
	p.childHistory()
}

func (Behaviour) ChildIsCanceledByItsParent(p *Play) {
	p.parent()
	p.step(cancelExternal(&commonpb.WorkflowExecution{WorkflowId: p.child()}))
	p.awaitEvent(enumspb.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
	p.childStep(cancelWorkflow())
	p.awaitEvent(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED)
	p.history()
	p.childHistory()
}

func (Behaviour) ChildWhoseIdIsTakenIsNotStarted(p *Play) {
	p.start(func(r *startRequest) { r.WorkflowId = p.child(); r.TaskQueue = p.childQueue() })
	p.start()
	p.step(p.startChild())
	p.awaitEvent(enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
	p.poll()
	p.history()
}

func (Behaviour) ChildFillsInDefaults(p *Play) {
	p.parent(func(a *childAttributes) {
		a.TaskQueue = nil
		a.WorkflowExecutionTimeout = seconds(50)
	})
	p.history()
	p.childHistory()
}

func (Behaviour) ChildIsTriedAgain(p *Play) {
	p.parent(func(a *childAttributes) {
		a.RetryPolicy = &commonpb.RetryPolicy{MaximumAttempts: 2, InitialInterval: seconds(1)}
	})
	p.childStep(failWorkflow("Once"))
	p.childStep(completeWorkflow())
	p.awaitEvent(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
	p.history()
	p.childHistory()
}

func (Behaviour) ChildContinuesAsNew(p *Play) {
	p.parent()
	p.childStep(p.continueAsNew(func(a *continueAttributes) { a.TaskQueue = p.childQueue() }))
	p.childStep(completeWorkflow())
	p.awaitEvent(enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
	p.history()
	p.childHistory()
}

func (Behaviour) ClosingParentTerminatesItsChild(p *Play) {
	p.parent()
	p.step(completeWorkflow())
	p.childEnds()
	p.childHistory()
}

func (Behaviour) ClosingParentCancelsItsChild(p *Play) {
	p.parent(closePolicy(enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL))
	p.childStep()
	p.step(completeWorkflow())
	p.childStep(cancelWorkflow())
	p.childHistory()
}

func (Behaviour) ClosingParentLeavesAnAbandonedChild(p *Play) {
	p.parent(closePolicy(enumspb.PARENT_CLOSE_POLICY_ABANDON))
	p.step(completeWorkflow())
	p.childStep(completeWorkflow())
	p.childHistory()
}

func (Behaviour) TerminatedParentTerminatesItsChild(p *Play) {
	p.parent()
	p.terminate()
	p.childEnds()
	p.history()
}

func (Behaviour) ContinuedParentTerminatesItsChild(p *Play) {
	p.parent()
	p.step(p.continueAsNew())
	p.childEnds()
	p.childHistory()
}

func (Behaviour) StartAndCancelOfAChildInOneTaskAreRefused(p *Play) {
	p.start()
	p.step(p.startChild(), cancelExternal(&commonpb.WorkflowExecution{WorkflowId: p.child()}))
	p.history()
}

// badChild starts a child that can not be, and shows what becomes of the task.
func (p *Play) badChild(change func(*childAttributes)) {
	p.start()
	p.step(p.startChild(change))
	p.history()
}

func (Behaviour) ChildWithoutIdIsRefused(p *Play) {
	p.badChild(func(a *childAttributes) { a.WorkflowId = "" })
}

func (Behaviour) ChildWithoutTypeIsRefused(p *Play) {
	p.badChild(func(a *childAttributes) { a.WorkflowType = nil })
}

func (Behaviour) ChildWithLongIdIsRefused(p *Play) {
	p.badChild(func(a *childAttributes) { a.WorkflowId = long() })
}

func (Behaviour) ChildWithNegativeTimeoutIsRefused(p *Play) {
	p.badChild(func(a *childAttributes) { a.WorkflowRunTimeout = seconds(-1) })
}

func (Behaviour) ChildWithBadRetryPolicyIsRefused(p *Play) {
	p.badChild(func(a *childAttributes) {
		a.RetryPolicy = &commonpb.RetryPolicy{BackoffCoefficient: 0.5}
	})
}

func (Behaviour) ChildWithBadScheduleIsRefused(p *Play) {
	p.badChild(func(a *childAttributes) { a.CronSchedule = "now and then" })
}

func (Behaviour) ChildWithBadPriorityIsRefused(p *Play) {
	p.badChild(func(a *childAttributes) { a.Priority = &commonpb.Priority{PriorityKey: -1} })
}

func (Behaviour) ChildOnTheServersQueueIsRefused(p *Play) {
	p.badChild(func(a *childAttributes) {
		a.TaskQueue = &taskqueuepb.TaskQueue{Name: "temporal-sys-per-ns-tq"}
	})
}

// ---- schedules and chains

func (Behaviour) ScheduledRunBeginsAgain(p *Play) {
	p.start(func(r *startRequest) { r.CronSchedule = "@every 1s"; r.WorkflowExecutionTimeout = nil })
	p.step(completeWorkflow())
	p.step(failWorkflow("Broken"))
	p.poll()
	p.history()
	p.terminate()
}

func (Behaviour) ScheduledRunIsSignaledWithoutATask(p *Play) {
	p.start(func(r *startRequest) { r.CronSchedule = "@every 10s" })
	p.signal("early")
	p.history()
	p.terminate()
}

func (Behaviour) TimedOutScheduledRunBeginsAgain(p *Play) {
	p.start(func(r *startRequest) {
		r.CronSchedule = "@every 1s"
		r.WorkflowRunTimeout = seconds(1)
	})
	time.Sleep(2500 * time.Millisecond)
	p.poll()
	p.history()
	p.terminate()
}

func (Behaviour) BadSchedulesAreRefused(p *Play) {
	for _, schedule := range []string{
		"x", "* * * *", "60 * * * *", "0 0 31 2 *", "@never", "@every", "CRON_TZ=Nowhere * * * * *",
	} {
		p.start(func(r *startRequest) { r.CronSchedule = schedule })
	}
}

func (Behaviour) SecondStartAttachesItsRequest(p *Play) {
	attach := func(r *startRequest) {
		r.RequestId = p.name("second")
		r.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	}
	p.start()
	p.start(func(r *startRequest) {
		attach(r)
		r.OnConflictOptions = attachRequestID()
	})
	p.start(attach)
	p.describe()
	p.history()
}

func attachRequestID() *workflowpb.OnConflictOptions {
	return &workflowpb.OnConflictOptions{AttachRequestId: true}
}
