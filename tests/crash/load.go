package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	namespace = "default"
	goQueue   = "go"
	cppQueue  = "cpp"
)

var queues = []string{goQueue, cppQueue}

// Load is the worker of the Go SDK and the clients, which start workflows on both task queues.
type Load struct {
	client  client.Client
	service workflowservice.WorkflowServiceClient
	worker  worker.Worker
	record  *Record
	// closing ends the starting of workflows; given up ends also those that are under way.
	closing, givenUp context.Context
	close, giveUp    context.CancelFunc
	clients          sync.WaitGroup
	awaitsEnds       bool
	prefix           string
}

func startLoad(address string, clients int, awaitsEnds bool, record *Record) (*Load, error) {
	load := &Load{record: record, awaitsEnds: awaitsEnds, prefix: uuid.NewString()[:8]}
	connection, err := client.Dial(client.Options{
		HostPort: address, Namespace: namespace, Logger: silent{},
		ConnectionOptions: client.ConnectionOptions{
			DialOptions: []grpc.DialOption{comeBackSoon, grpc.WithChainUnaryInterceptor(load.intercept)}},
	})
	if err != nil {
		return nil, err
	}
	load.client, load.service = connection, connection.WorkflowService()
	load.worker = worker.New(connection, goQueue, worker.Options{})
	registerAll(load.worker)
	if err := load.worker.Start(); err != nil {
		return nil, err
	}
	load.closing, load.close = context.WithCancel(context.Background())
	load.givenUp, load.giveUp = context.WithCancel(context.Background())
	for number := range clients {
		load.clients.Add(1)
		go load.keepBusy(number)
	}
	return load, nil
}

// intercept sees each completion that the server acknowledges to the worker. It polls again at once
// when the server has gone: the worker would wait up to ten seconds, while there is nothing to kill.
func (l *Load) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	err := invoke(ctx, method, request, reply, conn, options...)
	for strings.Contains(method, "/Poll") && isOutage(serviceerror.FromStatus(status.Convert(err))) && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		err = invoke(ctx, method, request, reply, conn, options...)
	}
	completion, ok := request.(*workflowservice.RespondActivityTaskCompletedRequest)
	if err == nil && ok {
		l.record.Completed(payloadText(completion.GetResult()))
	}
	return err
}

// Finish starts nothing more, and waits for the clients; false if they were not done in time.
func (l *Load) Finish(limit time.Duration) bool {
	l.close()
	done := make(chan struct{})
	go func() { l.clients.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

func (l *Load) Stop() {
	l.close()
	l.giveUp()
	l.clients.Wait()
	l.worker.Stop()
	l.client.Close()
}

func (l *Load) keepBusy(number int) {
	defer l.clients.Done()
	queue := queues[number%len(queues)]
	for count := 0; l.closing.Err() == nil; count++ {
		l.playOne(queue, kinds[(number/len(queues)+count)%len(kinds)],
			fmt.Sprintf("%s.%s-%d-%d", queue, l.prefix, number, count))
	}
}

func (l *Load) playOne(queue, kind, id string) {
	start := &workflowservice.StartWorkflowExecutionRequest{
		Namespace: namespace, WorkflowId: id, RequestId: uuid.NewString(),
		WorkflowType:        &commonpb.WorkflowType{Name: kind},
		TaskQueue:           &taskqueuepb.TaskQueue{Name: queue},
		WorkflowTaskTimeout: durationpb.New(taskTimeout),
	}
	if kind == "Chain" {
		start.Input = jsonPayloads(chainLength - 1)
	}
	err := l.untilAnswered(func(ctx context.Context) error {
		reply, err := l.service.StartWorkflowExecution(ctx, start)
		if err == nil {
			l.record.Started(id, kind, reply.GetRunId())
		}
		return err
	})
	if kind == "Notes" {
		for number := 1; err == nil && number <= signalCount; number++ {
			err = l.signal(id, number)
		}
	}
	if err == nil && l.awaitsEnds {
		err = l.untilAnswered(func(ctx context.Context) error { return l.awaitEnd(ctx, id) })
	}
	if err != nil && l.givenUp.Err() == nil {
		fmt.Printf("%s: %v\n", id, err)
	}
}

// awaitEnd keeps the number of open workflows to that of the clients, so that all of the work is
// under way at each kill rather than waiting in a backlog.
func (l *Load) awaitEnd(ctx context.Context, id string) error {
	reply, err := l.service.GetWorkflowExecutionHistory(ctx,
		&workflowservice.GetWorkflowExecutionHistoryRequest{
			Namespace: namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: id},
			WaitNewEvent: true, HistoryEventFilterType: enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT})
	if err != nil {
		return err
	}
	events := reply.GetHistory().GetEvents()
	if len(events) == 0 || events[len(events)-1].GetEventType() ==
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW {
		return context.DeadlineExceeded
	}
	return nil
}

func (l *Load) signal(id string, number int) error {
	text := fmt.Sprintf("signal %d", number)
	if number == signalCount {
		text = lastSignal
	}
	request := &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: namespace, SignalName: signalName, RequestId: uuid.NewString(),
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id},
		Input:             textPayloads(text + " " + uuid.NewString()),
	}
	attempts := 0
	err := l.untilAnswered(func(ctx context.Context) error {
		attempts++
		_, err := l.service.SignalWorkflowExecution(ctx, request)
		if err == nil {
			l.record.Signaled(id, payloadText(request.Input))
		}
		return err
	})
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) && number == signalCount && attempts > 1 {
		// An earlier attempt went through without its answer, and the workflow has ended since.
		return nil
	}
	return err
}

// untilAnswered repeats a call, with its request id, while there is no server to answer it.
func (l *Load) untilAnswered(call func(context.Context) error) error {
	for {
		ctx, cancel := context.WithTimeout(l.givenUp, 5*time.Second)
		err := call(ctx)
		cancel()
		if !isOutage(err) || l.givenUp.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func isOutage(err error) bool {
	var unavailable *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	var canceled *serviceerror.Canceled
	return errors.As(err, &unavailable) || errors.As(err, &late) || errors.As(err, &canceled) ||
		errors.Is(err, context.DeadlineExceeded)
}

func textPayloads(text string) *commonpb.Payloads { return jsonPayloads(text) }

func jsonPayloads(value any) *commonpb.Payloads {
	data, _ := json.Marshal(value)
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{{
		Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: data}}}
}

// payloadText is the text of a single JSON payload; empty if there is none.
func payloadText(payloads *commonpb.Payloads) string {
	var text string
	if len(payloads.GetPayloads()) == 1 {
		json.Unmarshal(payloads.Payloads[0].GetData(), &text)
	}
	return text
}

// silent drops the worker's complaints about the outages that are the point of this test.
type silent struct{}

var _ sdklog.Logger = silent{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
