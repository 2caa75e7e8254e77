package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	callLimit = 20 * time.Second
	pollLimit = 20 * time.Second
	// A poll that is expected to find nothing; servers answer one about a second before its end.
	emptyPollLimit = 3 * time.Second
	servicePrefix  = "/temporal.api.workflowservice.v1.WorkflowService/"
	messagePrefix  = "temporal.api.workflowservice.v1."
	identity       = "differential"
)

// Play is a script being played on one server. Its helpers make the calls of a client and of a
// worker; every call and its answer goes into the transcript.
type Play struct {
	server     *Server
	transcript *Transcript
	// Every name a script gives to something begins with this.
	prefix string
	// When set, calls are made but not written down.
	quiet bool
	// Reads histories as a worker does.
	worker bool
	// What is wrong whatever the other server says.
	problems []string
}

func newPlay(server *Server, script, salt string) *Play {
	return &Play{
		server:     server,
		prefix:     salt + script,
		transcript: &Transcript{names: map[string]string{}, salt: salt},
	}
}

func (p *Play) id() string { return p.prefix + "-workflow" }
func (p *Play) queue() *taskqueuepb.TaskQueue {
	return &taskqueuepb.TaskQueue{Name: p.prefix + "-queue"}
}
func (p *Play) name(suffix string) string { return p.prefix + "-" + suffix }
func (p *Play) run() *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: p.id()}
}

func (p *Play) runOf(id, run string) *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: id, RunId: run}
}

// raw is a request that cannot be built as a message, such as one with invalid text.
type raw struct {
	proto.Message
	bytes []byte
}

// methodOf finds the method that takes a request, which is named after it.
func methodOf(request proto.Message) string {
	return strings.TrimSuffix(string(request.ProtoReflect().Descriptor().Name()), "Request")
}

func newAnswer(method string) proto.Message {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(
		protoreflect.FullName(messagePrefix + method + "Response"))
	if err != nil {
		panic(err)
	}
	return kind.New().Interface()
}

// invoke makes a call without writing it down.
func (p *Play) invoke(ctx context.Context, request proto.Message) (proto.Message, error) {
	method := methodOf(request)
	answer := newAnswer(method)
	var sent any = request
	var options []grpc.CallOption
	if bytes, ok := request.(raw); ok {
		sent, options = bytes, append(options, grpc.ForceCodec(rawCodec{}))
	}
	// Temporal adds events of unwritten workflow tasks to what a worker reads, but not to what the
	// command line reads, which is the history proper.
	if _, reads := request.(*historyRequest); reads && !p.worker {
		ctx = metadata.AppendToOutgoingContext(ctx, "client-name", "temporal-cli", "client-version", "1.0.0")
	}
	err := p.server.conn.Invoke(ctx, servicePrefix+method, sent, answer, options...)
	return answer, err
}

// call makes a call and writes down its answer, which is empty after an error.
func call[Answer proto.Message](p *Play, request proto.Message) Answer {
	return callWithin[Answer](p, callLimit, request)
}

func callWithin[Answer proto.Message](p *Play, limit time.Duration, request proto.Message) Answer {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	answer, err := p.invoke(ctx, request)
	p.record(methodOf(request), answer, err)
	return answer.(Answer)
}

func (p *Play) record(label string, answer proto.Message, err error) {
	if !p.quiet {
		p.transcript.noteAnswer(label, answer, err)
	}
}

// send makes a call whose answer matters only to the comparison.
func (p *Play) send(request proto.Message) { call[proto.Message](p, request) }

// silently makes calls that need not be compared again, because other scripts do.
func (p *Play) silently(calls func()) {
	before := p.quiet
	p.quiet = true
	calls()
	p.quiet = before
}

// muted is the same play with nothing written down.
func (p *Play) muted() *Play {
	copied := *p
	copied.quiet = true
	return &copied
}

func boolText(value bool) string { return strconv.FormatBool(value) }

type rawCodec struct{}

func (rawCodec) Marshal(value any) ([]byte, error) { return value.(raw).bytes, nil }
func (rawCodec) Unmarshal(data []byte, value any) error {
	return proto.Unmarshal(data, value.(proto.Message))
}
func (rawCodec) Name() string { return "proto" }

// ---- values

func payloads(text string) *commonpb.Payloads {
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{payload(text)}}
}

func payload(text string) *commonpb.Payload {
	return &commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte("json/plain")},
		Data:     []byte(`"` + text + `"`),
	}
}

func header(key string) *commonpb.Header {
	return &commonpb.Header{Fields: map[string]*commonpb.Payload{key: payload("header")}}
}

func seconds(n float64) *durationpb.Duration {
	return durationpb.New(time.Duration(n * float64(time.Second)))
}

func applicationFailure(kind string, nonRetryable bool) *failurepb.Failure {
	return &failurepb.Failure{
		Message: "it did not work", Source: "differential",
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
			ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{
				Type: kind, NonRetryable: nonRetryable,
			},
		},
	}
}

// ---- a client's calls

type startRequest = workflowservice.StartWorkflowExecutionRequest

// startOf is a valid start of the script's workflow, for a script to change.
func (p *Play) startOf(changes ...func(*startRequest)) *startRequest {
	request := &startRequest{
		Namespace:    defaultNamespace,
		WorkflowId:   p.id(),
		WorkflowType: &commonpb.WorkflowType{Name: "Type"},
		TaskQueue:    p.queue(),
		Input:        payloads("input"),
		Identity:     identity,
		RequestId:    p.name("request"),
	}
	for _, change := range changes {
		change(request)
	}
	return request
}

func (p *Play) start(changes ...func(*startRequest)) *workflowservice.StartWorkflowExecutionResponse {
	return call[*workflowservice.StartWorkflowExecutionResponse](p, p.startOf(changes...))
}

type signalWithStartRequest = workflowservice.SignalWithStartWorkflowExecutionRequest

func (p *Play) signalWithStartOf(changes ...func(*signalWithStartRequest)) *signalWithStartRequest {
	request := &signalWithStartRequest{
		Namespace: defaultNamespace, WorkflowId: p.id(),
		WorkflowType: &commonpb.WorkflowType{Name: "Type"}, TaskQueue: p.queue(),
		Input: payloads("input"), Identity: identity, RequestId: p.name("request"),
		SignalName: "signal", SignalInput: payloads("signal"),
	}
	for _, change := range changes {
		change(request)
	}
	return request
}

func (p *Play) signalOf(name string) *workflowservice.SignalWorkflowExecutionRequest {
	return &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: defaultNamespace, WorkflowExecution: p.run(), SignalName: name,
		Input: payloads(name), Identity: identity,
	}
}

func (p *Play) signal(name string) { p.send(p.signalOf(name)) }

func (p *Play) cancelOf() *workflowservice.RequestCancelWorkflowExecutionRequest {
	return &workflowservice.RequestCancelWorkflowExecutionRequest{
		Namespace: defaultNamespace, WorkflowExecution: p.run(), Identity: identity,
		RequestId: p.name("cancel"), Reason: "no longer wanted",
	}
}

func (p *Play) terminateOf() *workflowservice.TerminateWorkflowExecutionRequest {
	return &workflowservice.TerminateWorkflowExecutionRequest{
		Namespace: defaultNamespace, WorkflowExecution: p.run(), Identity: identity,
		Reason: "enough", Details: payloads("details"),
	}
}

func (p *Play) terminate() { p.send(p.terminateOf()) }

func (p *Play) describeOf(run *commonpb.WorkflowExecution) *workflowservice.DescribeWorkflowExecutionRequest {
	return &workflowservice.DescribeWorkflowExecutionRequest{Namespace: defaultNamespace, Execution: run}
}

func (p *Play) describe() *workflowservice.DescribeWorkflowExecutionResponse {
	return call[*workflowservice.DescribeWorkflowExecutionResponse](p, p.describeOf(p.run()))
}

type historyRequest = workflowservice.GetWorkflowExecutionHistoryRequest

func (p *Play) historyOf(run *commonpb.WorkflowExecution) *historyRequest {
	return &historyRequest{Namespace: defaultNamespace, Execution: run}
}

// history reads the whole history of the current run.
func (p *Play) history() *historypb.History {
	return call[*workflowservice.GetWorkflowExecutionHistoryResponse](p, p.historyOf(p.run())).History
}

// awaitClose reads the closing event of the current run as a client does that waits for a result.
func (p *Play) awaitClose() *historypb.History {
	request := p.historyOf(p.run())
	request.WaitNewEvent = true
	request.HistoryEventFilterType = enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
	return call[*workflowservice.GetWorkflowExecutionHistoryResponse](p, request).History
}

// awaitEvent returns once the current run has an event of a kind, and says if it never did.
func (p *Play) awaitEvent(kind enumspb.EventType) {
	found := false
	p.silently(func() {
		for end := time.Now().Add(callLimit); !found && time.Now().Before(end); {
			for _, event := range p.history().GetEvents() {
				found = found || event.EventType == kind
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	p.transcript.note("await "+kind.String(), Line{"found", fmt.Sprint(found)})
}

// ---- a worker's calls

type workflowTask = *workflowservice.PollWorkflowTaskQueueResponse

func (p *Play) pollOf(queue *taskqueuepb.TaskQueue) *workflowservice.PollWorkflowTaskQueueRequest {
	return &workflowservice.PollWorkflowTaskQueueRequest{
		Namespace: defaultNamespace, TaskQueue: queue, Identity: identity,
	}
}

func (p *Play) poll() workflowTask { return p.pollFrom(p.queue()) }

func (p *Play) pollFrom(queue *taskqueuepb.TaskQueue) workflowTask {
	return callWithin[workflowTask](p, pollLimit, p.pollOf(queue))
}

// pollNothing polls for no longer than it takes to see that there is nothing.
func (p *Play) pollNothing() {
	callWithin[workflowTask](p, emptyPollLimit, p.pollOf(p.queue()))
}

type completion = workflowservice.RespondWorkflowTaskCompletedRequest

func (p *Play) completionOf(task workflowTask, commands ...*commandpb.Command) *completion {
	return &completion{
		Namespace: defaultNamespace, TaskToken: task.GetTaskToken(), Identity: identity,
		Commands: commands,
	}
}

func (p *Play) complete(task workflowTask, commands ...*commandpb.Command) {
	p.send(p.completionOf(task, commands...))
}

// step polls a workflow task and completes it.
func (p *Play) step(commands ...*commandpb.Command) {
	p.complete(p.poll(), commands...)
}

func (p *Play) failTask(task workflowTask, cause enumspb.WorkflowTaskFailedCause) {
	p.send(&workflowservice.RespondWorkflowTaskFailedRequest{
		Namespace: defaultNamespace, TaskToken: task.GetTaskToken(), Identity: identity,
		Cause: cause, Failure: applicationFailure("Worker", false),
	})
}

type activityTask = *workflowservice.PollActivityTaskQueueResponse

func (p *Play) activityPollOf() *workflowservice.PollActivityTaskQueueRequest {
	return &workflowservice.PollActivityTaskQueueRequest{
		Namespace: defaultNamespace, TaskQueue: p.queue(), Identity: identity,
	}
}

func (p *Play) pollActivity() activityTask {
	return callWithin[activityTask](p, pollLimit, p.activityPollOf())
}

func (p *Play) completeActivity(task activityTask) {
	p.send(&workflowservice.RespondActivityTaskCompletedRequest{
		Namespace: defaultNamespace, TaskToken: task.GetTaskToken(), Identity: identity,
		Result: payloads("result"),
	})
}

func (p *Play) failActivity(task activityTask, failure *failurepb.Failure) {
	p.send(&workflowservice.RespondActivityTaskFailedRequest{
		Namespace: defaultNamespace, TaskToken: task.GetTaskToken(), Identity: identity,
		Failure: failure,
	})
}

func (p *Play) heartbeat(token []byte) {
	p.send(&workflowservice.RecordActivityTaskHeartbeatRequest{
		Namespace: defaultNamespace, TaskToken: token, Identity: identity, Details: payloads("progress"),
	})
}

func (p *Play) cancelActivity(token []byte) {
	p.send(&workflowservice.RespondActivityTaskCanceledRequest{
		Namespace: defaultNamespace, TaskToken: token, Identity: identity, Details: payloads("canceled"),
	})
}
