package main

import (
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workerpb "go.temporal.io/api/worker/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Task queues and workers as operators see them. What depends on the moment, such as rates, is left
// out: a script asks for it only where nothing has happened yet.

type configRequest = workflowservice.UpdateTaskQueueConfigRequest
type rateUpdate = workflowservice.UpdateTaskQueueConfigRequest_RateLimitUpdate

func (p *Play) describeQueue(kind enumspb.TaskQueueType) {
	p.send(&workflowservice.DescribeTaskQueueRequest{Namespace: defaultNamespace, TaskQueue: p.queue(),
		TaskQueueType: kind, ReportConfig: true})
}

func (p *Play) setQueue(changes ...func(*configRequest)) {
	request := &configRequest{Namespace: defaultNamespace, Identity: "operator", TaskQueue: p.queue().Name,
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_ACTIVITY}
	for _, change := range changes {
		change(request)
	}
	p.send(request)
}

func rate(perSecond float32, reason string) *rateUpdate {
	return &rateUpdate{RateLimit: &taskqueuepb.RateLimit{RequestsPerSecond: perSecond}, Reason: reason}
}

func (Behaviour) QueueThatNobodyUsesIsDescribed(p *Play) {
	p.describeQueue(enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	p.describeQueue(enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	p.describeQueue(enumspb.TASK_QUEUE_TYPE_UNSPECIFIED)
}

func (Behaviour) QueueIsDescribedWithoutAName(p *Play) {
	p.send(&workflowservice.DescribeTaskQueueRequest{Namespace: defaultNamespace})
	p.send(&workflowservice.DescribeTaskQueueRequest{Namespace: defaultNamespace, TaskQueue: &taskqueuepb.TaskQueue{}})
	p.send(&workflowservice.ListTaskQueuePartitionsRequest{Namespace: defaultNamespace})
}

func (Behaviour) QueueIsDescribedByThePartOfIt(p *Play) {
	for _, name := range []string{"/_sys/queue/1", "/_sys/queue/0", "/_sys/queue/x", "/_sys/queue", "/_sys//1"} {
		p.send(&workflowservice.DescribeTaskQueueRequest{Namespace: defaultNamespace,
			TaskQueue: &taskqueuepb.TaskQueue{Name: name}})
	}
	p.send(&workflowservice.DescribeTaskQueueRequest{Namespace: defaultNamespace, ReportStats: true,
		TaskQueue: &taskqueuepb.TaskQueue{Name: "/_sys/queue/1"}})
}

func (Behaviour) EnhancedDescriptionIsNotForStickyQueues(p *Play) {
	p.send(&workflowservice.DescribeTaskQueueRequest{Namespace: defaultNamespace,
		ApiMode: enumspb.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
		TaskQueue: &taskqueuepb.TaskQueue{Name: "sticky", NormalName: "normal",
			Kind: enumspb.TASK_QUEUE_KIND_STICKY}})
}

func (Behaviour) EnhancedDescriptionIsNotForPartitions(p *Play) {
	p.send(&workflowservice.DescribeTaskQueueRequest{Namespace: defaultNamespace,
		ApiMode:   enumspb.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
		TaskQueue: &taskqueuepb.TaskQueue{Name: "/_sys/queue/1"}})
}

func (Behaviour) RateLimitIsSetAndLetGo(p *Play) {
	p.setQueue(func(r *configRequest) { r.UpdateQueueRateLimit = rate(42, "slow backend") })
	p.describeQueue(enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	p.setQueue(func(r *configRequest) { r.UpdateQueueRateLimit = &rateUpdate{Reason: "recovered"} })
	time.Sleep(time.Second) // Temporal tells those who hand out the tasks later than the caller
	p.describeQueue(enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	p.describeQueue(enumspb.TASK_QUEUE_TYPE_WORKFLOW)
}

func (Behaviour) RateLimitPerKeyIsSet(p *Play) {
	p.setQueue(func(r *configRequest) { r.UpdateFairnessKeyRateLimitDefault = rate(5, "shared") })
	p.describeQueue(enumspb.TASK_QUEUE_TYPE_ACTIVITY)
}

func (Behaviour) WeightsAreSetAndLetGo(p *Play) {
	p.setQueue(func(r *configRequest) { r.SetFairnessWeightOverrides = map[string]float32{"a": 2, "b": 0.5} })
	p.setQueue(func(r *configRequest) {
		r.SetFairnessWeightOverrides = map[string]float32{"c": 3}
		r.UnsetFairnessWeightOverrides = []string{"a", "never set"}
	})
	p.describeQueue(enumspb.TASK_QUEUE_TYPE_ACTIVITY)
}

func (Behaviour) WorkflowQueueHasNoRateLimit(p *Play) {
	workflow := func(r *configRequest) { r.TaskQueueType = enumspb.TASK_QUEUE_TYPE_WORKFLOW }
	p.setQueue(workflow, func(r *configRequest) { r.UpdateQueueRateLimit = rate(1, "") })
	p.setQueue(workflow, func(r *configRequest) { r.UpdateFairnessKeyRateLimitDefault = rate(1, "") })
	p.setQueue(workflow, func(r *configRequest) { r.SetFairnessWeightOverrides = map[string]float32{"a": 2} })
}

func (Behaviour) RateLimitBelowZeroIsRefused(p *Play) {
	p.setQueue(func(r *configRequest) { r.UpdateQueueRateLimit = rate(-1, "") })
	p.setQueue(func(r *configRequest) { r.UpdateFairnessKeyRateLimitDefault = rate(-0.5, "") })
}

func (Behaviour) RateLimitReasonIsLimited(p *Play) {
	p.setQueue(func(r *configRequest) { r.UpdateQueueRateLimit = rate(1, long()) })
	p.setQueue(func(r *configRequest) { r.Identity = long() })
}

func (Behaviour) WeightsAreChecked(p *Play) {
	for _, weights := range []map[string]float32{{"": 1}, {"a": 0}, {"a": -1}, {strings.Repeat("k", 65): 1}} {
		p.setQueue(func(r *configRequest) { r.SetFairnessWeightOverrides = weights })
	}
	p.setQueue(func(r *configRequest) { r.UnsetFairnessWeightOverrides = []string{""} })
	p.setQueue(func(r *configRequest) {
		r.SetFairnessWeightOverrides = map[string]float32{"a": 1}
		r.UnsetFairnessWeightOverrides = []string{"a"}
	})
}

func (Behaviour) HeartbeatsTellOfWorkers(p *Play) {
	beat := &workerpb.WorkerHeartbeat{WorkerInstanceKey: "key-1", WorkerIdentity: "worker-1",
		TaskQueue: p.queue().Name, SdkName: "go", Status: enumspb.WORKER_STATUS_RUNNING,
		HostInfo: &workerpb.WorkerHostInfo{HostName: "host", ProcessId: "17"}}
	p.send(p.registration())
	p.send(&workflowservice.RecordWorkerHeartbeatRequest{Namespace: p.name("space"),
		WorkerHeartbeat: []*workerpb.WorkerHeartbeat{beat}})
	p.send(&workflowservice.ListWorkersRequest{Namespace: p.name("space")})
	p.send(&workflowservice.DescribeWorkerRequest{Namespace: p.name("space"), WorkerInstanceKey: "key-1"})
	p.send(&workflowservice.CountWorkersRequest{Namespace: p.name("space")})
	beat.Status = enumspb.WORKER_STATUS_SHUTDOWN
	p.send(&workflowservice.RecordWorkerHeartbeatRequest{Namespace: p.name("space"),
		WorkerHeartbeat: []*workerpb.WorkerHeartbeat{beat}})
	p.send(&workflowservice.DescribeWorkerRequest{Namespace: p.name("space"), WorkerInstanceKey: "key-1"})
	p.send(&workflowservice.CountWorkersRequest{Namespace: p.name("space")})
}

func (Behaviour) WorkersAreListedInPages(p *Play) {
	p.send(p.registration())
	for _, key := range []string{"c", "a", "b"} {
		p.send(&workflowservice.RecordWorkerHeartbeatRequest{Namespace: p.name("space"),
			WorkerHeartbeat: []*workerpb.WorkerHeartbeat{{WorkerInstanceKey: key, TaskQueue: "queue"}}})
	}
	request := &workflowservice.ListWorkersRequest{Namespace: p.name("space"), PageSize: 2}
	answer := call[*workflowservice.ListWorkersResponse](p, request)
	request.NextPageToken = answer.GetNextPageToken()
	p.send(request)
	request.NextPageToken = []byte("no token")
	p.send(request)
}

func (Behaviour) WorkersOfUnknownNamespaceAreNotFound(p *Play) {
	p.send(&workflowservice.ListWorkersRequest{Namespace: p.name("none")})
	p.send(&workflowservice.CountWorkersRequest{Namespace: p.name("none")})
	p.send(&workflowservice.DescribeWorkerRequest{Namespace: p.name("none"), WorkerInstanceKey: "key"})
	p.send(&workflowservice.RecordWorkerHeartbeatRequest{Namespace: p.name("none")})
	p.send(&workflowservice.ShutdownWorkerRequest{Namespace: p.name("none")})
	p.send(&workflowservice.DescribeTaskQueueRequest{Namespace: p.name("none"), TaskQueue: p.queue()})
}

func (Behaviour) WorkerThatStopsGivesUpItsStickyQueue(p *Play) {
	p.start()
	request := p.completionOf(p.poll())
	request.StickyAttributes = &taskqueuepb.StickyExecutionAttributes{
		WorkerTaskQueue:        &taskqueuepb.TaskQueue{Name: p.name("sticky"), Kind: enumspb.TASK_QUEUE_KIND_STICKY, NormalName: p.queue().Name},
		ScheduleToStartTimeout: seconds(30)}
	p.send(request)
	p.send(&workflowservice.ShutdownWorkerRequest{Namespace: defaultNamespace, StickyTaskQueue: p.name("sticky"),
		Identity: "worker", Reason: "test"})
	p.signal("wake")
	p.step(completeWorkflow())
	p.history()
}
