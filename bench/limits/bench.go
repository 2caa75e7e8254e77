package main

import (
	"context"
	"fmt"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	"stele/bench/compare/servers"
)

const (
	identity = "limits"
	// Messages may be larger here than by default: a page of history holds megabytes.
	maximumMessage = 64 << 20
	pollLimit      = 60 * time.Second
)

// Bench is one server being measured, and the calls of a client and of a worker.
type Bench struct {
	ctx     context.Context
	server  *servers.Server
	sizes   Sizes
	report  *Report
	conn    *grpc.ClientConn
	service workflowservice.WorkflowServiceClient
}

func newBench(ctx context.Context, server *servers.Server, sizes Sizes, report *Report) (*Bench, error) {
	b := &Bench{ctx: ctx, server: server, sizes: sizes, report: report}
	return b, b.connect()
}

func (b *Bench) connect() error {
	conn, err := grpc.NewClient(b.server.Address(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maximumMessage),
			grpc.MaxCallSendMsgSize(maximumMessage)))
	if err != nil {
		return err
	}
	b.conn, b.service = conn, workflowservice.NewWorkflowServiceClient(conn)
	return nil
}

func (b *Bench) close() { b.conn.Close() }

func (b *Bench) add(name, value string) { b.report.Add(b.server.Name, name, value) }

// ---- a client's calls

func (b *Bench) start(id, queue string) error {
	_, err := b.service.StartWorkflowExecution(b.ctx, &workflowservice.StartWorkflowExecutionRequest{
		Namespace: servers.Namespace, WorkflowId: id, RequestId: id, Identity: identity,
		WorkflowType:        &commonpb.WorkflowType{Name: "limits"},
		TaskQueue:           &taskqueuepb.TaskQueue{Name: queue},
		WorkflowTaskTimeout: durationpb.New(120 * time.Second)})
	return err
}

func (b *Bench) terminate(id string) error {
	_, err := b.service.TerminateWorkflowExecution(b.ctx,
		&workflowservice.TerminateWorkflowExecutionRequest{Namespace: servers.Namespace,
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id}, Reason: "measured"})
	return err
}

// ---- a worker's calls

type workflowTask = *workflowservice.PollWorkflowTaskQueueResponse

// poll waits until the queue has a workflow task.
func (b *Bench) poll(queue string) (workflowTask, error) {
	for {
		ctx, cancel := context.WithTimeout(b.ctx, pollLimit)
		task, err := b.service.PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{
			Namespace: servers.Namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, Identity: identity})
		cancel()
		if err != nil || len(task.TaskToken) > 0 {
			return task, err
		}
	}
}

func (b *Bench) complete(task workflowTask, more bool, commands ...*commandpb.Command) error {
	_, err := b.service.RespondWorkflowTaskCompleted(b.ctx,
		&workflowservice.RespondWorkflowTaskCompletedRequest{Namespace: servers.Namespace,
			TaskToken: task.TaskToken, Identity: identity, Commands: commands,
			ForceCreateNewWorkflowTask: more})
	return err
}

func completeWorkflow() *commandpb.Command {
	return &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
		Attributes: &commandpb.Command_CompleteWorkflowExecutionCommandAttributes{
			CompleteWorkflowExecutionCommandAttributes: &commandpb.CompleteWorkflowExecutionCommandAttributes{}}}
}

// events reads the whole history that a task brings, page after page.
func (b *Bench) events(task workflowTask) ([]*historypb.HistoryEvent, int, error) {
	events, pages := task.GetHistory().GetEvents(), 1
	for token := task.NextPageToken; len(token) > 0; pages++ {
		page, err := b.service.GetWorkflowExecutionHistory(b.ctx,
			&workflowservice.GetWorkflowExecutionHistoryRequest{Namespace: servers.Namespace,
				Execution: task.WorkflowExecution, NextPageToken: token})
		if err != nil {
			return nil, pages, err
		}
		events, token = append(events, page.GetHistory().GetEvents()...), page.NextPageToken
	}
	return events, pages, nil
}

func count(events []*historypb.HistoryEvent, kind enumspb.EventType) int {
	found := 0
	for _, event := range events {
		if event.EventType == kind {
			found++
		}
	}
	return found
}

func name(kind string, i int) string { return fmt.Sprintf("%s-%d", kind, i) }
