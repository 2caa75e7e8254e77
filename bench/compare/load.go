package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"stele/bench/compare/clients"
	"stele/bench/compare/servers"
)

const taskQueue = "bench"

// A worker of the Go SDK polls at most 1,000 times a second for each kind of task, whatever the
// server could give: with one of them, two tasks for a workflow would mean 500 workflows a second.
const (
	workers = 4
	pollers = 4
)

// The compared workflows, by the names under which they are registered.
const (
	emptyWorkflow       = "Empty"
	oneActivityWorkflow = "OneActivity"
)

var workflows = []string{emptyWorkflow, oneActivityWorkflow}

func Empty(workflow.Context) error { return nil }

func OneActivity(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx,
		workflow.ActivityOptions{StartToCloseTimeout: 30 * time.Second})
	return workflow.ExecuteActivity(ctx, Greet, "world").Get(ctx, nil)
}

func Greet(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }

// Load is workers and clients in this process, the same for every server.
type Load struct {
	client  client.Client
	workers []worker.Worker
}

func NewLoad(address string) (*Load, error) {
	connection, err := clients.Dial(address)
	if err != nil {
		return nil, err
	}
	load := &Load{client: connection}
	for range workers {
		// More pollers than the default, which would be the limit at 128 in flight.
		w := worker.New(connection, taskQueue, worker.Options{
			MaxConcurrentWorkflowTaskPollers: pollers, MaxConcurrentActivityTaskPollers: pollers})
		w.RegisterWorkflow(Empty)
		w.RegisterWorkflow(OneActivity)
		w.RegisterActivity(Greet)
		if err := w.Start(); err != nil {
			load.Stop()
			return nil, err
		}
		load.workers = append(load.workers, w)
	}
	return load, nil
}

func (l *Load) Stop() {
	for _, w := range l.workers {
		w.Stop()
	}
	l.client.Close()
}

// Measure runs one cell. Workflows that are under way when the time is over are awaited, and count:
// time and processor time are taken after the last of them.
func (l *Load) Measure(o options, server *servers.Server, name string, inFlight int) (Result, error) {
	if o.warmUp > 0 {
		if _, err := l.runWorkflows(name, inFlight, o.warmUp, o.count); err != nil {
			return Result{}, err
		}
	}
	result := Result{Server: server.Name, Workflow: name, InFlight: inFlight}
	before, err := server.ProcessorTime()
	if err != nil {
		return result, err
	}
	ownBefore, started := clients.OwnProcessorTime(), time.Now()
	if result.latencies, err = l.runWorkflows(name, inFlight, o.measure, o.count); err != nil {
		return result, err
	}
	result.Elapsed, result.LoadTime = time.Since(started), clients.OwnProcessorTime()-ownBefore
	after, err := server.ProcessorTime()
	if err != nil {
		return result, err
	}
	result.ProcessorTime = after - before
	result.Resident, err = server.ResidentBytes()
	slices.Sort(result.latencies)
	return result, err
}

// runWorkflows returns the time from start to result of each. A limit of 0 is none.
func (l *Load) runWorkflows(name string, inFlight int, limit time.Duration, count int) ([]time.Duration, error) {
	end := time.Now().Add(limit)
	var begun atomic.Int64
	latencies, errors := make([][]time.Duration, inFlight), make([]error, inFlight)
	var clients sync.WaitGroup
	for number := range inFlight {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for errors[number] == nil && time.Now().Before(end) && (count == 0 || begun.Add(1) <= int64(count)) {
				var latency time.Duration
				latency, errors[number] = l.runOne(name)
				latencies[number] = append(latencies[number], latency)
			}
		}()
	}
	clients.Wait()
	for _, err := range errors {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(latencies...), nil
}

func (l *Load) runOne(name string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	started := time.Now()
	run, err := l.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: taskQueue}, name)
	if err != nil {
		return 0, err
	}
	if err := run.Get(ctx, nil); err != nil {
		return 0, fmt.Errorf("workflow %s: %w", run.GetID(), err)
	}
	return time.Since(started), nil
}
