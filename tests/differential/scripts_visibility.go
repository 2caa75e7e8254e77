package main

import (
	"context"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	filterpb "go.temporal.io/api/filter/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const operatorPrefix = "/temporal.api.operatorservice.v1.OperatorService/"

// operate makes a call of an operator and writes down its answer.
func operate[Answer proto.Message](p *Play, request proto.Message, answer Answer) Answer {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	err := p.server.conn.Invoke(ctx, operatorPrefix+methodOf(request), request, answer)
	p.record(methodOf(request), answer, err)
	return answer
}

func (p *Play) listOf(query string) *workflowservice.ListWorkflowExecutionsRequest {
	return &workflowservice.ListWorkflowExecutionsRequest{Namespace: defaultNamespace, Query: query}
}

func (p *Play) countOf(query string) *workflowservice.CountWorkflowExecutionsRequest {
	return &workflowservice.CountWorkflowExecutionsRequest{Namespace: defaultNamespace, Query: query}
}

// mine is a condition that only the runs of this script satisfy.
func (p *Play) mine() string { return `WorkflowId STARTS_WITH "` + p.prefix + `"` }

// awaitCount waits until as many runs are found: Temporal's index is a little behind.
func (p *Play) awaitCount(query string, count int64) {
	for end := time.Now().Add(callLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), callLimit)
		answer, err := p.invoke(ctx, p.countOf(query))
		cancel()
		if err == nil && answer.(*workflowservice.CountWorkflowExecutionsResponse).Count == count {
			return
		}
	}
}

func (p *Play) startNamed(suffix string, changes ...func(*startRequest)) {
	changes = append(changes, func(r *startRequest) {
		r.WorkflowId, r.RequestId = p.name(suffix), p.name("request-"+suffix)
	})
	p.silently(func() { p.start(changes...) })
}

func attributes(values map[string]*commonpb.Payload) func(*startRequest) {
	return func(r *startRequest) {
		r.SearchAttributes = &commonpb.SearchAttributes{IndexedFields: values}
	}
}

func jsonPayload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

func (Behaviour) ListShowsARunningRun(p *Play) {
	p.start(func(r *startRequest) {
		r.Memo = &commonpb.Memo{Fields: map[string]*commonpb.Payload{"note": payload("memo")}}
	})
	p.awaitCount(p.mine(), 1)
	p.send(p.listOf(p.mine()))
}

func (Behaviour) ListShowsAClosedRun(p *Play) {
	p.start()
	p.step(completeWorkflow())
	p.awaitCount(p.mine()+` AND ExecutionStatus = "Completed"`, 1)
	p.send(p.listOf(p.mine()))
	p.send(p.countOf(p.mine() + ` AND CloseTime IS NOT NULL AND HistoryLength > 3`))
}

func (Behaviour) ListIsPagedInOrder(p *Play) {
	for _, suffix := range []string{"a", "b", "c", "d", "e"} {
		p.startNamed(suffix)
		time.Sleep(5 * time.Millisecond)
	}
	p.awaitCount(p.mine(), 5)
	request := p.listOf(p.mine())
	for request.PageSize = 2; ; {
		answer := call[*workflowservice.ListWorkflowExecutionsResponse](p, request)
		if request.NextPageToken = answer.NextPageToken; len(answer.NextPageToken) == 0 {
			return
		}
	}
}

func (Behaviour) ScanFindsWhatListFinds(p *Play) {
	p.start()
	p.awaitCount(p.mine(), 1)
	p.send(&workflowservice.ScanWorkflowExecutionsRequest{Namespace: defaultNamespace, Query: p.mine()})
}

func (Behaviour) CountIsGroupedByStatus(p *Play) {
	p.startNamed("a")
	p.startNamed("b")
	p.start()
	p.terminate()
	p.awaitCount(p.mine()+` AND ExecutionStatus = "Terminated"`, 1)
	p.awaitCount(p.mine(), 3)
	p.send(p.countOf(p.mine() + " GROUP BY ExecutionStatus"))
	p.send(p.countOf(p.mine() + " GROUP BY WorkflowType"))
	p.send(p.countOf(p.mine() + " GROUP BY ExecutionStatus, WorkflowType"))
}

func (Behaviour) OpenAndClosedRunsAreListedApart(p *Play) {
	p.startNamed("open")
	p.start()
	p.terminate()
	p.awaitCount(p.mine()+` AND ExecutionStatus = "Terminated"`, 1)
	p.awaitCount(p.mine(), 2)
	for _, suffix := range []string{"open", "workflow"} {
		byID := &filterpb.WorkflowExecutionFilter{WorkflowId: p.name(suffix)}
		p.send(&workflowservice.ListOpenWorkflowExecutionsRequest{Namespace: defaultNamespace,
			Filters: &workflowservice.ListOpenWorkflowExecutionsRequest_ExecutionFilter{ExecutionFilter: byID}})
		p.send(&workflowservice.ListClosedWorkflowExecutionsRequest{Namespace: defaultNamespace,
			Filters: &workflowservice.ListClosedWorkflowExecutionsRequest_ExecutionFilter{ExecutionFilter: byID}})
	}
}

func (Behaviour) ListClosedRefusesAnOpenStatusAndTimesTheWrongWayRound(p *Play) {
	p.send(&workflowservice.ListClosedWorkflowExecutionsRequest{Namespace: defaultNamespace,
		Filters: &workflowservice.ListClosedWorkflowExecutionsRequest_StatusFilter{
			StatusFilter: &filterpb.StatusFilter{Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING}}})
	p.send(&workflowservice.ListOpenWorkflowExecutionsRequest{Namespace: defaultNamespace,
		StartTimeFilter: &filterpb.StartTimeFilter{EarliestTime: timestamppb.New(time.Unix(200, 0)),
			LatestTime: timestamppb.New(time.Unix(100, 0))}})
}

// refuse sends queries that are wrong to list and count.
func (p *Play) refuse(queries ...string) {
	for _, query := range queries {
		p.send(p.listOf(query))
		p.send(p.countOf(query))
	}
}

func (Behaviour) QueryWithUnknownNamesIsRefused(p *Play) {
	p.refuse(`Nope = 1`, "`Nope` = 1", `TemporalNope = 1`, `WorkflowId = other`, `1 = WorkflowId`,
		`lower(WorkflowId) = "a"`, `WorkflowId = lower("a")`, `WorkflowId`, `"text"`)
}

func (Behaviour) QueryWithValuesOfTheWrongTypeIsRefused(p *Play) {
	p.refuse(`WorkflowId = 1`, `StartTime > "yesterday"`, `StartTime = true`, `HistoryLength = "x"`,
		`ExecutionStatus = "Asleep"`, `ExecutionStatus = 99`, `ExecutionStatus = 1.5`,
		`ExecutionDuration > "long"`, `TemporalSchedulePaused = 1`, `WorkflowId = NULL`)
}

func (Behaviour) QueryWithUnsupportedOperatorsIsRefused(p *Play) {
	p.refuse(`WorkflowId LIKE "a%"`, `HistoryLength STARTS_WITH "1"`, `BuildIds > "a"`,
		`BuildIds STARTS_WITH "a"`, `BuildIds BETWEEN "a" AND "b"`, `TemporalSchedulePaused BETWEEN true AND true`,
		`WorkflowId = "a" LIMIT 1`, `WorkflowId IS TRUE`, `HistoryLength NOT STARTS_WITH 1`)
}

func (Behaviour) QueryThatIsNoConditionIsRefused(p *Play) {
	p.refuse(`WorkflowId =`, `(WorkflowId = "a"`, `WorkflowId = "a")`, `WorkflowId = "a" AND`, `AND`,
		`WorkflowId = "a" WorkflowId = "b"`, `WorkflowId IN "a"`, `WorkflowId IN ()`, `WorkflowId = "a`,
		`WorkflowId BETWEEN "a"`, `NOT`, `= 1`, `WorkflowId == "a"`, `WorkflowId ! "a"`)
}

func (Behaviour) ConditionsOfEveryKindFindTheirRun(p *Play) {
	p.start()
	p.awaitCount(p.mine(), 1)
	id := p.id()
	for _, query := range []string{
		`WorkflowId = '` + id + `'`, `WorkflowId IN ("x", "` + id + `")`, "`WorkflowId` = \"" + id + `"`,
		p.mine() + ` AND NOT WorkflowType = "Other"`, p.mine() + ` AND WorkflowType != "Type"`,
		p.mine() + ` AND CloseTime IS NULL`, p.mine() + ` AND NOT CloseTime IS NULL`,
		p.mine() + ` AND CloseTime > 0`, p.mine() + ` AND NOT CloseTime > 0`,
		p.mine() + ` AND StartTime > "2020-01-01T00:00:00Z"`, p.mine() + ` AND StartTime BETWEEN 0 AND 1`,
		p.mine() + ` AND StartTime NOT BETWEEN 0 AND 1`, p.mine() + ` AND ExecutionStatus = 1`,
		p.mine() + ` AND ExecutionStatus IN ("Running", "Failed")`, p.mine() + ` AND BuildIds != "x"`,
		p.mine() + ` AND BuildIds NOT IN ("x")`, p.mine() + ` AND ParentWorkflowId IS NULL`,
		p.mine() + ` AND RootWorkflowId = "` + id + `"`, p.mine() + ` AND ExecutionDuration > "1h"`,
		p.mine() + ` AND (WorkflowType = "x" OR TaskQueue = "` + p.queue().Name + `")`,
		p.mine() + ` AND TemporalNamespaceDivision IS NULL`, `ScheduleId = "` + id + `"`,
		p.mine() + ` AND TaskQueue NOT STARTS_WITH "x"`, p.mine() + ` and workflowtype = "Type"`,
		p.mine() + ` AND WorkflowType = "it''s" OR ` + p.mine(), p.mine() + ` AND HistoryLength IS NULL`,
	} {
		p.send(p.countOf(query))
	}
}

func (Behaviour) SearchAttributesOfARunAreEchoedWithTheirTypes(p *Play) {
	p.start(attributes(map[string]*commonpb.Payload{
		"TemporalChangeVersion": jsonPayload(`["a","b"]`), "BatcherUser": payload("me")}))
	p.awaitCount(p.mine()+` AND BatcherUser = "me"`, 1)
	p.send(p.countOf(p.mine() + ` AND TemporalChangeVersion = "b"`))
	p.send(p.countOf(p.mine() + ` AND ChangeVersion IN ("c", "a")`))
	p.send(p.listOf(p.mine()))
	p.describe()
	p.history()
}

func (Behaviour) SearchAttributesThatDoNotFitAreRefused(p *Play) {
	for _, values := range []map[string]*commonpb.Payload{
		{"Nope": payload("x")}, {"WorkflowId": payload("x")}, {"TemporalWorkerDeployment": payload("x")},
		{"BatcherUser": jsonPayload("1")}, {"BatcherUser": jsonPayload("true")}, {"BatcherUser": jsonPayload("1000000")},
		{"TemporalSchedulePaused": payload("yes")}, {"TemporalScheduledStartTime": payload("noon")},
		{"BatcherUser": jsonPayload(`{"a":1}`)}, {"BatcherUser": {Data: []byte("x")}},
		{"BatcherUser": payload(strings.Repeat("x", 3000))}, {"TemporalChangeVersion": jsonPayload(`[1]`)},
	} {
		p.start(attributes(values))
	}
}

func (Behaviour) EmptySearchAttributesAreNone(p *Play) {
	p.start(attributes(map[string]*commonpb.Payload{"BatcherUser": jsonPayload("null"),
		"TemporalChangeVersion": jsonPayload("[]")}))
	p.describe()
	p.history()
}

func (Behaviour) DivisionsAreHidden(p *Play) {
	p.start(attributes(map[string]*commonpb.Payload{"TemporalNamespaceDivision": payload("hidden")}))
	p.awaitCount(p.mine()+` AND TemporalNamespaceDivision = "hidden"`, 1)
	p.send(p.countOf(p.mine()))
	p.send(p.listOf(p.mine() + ` AND TemporalNamespaceDivision = "hidden"`))
	p.send(p.countOf(p.mine() + ` GROUP BY TemporalNamespaceDivision`))
}

func (p *Play) space() string { return p.name("space") }

func (Behaviour) SearchAttributesOfANamespaceComeAndGo(p *Play) {
	p.silently(func() { p.send(p.registration()) })
	time.Sleep(2 * time.Second) // until all of Temporal knows the namespace
	add := func(values map[string]enumspb.IndexedValueType) {
		operate(p, &operatorservice.AddSearchAttributesRequest{Namespace: p.space(), SearchAttributes: values},
			&operatorservice.AddSearchAttributesResponse{})
	}
	remove := func(names ...string) {
		operate(p, &operatorservice.RemoveSearchAttributesRequest{Namespace: p.space(), SearchAttributes: names},
			&operatorservice.RemoveSearchAttributesResponse{})
	}
	list := func() {
		operate(p, &operatorservice.ListSearchAttributesRequest{Namespace: p.space()},
			&operatorservice.ListSearchAttributesResponse{})
	}
	list()
	add(nil)
	add(map[string]enumspb.IndexedValueType{"WorkflowId": enumspb.INDEXED_VALUE_TYPE_KEYWORD})
	add(map[string]enumspb.IndexedValueType{"TemporalMine": enumspb.INDEXED_VALUE_TYPE_KEYWORD})
	add(map[string]enumspb.IndexedValueType{"Mine": 77})
	add(map[string]enumspb.IndexedValueType{"Mine": enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED})
	add(map[string]enumspb.IndexedValueType{"Mine": enumspb.INDEXED_VALUE_TYPE_KEYWORD})
	add(map[string]enumspb.IndexedValueType{"Mine": enumspb.INDEXED_VALUE_TYPE_KEYWORD})
	list()
	remove()
	remove("WorkflowId")
	remove("Nope")
	remove("Mine")
	list()
}

func (Behaviour) NamespaceIsDeletedUnderAnotherName(p *Play) {
	p.silently(func() { p.send(p.registration()) })
	remove := func(request *operatorservice.DeleteNamespaceRequest) {
		operate(p, request, &operatorservice.DeleteNamespaceResponse{})
	}
	remove(&operatorservice.DeleteNamespaceRequest{})
	remove(&operatorservice.DeleteNamespaceRequest{Namespace: p.space(), NamespaceId: "id"})
	remove(&operatorservice.DeleteNamespaceRequest{Namespace: p.name("none")})
}

func (Behaviour) DeprecatedNamespaceTakesNoNewRuns(p *Play) {
	p.silently(func() { p.send(p.registration()) })
	p.send(&workflowservice.DeprecateNamespaceRequest{Namespace: p.space()})
	p.send(&workflowservice.DescribeNamespaceRequest{Namespace: p.space()})
	time.Sleep(2 * time.Second) // until all of Temporal knows
	p.start(func(r *startRequest) { r.Namespace = p.space() })
}
