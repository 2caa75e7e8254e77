package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"stele/bench/compare/clients"
)

// The Go worker that is compared with those of other SDKs. The workflows are the same in every
// language; the program in cpp/worker.cc says what words they take.

func greet(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }

func limited(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 30 * time.Second})
}

func oneActivity(ctx workflow.Context) error { return manyActivities(ctx, 1) }

// manyActivities makes a long history: an activity after the other.
func manyActivities(ctx workflow.Context, count int) error {
	ctx = limited(ctx)
	for range count {
		if err := workflow.ExecuteActivity(ctx, "Greet", "world").Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// switches lets two coroutines take turns, within one workflow task.
func switches(ctx workflow.Context, rounds int) error {
	turn := 0
	ends := workflow.NewWaitGroup(ctx)
	ends.Add(2)
	for mine := range 2 {
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer ends.Done()
			for range rounds {
				workflow.Await(ctx, func() bool { return turn == mine })
				turn = 1 - mine
			}
		})
	}
	ends.Wait(ctx)
	return nil
}

// idleRuns are in memory, which proves that they are in the cache.
var idleRuns atomic.Int64

func idle(ctx workflow.Context) error {
	idleRuns.Add(1)
	defer idleRuns.Add(-1)
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return nil
}

func countIdleRuns(context.Context) (int64, error) { return idleRuns.Load(), nil }

func alive(ctx workflow.Context) (count int64, err error) {
	ctx = limited(ctx)
	err = workflow.ExecuteActivity(ctx, "CountIdleRuns").Get(ctx, &count)
	return count, err
}

type registry interface {
	RegisterWorkflowWithOptions(any, workflow.RegisterOptions)
}

func registerWorkflows(target registry) {
	for name, function := range map[string]any{"OneActivity": oneActivity, "ManyActivities": manyActivities,
		"Switches": switches, "Idle": idle, "Alive": alive} {
		target.RegisterWorkflowWithOptions(function, workflow.RegisterOptions{Name: name})
	}
}

// serve works until standard input ends.
func serve(address, taskQueue string, cachedRuns int) error {
	connection, err := clients.Dial(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	worker.SetStickyWorkflowCacheSize(cachedRuns)
	serving := worker.New(connection, taskQueue, worker.Options{MaxConcurrentWorkflowTaskPollers: 8,
		MaxConcurrentActivityTaskPollers: 8, DeadlockDetectionTimeout: time.Minute})
	registerWorkflows(serving)
	serving.RegisterActivityWithOptions(greet, activity.RegisterOptions{Name: "Greet"})
	serving.RegisterActivityWithOptions(countIdleRuns, activity.RegisterOptions{Name: "CountIdleRuns"})
	if err := serving.Start(); err != nil {
		return err
	}
	defer serving.Stop()
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func replay(path string, times int) error {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	history := &historypb.History{}
	if err := proto.Unmarshal(bytes, history); err != nil {
		return err
	}
	replayer := worker.NewWorkflowReplayer()
	registerWorkflows(replayer)
	begin, processorBegin := time.Now(), clients.OwnProcessorTime()
	for range times {
		if err := replayer.ReplayWorkflowHistory(clients.Silent{}, history); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(Replayed{
		Seconds: time.Since(begin).Seconds(), Processor: (clients.OwnProcessorTime() - processorBegin).Seconds()})
}
