package main

import (
	activitypb "go.temporal.io/api/activity/v1"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// What operators do to pending activities.

func (p *Play) pauseActivityOf(id, request string) *workflowservice.PauseActivityRequest {
	return &workflowservice.PauseActivityRequest{Namespace: defaultNamespace, Execution: p.run(),
		Activity: &workflowservice.PauseActivityRequest_Id{Id: id}, Identity: identity,
		Reason: "to look at it", RequestId: request}
}

func (p *Play) pauseActivity(id string) { p.send(p.pauseActivityOf(id, "pause")) }

func (p *Play) unpauseActivityOf(id string) *workflowservice.UnpauseActivityRequest {
	return &workflowservice.UnpauseActivityRequest{Namespace: defaultNamespace, Execution: p.run(),
		Activity: &workflowservice.UnpauseActivityRequest_Id{Id: id}, Identity: identity}
}

func (p *Play) unpauseActivity(id string) { p.send(p.unpauseActivityOf(id)) }

func (p *Play) resetActivityOf(id string) *workflowservice.ResetActivityRequest {
	return &workflowservice.ResetActivityRequest{Namespace: defaultNamespace, Execution: p.run(),
		Activity: &workflowservice.ResetActivityRequest_Id{Id: id}, Identity: identity}
}

func (p *Play) activityOptionsOf(id string, options *activitypb.ActivityOptions,
	paths ...string) *workflowservice.UpdateActivityOptionsRequest {
	return &workflowservice.UpdateActivityOptionsRequest{Namespace: defaultNamespace,
		Execution: p.run(), Activity: &workflowservice.UpdateActivityOptionsRequest_Id{Id: id},
		Identity: identity, ActivityOptions: options, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}}
}

// slowRetry makes an activity wait long between attempts.
func slowRetry(a *scheduleAttributes) {
	a.ScheduleToCloseTimeout = seconds(3600)
	a.RetryPolicy = &commonpb.RetryPolicy{InitialInterval: durationpb.New(600e9), BackoffCoefficient: 1}
}

// failedOnce starts a run whose activity waits for its second attempt.
func (p *Play) failedOnce() {
	p.scheduled(slowRetry)
	p.failActivity(p.pollActivity(), applicationFailure("Once", false))
}

func (Behaviour) QueuedActivityIsPausedAndUnpaused(p *Play) {
	p.scheduled()
	p.pauseActivity("1")
	p.describe()
	p.unpauseActivity("1")
	p.describe()
	p.completeActivity(p.pollActivity())
	p.history()
}

func (Behaviour) RunningActivityLearnsOfItsPause(p *Play) {
	p.scheduled()
	task := p.pollActivity()
	p.pauseActivity("1")
	p.describe()
	p.heartbeat(task.TaskToken)
	p.completeActivity(task)
	p.history()
}

func (Behaviour) PausedActivityHoldsItsNextAttempt(p *Play) {
	p.scheduled(slowRetry)
	task := p.pollActivity()
	p.pauseActivity("1")
	p.failActivity(task, applicationFailure("Held", false))
	p.describe()
	p.unpauseActivity("1")
	p.describe()
	p.completeActivity(p.pollActivity())
	p.history()
}

func (Behaviour) PausedActivityMayFailForGood(p *Play) {
	p.scheduled()
	task := p.pollActivity()
	p.pauseActivity("1")
	p.failActivity(task, applicationFailure("Fatal", true))
	p.history()
}

func (Behaviour) PauseIsIdempotentByRequest(p *Play) {
	p.scheduled()
	p.send(p.pauseActivityOf("1", "a"))
	p.send(p.pauseActivityOf("1", "a"))
	p.send(p.pauseActivityOf("1", "b"))
}

func (Behaviour) BackoffEndsWithUnpause(p *Play) {
	p.failedOnce()
	p.pauseActivity("1")
	p.describe()
	p.unpauseActivity("1")
	p.completeActivity(p.pollActivity())
	p.history()
}

func (Behaviour) UnpauseResetsAttemptsAndHeartbeats(p *Play) {
	p.scheduled(slowRetry)
	task := p.pollActivity()
	p.heartbeat(task.TaskToken)
	p.failActivity(task, applicationFailure("Once", false))
	p.pauseActivity("1")
	request := p.unpauseActivityOf("1")
	request.ResetAttempts, request.ResetHeartbeat = true, true
	p.send(request)
	p.pollActivity()
	p.describe()
}

func (Behaviour) UnpauseOfWhatIsNotPausedSucceeds(p *Play) {
	p.scheduled()
	p.unpauseActivity("1")
	p.describe()
}

func (Behaviour) ActivitiesArePausedByType(p *Play) {
	p.start()
	p.step(p.scheduleActivity("1"), p.scheduleActivity("2"))
	p.send(&workflowservice.PauseActivityRequest{Namespace: defaultNamespace, Execution: p.run(),
		Activity: &workflowservice.PauseActivityRequest_Type{Type: "Activity"}, Identity: identity})
	p.send(&workflowservice.PauseActivityRequest{Namespace: defaultNamespace, Execution: p.run(),
		Activity: &workflowservice.PauseActivityRequest_Type{Type: "none"}, Identity: identity})
	p.send(&workflowservice.UnpauseActivityRequest{Namespace: defaultNamespace, Execution: p.run(),
		Activity: &workflowservice.UnpauseActivityRequest_UnpauseAll{UnpauseAll: true}, Identity: identity})
	// Which comes first is left open.
	p.silently(func() { p.pollActivity(); p.pollActivity() })
}

func (Behaviour) NoTimeoutWhilePaused(p *Play) {
	p.scheduled(attempts(1), func(a *scheduleAttributes) { a.StartToCloseTimeout = seconds(1) })
	p.pollActivity()
	p.pauseActivity("1")
	p.pollNothing()
	p.describe()
	p.unpauseActivity("1")
	p.poll()
	p.history()
}

func (Behaviour) ResetBeginsAtOnce(p *Play) {
	p.failedOnce()
	p.send(p.resetActivityOf("1"))
	p.describe()
	p.completeActivity(p.pollActivity())
	p.history()
}

func (Behaviour) ResetIsToldToARunningAttempt(p *Play) {
	p.scheduled()
	task := p.pollActivity()
	p.send(p.resetActivityOf("1"))
	p.describe()
	p.heartbeat(task.TaskToken)
	p.completeActivity(task)
	p.history()
}

func (Behaviour) ResetMakesALaterAttemptStale(p *Play) {
	p.scheduled(attempts(5))
	p.failActivity(p.pollActivity(), applicationFailure("Once", false))
	task := p.pollActivity()
	p.send(p.resetActivityOf("1"))
	p.heartbeat(task.TaskToken)
	p.completeActivity(task)
}

func (Behaviour) ResetKeepsThePause(p *Play) {
	p.failedOnce()
	p.pauseActivity("1")
	request := p.resetActivityOf("1")
	request.KeepPaused = true
	p.send(request)
	p.describe()
	p.send(p.resetActivityOf("1"))
	p.describe()
}

func (Behaviour) ResetForgetsHeartbeats(p *Play) {
	p.scheduled(slowRetry)
	task := p.pollActivity()
	p.heartbeat(task.TaskToken)
	request := p.resetActivityOf("1")
	request.ResetHeartbeat = true
	p.send(request)
	p.describe()
	p.failActivity(task, applicationFailure("Once", false))
	p.describe()
}

func (Behaviour) OptionsChangeByMask(p *Play) {
	p.scheduled()
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{
		HeartbeatTimeout: seconds(3), StartToCloseTimeout: seconds(99),
		RetryPolicy: &commonpb.RetryPolicy{MaximumAttempts: 7},
		Priority:    &commonpb.Priority{PriorityKey: 2},
	}, "heartbeat_timeout", "retryPolicy.maximumAttempts", "priority.priority_key"))
	p.describe()
	p.pollActivity()
}

func (Behaviour) OptionsAreRestored(p *Play) {
	p.scheduled()
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{ScheduleToCloseTimeout: seconds(50),
		RetryPolicy: &commonpb.RetryPolicy{InitialInterval: seconds(5)}},
		"schedule_to_close_timeout", "retry_policy.initial_interval"))
	request := p.activityOptionsOf("1", nil)
	request.UpdateMask, request.RestoreOriginal = nil, true
	p.send(request)
	p.describe()
}

func (Behaviour) ShorterScheduleToCloseEndsABackoff(p *Play) {
	p.failedOnce()
	p.silently(func() { p.pollNothing() })
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{ScheduleToCloseTimeout: seconds(1)},
		"schedule_to_close_timeout"))
	p.poll()
	p.history()
}

func (Behaviour) BadOptionsAreRefused(p *Play) {
	p.scheduled()
	p.send(p.activityOptionsOf("1", nil, "priority"))
	request := p.activityOptionsOf("1", &activitypb.ActivityOptions{})
	request.UpdateMask = nil
	p.send(request)
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{}, "task_queue.name"))
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{}, "priority.fairness_key"))
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{}, "retry_policy.maximum_attempts"))
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{RetryPolicy: &commonpb.RetryPolicy{BackoffCoefficient: 0.5}},
		"retry_policy.backoff_coefficient"))
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{HeartbeatTimeout: durationpb.New(-1e9)},
		"heartbeat_timeout"))
	both := p.activityOptionsOf("1", &activitypb.ActivityOptions{}, "priority")
	both.RestoreOriginal = true
	p.send(both)
	p.send(p.activityOptionsOf("1", &activitypb.ActivityOptions{Priority: &commonpb.Priority{PriorityKey: -1}}, "priority"))
	p.send(p.activityOptionsOf("none", &activitypb.ActivityOptions{}, "priority"))
}

func (Behaviour) ControlOfMissingActivitiesIsNotFound(p *Play) {
	p.start()
	p.pauseActivity("none")
	p.unpauseActivity("none")
	p.send(p.resetActivityOf("none"))
	unset := p.pauseActivityOf("", "")
	unset.Activity = nil
	p.send(unset)
	nobody := p.pauseActivityOf("1", "")
	nobody.Execution = p.runOf(p.name("nobody"), "")
	p.send(nobody)
	nobody.Execution = p.runOf("", "")
	p.send(nobody)
	p.terminate()
	p.pauseActivity("none")
}

func (Behaviour) SingleActivityIsControlledById(p *Play) {
	p.failedOnce()
	p.send(&workflowservice.PauseActivityExecutionRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), ActivityId: "1", Identity: identity, Reason: "why", RequestId: "r"})
	p.describe()
	p.send(&workflowservice.UnpauseActivityExecutionRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), ActivityId: "1", Identity: identity})
	p.send(&workflowservice.ResetActivityExecutionRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), ActivityId: "1", Identity: identity})
	p.send(&workflowservice.UpdateActivityExecutionOptionsRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), ActivityId: "1", Identity: identity,
		ActivityOptions: &activitypb.ActivityOptions{HeartbeatTimeout: seconds(2)},
		UpdateMask:      &fieldmaskpb.FieldMask{Paths: []string{"heartbeat_timeout"}}})
	p.send(&workflowservice.UpdateActivityExecutionOptionsRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), ActivityId: "1", Identity: identity,
		ActivityOptions: &activitypb.ActivityOptions{},
		UpdateMask:      &fieldmaskpb.FieldMask{Paths: []string{"no_such_option"}}})
	p.send(&workflowservice.PauseActivityExecutionRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), RunId: "no uuid", ActivityId: "1", Identity: identity})
	p.send(&workflowservice.ResetActivityExecutionRequest{Namespace: defaultNamespace,
		WorkflowId: p.id(), Identity: identity})
}
