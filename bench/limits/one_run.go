package main

import (
	"context"
	"fmt"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"stele/bench/compare/clients"
	"stele/bench/compare/servers"
)

// Measurements of one run that has very much of something.

// activities schedules them all in one task; workers take and complete them; the run sees the end.
func (b *Bench) activities() error {
	const queue = "activities"
	commands := make([]*commandpb.Command, b.sizes.activities)
	for i := range commands {
		commands[i] = &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
			Attributes: &commandpb.Command_ScheduleActivityTaskCommandAttributes{
				ScheduleActivityTaskCommandAttributes: &commandpb.ScheduleActivityTaskCommandAttributes{
					ActivityId: name("activity", i), ActivityType: &commonpb.ActivityType{Name: "work"},
					TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, StartToCloseTimeout: durationpb.New(time.Hour)}}}
	}
	began, err := b.firstTask(queue, commands)
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("%d activities in one task: scheduled", len(commands)), milliseconds(time.Since(began)))
	began = time.Now()
	if err := clients.Parallel(len(commands), 32, func(int) error { return b.workActivity(queue) }); err != nil {
		return err
	}
	b.add(fmt.Sprintf("%d activities taken and completed by 32 workers", len(commands)),
		perSecond(len(commands), time.Since(began)))
	return b.lastTask(queue, enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, len(commands))
}

func (b *Bench) workActivity(queue string) error {
	for {
		ctx, cancel := context.WithTimeout(b.ctx, pollLimit)
		task, err := b.service.PollActivityTaskQueue(ctx, &workflowservice.PollActivityTaskQueueRequest{
			Namespace: servers.Namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, Identity: identity})
		cancel()
		if err != nil {
			return err
		}
		if len(task.TaskToken) == 0 {
			continue
		}
		_, err = b.service.RespondActivityTaskCompleted(b.ctx,
			&workflowservice.RespondActivityTaskCompletedRequest{Namespace: servers.Namespace,
				TaskToken: task.TaskToken, Identity: identity})
		return err
	}
}

// timers are all due at one moment.
func (b *Bench) timers() error {
	const queue = "timers"
	const delay = 5 * time.Second
	commands := make([]*commandpb.Command, b.sizes.timers)
	for i := range commands {
		commands[i] = &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_START_TIMER,
			Attributes: &commandpb.Command_StartTimerCommandAttributes{
				StartTimerCommandAttributes: &commandpb.StartTimerCommandAttributes{
					TimerId: name("timer", i), StartToFireTimeout: durationpb.New(delay)}}}
	}
	began, err := b.firstTask(queue, commands)
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("%d timers in one task: started", len(commands)), milliseconds(time.Since(began)))
	// Whatever fires late belongs to the task after the first.
	fired := 0
	for fired < len(commands) {
		task, err := b.poll(queue)
		if err != nil {
			return err
		}
		events, _, err := b.events(task)
		if err != nil {
			return err
		}
		if fired = count(events, enumspb.EVENT_TYPE_TIMER_FIRED); fired < len(commands) {
			err = b.complete(task, false)
		} else {
			err = b.complete(task, false, completeWorkflow())
		}
		if err != nil {
			return err
		}
	}
	b.add(fmt.Sprintf("%d timers due at once: from the moment to the worker's answer", len(commands)),
		milliseconds(time.Since(began)-delay))
	return nil
}

// signals reach one run from many clients while no worker looks.
func (b *Bench) signals() error {
	const queue = "signals"
	if err := b.start(queue, queue); err != nil {
		return err
	}
	began := time.Now()
	err := clients.Parallel(b.sizes.signals, 64, func(i int) error {
		_, err := b.service.SignalWorkflowExecution(b.ctx, &workflowservice.SignalWorkflowExecutionRequest{
			Namespace: servers.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: queue},
			SignalName: "signal", RequestId: name("signal", i), Identity: identity})
		return err
	})
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("%d signals to one run by 64 clients", b.sizes.signals),
		perSecond(b.sizes.signals, time.Since(began)))
	return b.lastTask(queue, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, b.sizes.signals)
}

// children are started by one task; a worker completes each, and the parent sees them all end.
func (b *Bench) children() error {
	const queue, childQueue = "children", "child"
	commands := make([]*commandpb.Command, b.sizes.children)
	for i := range commands {
		commands[i] = &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
			Attributes: &commandpb.Command_StartChildWorkflowExecutionCommandAttributes{
				StartChildWorkflowExecutionCommandAttributes: &commandpb.StartChildWorkflowExecutionCommandAttributes{
					Namespace: servers.Namespace, WorkflowId: name("child", i),
					WorkflowType: &commonpb.WorkflowType{Name: "child"},
					TaskQueue:    &taskqueuepb.TaskQueue{Name: childQueue}}}}
	}
	began, err := b.firstTask(queue, commands)
	if err != nil {
		return err
	}
	err = clients.Parallel(len(commands), 32, func(int) error {
		task, err := b.poll(childQueue)
		if err != nil {
			return err
		}
		return b.complete(task, false, completeWorkflow())
	})
	if err != nil {
		return err
	}
	ended := 0
	for ended < len(commands) {
		task, err := b.poll(queue)
		if err != nil {
			return err
		}
		events, _, err := b.events(task)
		if err != nil {
			return err
		}
		ended = count(events, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
		if ended < len(commands) {
			err = b.complete(task, false)
		} else {
			err = b.complete(task, false, completeWorkflow())
		}
		if err != nil {
			return err
		}
	}
	b.add(fmt.Sprintf("%d children of one parent: started, completed and known", len(commands)),
		perSecond(len(commands), time.Since(began)))
	return nil
}

// history grows by markers; then a cold worker reads all of it.
func (b *Bench) history() error {
	const queue, perTask = "history", 1000
	if err := b.start(queue, queue); err != nil {
		return err
	}
	commands := make([]*commandpb.Command, perTask)
	for i := range commands {
		commands[i] = &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_RECORD_MARKER,
			Attributes: &commandpb.Command_RecordMarkerCommandAttributes{
				RecordMarkerCommandAttributes: &commandpb.RecordMarkerCommandAttributes{MarkerName: name("marker", i)}}}
	}
	began := time.Now()
	for written := 0; written+perTask < b.sizes.events; written += perTask + 3 {
		task, err := b.poll(queue)
		if err != nil {
			return err
		}
		if err := b.complete(task, true, commands...); err != nil {
			return err
		}
	}
	b.add(fmt.Sprintf("history of %d events: written, 1000 a task", b.sizes.events), milliseconds(time.Since(began)))
	task, err := b.poll(queue)
	if err != nil {
		return err
	}
	began = time.Now()
	events, pages, err := b.events(task)
	if err != nil {
		return err
	}
	for i, event := range events {
		if event.EventId != int64(i)+1 {
			return fmt.Errorf("event %d stands at place %d", event.EventId, i+1)
		}
	}
	b.add(fmt.Sprintf("history of %d events: read by a cold worker", b.sizes.events),
		fmt.Sprintf("%s, %d events in %d pages", milliseconds(time.Since(began)), len(events), pages))
	return b.complete(task, false, completeWorkflow())
}

// firstTask starts a run and completes its first task; the time is when the commands were sent.
func (b *Bench) firstTask(queue string, commands []*commandpb.Command) (time.Time, error) {
	if err := b.start(queue, queue); err != nil {
		return time.Time{}, err
	}
	task, err := b.poll(queue)
	if err != nil {
		return time.Time{}, err
	}
	began := time.Now()
	return began, b.complete(task, false, commands...)
}

// lastTask waits for the task that shows everything, and completes the run.
func (b *Bench) lastTask(queue string, kind enumspb.EventType, wanted int) error {
	began := time.Now()
	task, err := b.poll(queue)
	if err != nil {
		return err
	}
	events, _, err := b.events(task)
	if err != nil {
		return err
	}
	if found := count(events, kind); found != wanted {
		return fmt.Errorf("%d of %d events %s", found, wanted, kind)
	}
	b.add(fmt.Sprintf("… and the next task with %d events, read", len(events)), milliseconds(time.Since(began)))
	return b.complete(task, false, completeWorkflow())
}
