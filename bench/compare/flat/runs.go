package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	"stele/bench/compare/clients"
	"stele/bench/compare/servers"
)

const (
	identity = "flat"
	// markersOfTask is how many events a task adds while a history is made long.
	markersOfTask = 1000
	// eventsOfTask is how many it adds by itself: scheduled, started, completed.
	eventsOfTask = 3
	starters     = 64
	// untilPolled is more than enough for a poll to reach the server.
	untilPolled = 100 * time.Millisecond
)

// runs makes workflows by bare calls.
type runs struct {
	ctx     context.Context
	server  *servers.Server
	conn    *grpc.ClientConn
	service workflowservice.WorkflowServiceClient
}

func newRuns(ctx context.Context, server *servers.Server) (*runs, error) {
	conn, err := grpc.NewClient(server.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &runs{ctx: ctx, server: server, conn: conn, service: workflowservice.NewWorkflowServiceClient(conn)}, nil
}

func (r *runs) close() { r.conn.Close() }

func (r *runs) begin(id string) error {
	_, err := r.service.StartWorkflowExecution(r.ctx, &workflowservice.StartWorkflowExecutionRequest{
		Namespace: servers.Namespace, WorkflowId: id, RequestId: id, Identity: identity,
		WorkflowType: &commonpb.WorkflowType{Name: "flat"}, TaskQueue: &taskqueuepb.TaskQueue{Name: id}})
	return err
}

// open starts workflows that nobody works on.
func (r *runs) open(count int) error {
	return clients.Parallel(count, starters, func(i int) error { return r.begin(fmt.Sprintf("open-%d", i)) })
}

// longRun is one workflow with a worker of its own, which keeps its history.
type longRun struct {
	*runs
	id string
	// next is the poll of the worker's own queue, which a worker has open all the time: the server gives
	// nothing to a queue that nobody has asked for lately.
	next chan polled
}

type polled struct {
	task *workflowservice.PollWorkflowTaskQueueResponse
	err  error
}

// start makes a run whose history has about so many events.
func (r *runs) start(id string, events int) (*longRun, error) {
	run := &longRun{runs: r, id: id, next: make(chan polled, 1)}
	if err := r.begin(id); err != nil {
		return nil, err
	}
	run.pollOwn()
	time.Sleep(untilPolled)
	task, err := run.poll(false)
	if err != nil {
		return nil, err
	}
	for written := 1; ; {
		markers := min(markersOfTask, events-written-2*eventsOfTask)
		if markers <= 0 {
			return run, run.complete(task, false, 0)
		}
		if err := run.complete(task, true, markers); err != nil {
			return nil, err
		}
		written += markers + eventsOfTask
		if task, err = run.await(); err != nil {
			return nil, err
		}
	}
}

// tasks signals the run and completes the task that comes of it, so often. It returns the processor time of
// the server for each, and the middle of the times that they took.
func (r *longRun) tasks(count int) (cost, latency time.Duration, err error) {
	before, err := r.server.ProcessorTime()
	if err != nil {
		return 0, 0, err
	}
	times := make([]time.Duration, count)
	for i := range times {
		began := time.Now()
		_, err := r.service.SignalWorkflowExecution(r.ctx, &workflowservice.SignalWorkflowExecutionRequest{
			Namespace: servers.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: r.id},
			SignalName: "signal", Identity: identity})
		if err != nil {
			return 0, 0, err
		}
		task, err := r.await()
		if err != nil {
			return 0, 0, err
		}
		if err := r.complete(task, false, 0); err != nil {
			return 0, 0, err
		}
		times[i] = time.Since(began)
	}
	after, err := r.server.ProcessorTime()
	slices.Sort(times)
	return (after - before) / time.Duration(count), times[count/2], err
}

func (r *longRun) queue(sticky bool) *taskqueuepb.TaskQueue {
	if !sticky {
		return &taskqueuepb.TaskQueue{Name: r.id}
	}
	return &taskqueuepb.TaskQueue{Name: r.id + "-sticky", Kind: enumspb.TASK_QUEUE_KIND_STICKY, NormalName: r.id}
}

// pollOwn asks for the next task.
func (r *longRun) pollOwn() {
	go func() {
		task, err := r.poll(true)
		r.next <- polled{task, err}
	}()
}

// await has that task once it comes, and asks for the one behind it.
func (r *longRun) await() (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	next := <-r.next
	if next.err == nil {
		r.pollOwn()
	}
	return next.task, next.err
}

func (r *longRun) poll(sticky bool) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	task, err := r.service.PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{
		Namespace: servers.Namespace, TaskQueue: r.queue(sticky), Identity: identity})
	if err == nil && len(task.TaskToken) == 0 {
		err = fmt.Errorf("%s: no task has come", r.id)
	}
	return task, err
}

// complete ends a task with markers, and asks for the next if there is more to write.
func (r *longRun) complete(task *workflowservice.PollWorkflowTaskQueueResponse, more bool, markers int) error {
	commands := make([]*commandpb.Command, markers)
	for i := range commands {
		commands[i] = &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_RECORD_MARKER,
			Attributes: &commandpb.Command_RecordMarkerCommandAttributes{
				RecordMarkerCommandAttributes: &commandpb.RecordMarkerCommandAttributes{MarkerName: "marker"}}}
	}
	_, err := r.service.RespondWorkflowTaskCompleted(r.ctx, &workflowservice.RespondWorkflowTaskCompletedRequest{
		Namespace: servers.Namespace, TaskToken: task.TaskToken, Identity: identity, Commands: commands,
		ForceCreateNewWorkflowTask: more,
		StickyAttributes: &taskqueuepb.StickyExecutionAttributes{WorkerTaskQueue: r.queue(true),
			ScheduleToStartTimeout: durationpb.New(time.Minute)}})
	return err
}
