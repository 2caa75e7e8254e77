package main

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// scheduled starts a run whose first task schedules an activity.
func (p *Play) scheduled(changes ...func(*scheduleAttributes)) {
	p.start()
	p.step(p.scheduleActivity("1", changes...))
}

func (Behaviour) ActivityCompletes(p *Play) {
	p.scheduled()
	p.describe()
	task := p.pollActivity()
	p.describe()
	p.completeActivity(task)
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) ActivityFillsInDefaults(p *Play) {
	p.scheduled(func(a *scheduleAttributes) { a.ScheduleToCloseTimeout = nil })
	p.history()
}

func (Behaviour) ActivityThatEndsTwiceIsNotFound(p *Play) {
	p.scheduled()
	task := p.pollActivity()
	p.completeActivity(task)
	p.completeActivity(task)
	p.failActivity(task, applicationFailure("Late", false))
	p.cancelActivity(task.TaskToken)
	p.heartbeat(task.TaskToken)
}

func (Behaviour) FailedActivityIsRetried(p *Play) {
	p.scheduled(attempts(2))
	p.failActivity(p.pollActivity(), applicationFailure("Once", false))
	task := p.pollActivity()
	p.describe()
	p.failActivity(task, applicationFailure("Twice", false))
	p.poll()
	p.history()
}

func (Behaviour) NonRetryableActivityFailsAtOnce(p *Play) {
	p.scheduled()
	p.failActivity(p.pollActivity(), applicationFailure("Fatal", true))
	p.history()
}

func (Behaviour) StaleAttemptOfAnActivityIsNotFound(p *Play) {
	p.scheduled(attempts(3))
	stale := p.pollActivity()
	p.failActivity(stale, applicationFailure("Once", false))
	p.pollActivity()
	p.completeActivity(stale)
	p.heartbeat(stale.TaskToken)
	p.history()
}

func (Behaviour) HeartbeatDetailsReachTheNextAttempt(p *Play) {
	p.scheduled(attempts(2))
	task := p.pollActivity()
	p.heartbeat(task.TaskToken)
	p.describe()
	p.failActivity(task, applicationFailure("Once", false))
	p.completeActivity(p.pollActivity())
	p.history()
}

func (Behaviour) CanceledActivityLearnsFromItsHeartbeat(p *Play) {
	p.scheduled()
	task := p.pollActivity()
	p.signal("go on")
	p.step(requestCancelActivity(5))
	p.heartbeat(task.TaskToken)
	p.describe()
	p.cancelActivity(task.TaskToken)
	p.history()
}

func (Behaviour) UnstartedActivityIsCanceledAtOnce(p *Play) {
	p.scheduled()
	p.signal("go on")
	p.step(requestCancelActivity(5))
	p.history()
}

func (Behaviour) CanceledWithoutRequestIsRefused(p *Play) {
	p.scheduled()
	p.cancelActivity(p.pollActivity().TaskToken)
	p.history()
}

func (Behaviour) ActivityTimesOutAfterStart(p *Play) {
	p.scheduled(attempts(1), func(a *scheduleAttributes) { a.StartToCloseTimeout = seconds(1) })
	p.pollActivity()
	p.poll()
	p.history()
}

func (Behaviour) ActivityTimesOutBeforeStart(p *Play) {
	p.scheduled(func(a *scheduleAttributes) { a.ScheduleToStartTimeout = seconds(1) })
	p.poll()
	p.history()
}

func (Behaviour) ActivityTimesOutWithoutHeartbeat(p *Play) {
	p.scheduled(attempts(1), func(a *scheduleAttributes) { a.HeartbeatTimeout = seconds(1) })
	p.heartbeat(p.pollActivity().TaskToken)
	p.poll()
	p.history()
}

func (Behaviour) ActivityTimesOutOverall(p *Play) {
	p.scheduled(func(a *scheduleAttributes) { a.ScheduleToCloseTimeout = seconds(1) })
	p.pollActivity()
	p.poll()
	p.history()
}

func (p *Play) completionByID(id string) *workflowservice.RespondActivityTaskCompletedByIdRequest {
	return &workflowservice.RespondActivityTaskCompletedByIdRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), ActivityId: id, Result: payloads("by id"), Identity: identity}
}

func (Behaviour) ActivityCompletesById(p *Play) {
	p.scheduled()
	p.pollActivity()
	p.send(p.completionByID("1"))
	p.send(p.completionByID("1"))
	p.history()
}

func (Behaviour) UnstartedActivityCompletesById(p *Play) {
	p.scheduled()
	p.send(p.completionByID("1"))
	p.history()
}

func (Behaviour) ActivityFailsById(p *Play) {
	p.scheduled(attempts(1))
	p.pollActivity()
	p.send(&workflowservice.RecordActivityTaskHeartbeatByIdRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), ActivityId: "1", Details: payloads("progress"), Identity: identity})
	p.send(&workflowservice.RespondActivityTaskFailedByIdRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), ActivityId: "1", Failure: applicationFailure("Failed", false), Identity: identity})
	p.history()
}

func (Behaviour) UnknownActivityIdIsNotFound(p *Play) {
	p.start()
	p.send(p.completionByID("none"))
}

func (Behaviour) ActivityEndsDuringATask(p *Play) {
	p.scheduled()
	activity := p.pollActivity()
	p.signal("go on")
	task := p.poll()
	p.completeActivity(activity)
	p.history()
	p.complete(task)
	p.history()
}

func (Behaviour) ActivityOutlivesItsRun(p *Play) {
	p.scheduled()
	task := p.pollActivity()
	p.terminate()
	p.heartbeat(task.TaskToken)
	p.completeActivity(task)
}

func (Behaviour) HistoryIsReadInPages(p *Play) {
	p.scheduled()
	request := p.historyOf(p.run())
	request.MaximumPageSize = 2
	for pages := 0; pages < 4; pages++ {
		answer := call[*workflowservice.GetWorkflowExecutionHistoryResponse](p, request)
		if request.NextPageToken = answer.NextPageToken; len(request.NextPageToken) == 0 {
			return
		}
	}
}

func (Behaviour) HistoryIsReadInReverse(p *Play) {
	p.scheduled()
	p.send(&workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace: defaultNamespace, Execution: p.run(), MaximumPageSize: 100})
}

func (Behaviour) CloseFilterOfARunningRunReturnsTheLastEvent(p *Play) {
	p.start()
	request := p.historyOf(p.run())
	request.HistoryEventFilterType = enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
	p.send(request)
}

func (Behaviour) HistoryWaitsForNewEvents(p *Play) {
	p.start()
	request := p.historyOf(p.run())
	request.WaitNewEvent = true
	answer := call[*workflowservice.GetWorkflowExecutionHistoryResponse](p, request)
	p.silently(func() { p.signal("news") })
	request.NextPageToken = answer.NextPageToken
	p.send(request)
}
