package main

import (
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	nexuspb "go.temporal.io/api/nexus/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Nexus endpoints, and operations that workflows ask for and workers handle.

type endpointSpec = nexuspb.EndpointSpec
type nexusAttributes = commandpb.ScheduleNexusOperationCommandAttributes

func (p *Play) endpointSpec(changes ...func(*endpointSpec)) *endpointSpec {
	spec := &endpointSpec{Name: p.name("endpoint"), Target: &nexuspb.EndpointTarget{
		Variant: &nexuspb.EndpointTarget_Worker_{Worker: &nexuspb.EndpointTarget_Worker{
			Namespace: defaultNamespace, TaskQueue: p.queue().Name}}}}
	for _, change := range changes {
		change(spec)
	}
	return spec
}

func external(url string) func(*endpointSpec) {
	return func(s *endpointSpec) {
		s.Target.Variant = &nexuspb.EndpointTarget_External_{External: &nexuspb.EndpointTarget_External{Url: url}}
	}
}

func (p *Play) createEndpoint(changes ...func(*endpointSpec)) *nexuspb.Endpoint {
	return operate(p, &operatorservice.CreateNexusEndpointRequest{Spec: p.endpointSpec(changes...)}, &operatorservice.CreateNexusEndpointResponse{}).GetEndpoint()
}

func (p *Play) scheduleNexus(changes ...func(*nexusAttributes)) *commandpb.Command {
	attributes := &nexusAttributes{Endpoint: p.name("endpoint"), Service: "service", Operation: "operation",
		Input: payloads("input").Payloads[0]}
	for _, change := range changes {
		change(attributes)
	}
	return &commandpb.Command{CommandType: enumspb.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION,
		Attributes: &commandpb.Command_ScheduleNexusOperationCommandAttributes{
			ScheduleNexusOperationCommandAttributes: attributes}}
}

// scheduledNexus starts a run whose first task asks for an operation, and takes the request for it.
func (p *Play) scheduledNexus(changes ...func(*nexusAttributes)) *workflowservice.PollNexusTaskQueueResponse {
	p.createEndpoint()
	// The real server hears of an endpoint a little later.
	time.Sleep(2 * time.Second)
	p.start()
	p.step(p.scheduleNexus(changes...))
	return callWithin[*workflowservice.PollNexusTaskQueueResponse](p.muted(), pollLimit,
		&workflowservice.PollNexusTaskQueueRequest{Namespace: defaultNamespace, TaskQueue: p.queue(), Identity: identity})
}

func (p *Play) respondNexus(task *workflowservice.PollNexusTaskQueueResponse, answer *nexuspb.StartOperationResponse) {
	p.send(&workflowservice.RespondNexusTaskCompletedRequest{Namespace: defaultNamespace, TaskToken: task.TaskToken,
		Response: &nexuspb.Response{Variant: &nexuspb.Response_StartOperation{StartOperation: answer}}})
}

func (Behaviour) NexusEndpointIsMadeReadChangedAndDeleted(p *Play) {
	endpoint := p.createEndpoint()
	operate(p, &operatorservice.GetNexusEndpointRequest{Id: endpoint.GetId()}, &operatorservice.GetNexusEndpointResponse{})
	operate(p, &operatorservice.ListNexusEndpointsRequest{Name: p.name("endpoint")}, &operatorservice.ListNexusEndpointsResponse{})
	p.createEndpoint()
	update := &operatorservice.UpdateNexusEndpointRequest{Id: endpoint.GetId(), Version: endpoint.GetVersion(),
		Spec: p.endpointSpec(external("https://example.com/nexus"))}
	operate(p, update, &operatorservice.UpdateNexusEndpointResponse{})
	operate(p, update, &operatorservice.UpdateNexusEndpointResponse{})
	remove := &operatorservice.DeleteNexusEndpointRequest{Id: endpoint.GetId(), Version: 2}
	operate(p, remove, &operatorservice.DeleteNexusEndpointResponse{})
	operate(p, remove, &operatorservice.DeleteNexusEndpointResponse{})
	operate(p, &operatorservice.GetNexusEndpointRequest{Id: endpoint.GetId()}, &operatorservice.GetNexusEndpointResponse{})
}

func (Behaviour) BadNexusEndpointsAreRefused(p *Play) {
	for _, change := range []func(*endpointSpec){
		func(s *endpointSpec) { s.Name = "" },
		func(s *endpointSpec) { s.Name = "_name" },
		func(s *endpointSpec) { s.Name = "name_" },
		func(s *endpointSpec) { s.Target = nil },
		func(s *endpointSpec) { s.Target.GetWorker().Namespace = "" },
		func(s *endpointSpec) { s.Target.GetWorker().Namespace = "nobody" },
		func(s *endpointSpec) { s.Target.GetWorker().TaskQueue = "" },
		func(s *endpointSpec) { s.Name, s.Target.GetWorker().TaskQueue = "", "" },
		external(""), external("-http://foo"), external("smtp://foo"), external("nothing"),
	} {
		p.createEndpoint(change)
	}
	operate(p, &operatorservice.GetNexusEndpointRequest{}, &operatorservice.GetNexusEndpointResponse{})
	operate(p, &operatorservice.GetNexusEndpointRequest{Id: "no-uuid"}, &operatorservice.GetNexusEndpointResponse{})
	operate(p, &operatorservice.DeleteNexusEndpointRequest{}, &operatorservice.DeleteNexusEndpointResponse{})
	operate(p, &operatorservice.ListNexusEndpointsRequest{PageSize: -1}, &operatorservice.ListNexusEndpointsResponse{})
	operate(p, &operatorservice.ListNexusEndpointsRequest{PageSize: 100000}, &operatorservice.ListNexusEndpointsResponse{})
}

func (Behaviour) NexusOperationCompletes(p *Play) {
	task := p.scheduledNexus()
	p.describe()
	p.respondNexus(task, &nexuspb.StartOperationResponse{Variant: &nexuspb.StartOperationResponse_SyncSuccess{
		SyncSuccess: &nexuspb.StartOperationResponse_Sync{Payload: payloads("result").Payloads[0]}}})
	p.respondNexus(task, &nexuspb.StartOperationResponse{})
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) NexusOperationFails(p *Play) {
	task := p.scheduledNexus()
	p.respondNexus(task, &nexuspb.StartOperationResponse{Variant: &nexuspb.StartOperationResponse_Failure{
		Failure: applicationFailure("Handler", true)}})
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) NexusHandlerErrorThatIsFinalFailsTheOperation(p *Play) {
	task := p.scheduledNexus()
	p.send(&workflowservice.RespondNexusTaskFailedRequest{Namespace: defaultNamespace, TaskToken: task.TaskToken,
		Failure: &failurepb.Failure{Message: "no", FailureInfo: &failurepb.Failure_NexusHandlerFailureInfo{
			NexusHandlerFailureInfo: &failurepb.NexusHandlerFailureInfo{Type: "BAD_REQUEST"}}}})
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) NexusOperationRunsOutOfTime(p *Play) {
	p.scheduledNexus(func(a *nexusAttributes) { a.ScheduleToCloseTimeout = seconds(3) })
	p.step(completeWorkflow())
	p.history()
}

func (Behaviour) NexusOperationThatGoesOnIsAskedToStop(p *Play) {
	task := p.scheduledNexus()
	p.respondNexus(task, &nexuspb.StartOperationResponse{Variant: &nexuspb.StartOperationResponse_AsyncSuccess{
		AsyncSuccess: &nexuspb.StartOperationResponse_Async{OperationToken: "token"}}})
	p.step(&commandpb.Command{CommandType: enumspb.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION,
		Attributes: &commandpb.Command_RequestCancelNexusOperationCommandAttributes{
			RequestCancelNexusOperationCommandAttributes: &commandpb.RequestCancelNexusOperationCommandAttributes{
				ScheduledEventId: 5}}})
	cancel := callWithin[*workflowservice.PollNexusTaskQueueResponse](p.muted(), pollLimit,
		&workflowservice.PollNexusTaskQueueRequest{Namespace: defaultNamespace, TaskQueue: p.queue(), Identity: identity})
	p.send(&workflowservice.RespondNexusTaskCompletedRequest{Namespace: defaultNamespace, TaskToken: cancel.TaskToken,
		Response: &nexuspb.Response{Variant: &nexuspb.Response_CancelOperation{CancelOperation: &nexuspb.CancelOperationResponse{}}}})
	p.step()
	p.history()
}

func (Behaviour) BadNexusCommandsFailTheTask(p *Play) {
	p.createEndpoint()
	time.Sleep(2 * time.Second)
	for _, change := range []func(*nexusAttributes){
		func(a *nexusAttributes) { a.Endpoint = "nowhere" },
		func(a *nexusAttributes) { a.ScheduleToCloseTimeout = seconds(-1) },
		func(a *nexusAttributes) { a.NexusHeader = map[string]string{"Request-Timeout": "1s"} },
		func(a *nexusAttributes) { a.Endpoint, a.Service = "__temporal_system", "nothing" },
		func(a *nexusAttributes) {
			a.Endpoint, a.NexusHeader = "__temporal_system", map[string]string{"key": "value"}
		},
	} {
		p.start()
		p.step(p.scheduleNexus(change))
		p.send(&workflowservice.TerminateWorkflowExecutionRequest{Namespace: defaultNamespace,
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: p.id()}})
	}
}

func (Behaviour) NexusAnswersThatAreWrongAreRefused(p *Play) {
	task := p.scheduledNexus()
	p.respondNexus(task, &nexuspb.StartOperationResponse{Variant: &nexuspb.StartOperationResponse_AsyncSuccess{
		AsyncSuccess: &nexuspb.StartOperationResponse_Async{}}})
	p.send(&workflowservice.RespondNexusTaskFailedRequest{Namespace: defaultNamespace, TaskToken: task.TaskToken})
	p.send(&workflowservice.RespondNexusTaskFailedRequest{Namespace: defaultNamespace, TaskToken: task.TaskToken,
		Failure: applicationFailure("Handler", true)})
	p.send(&workflowservice.RespondNexusTaskCompletedRequest{Namespace: defaultNamespace, TaskToken: []byte("nothing")})
}
