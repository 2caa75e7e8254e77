package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"stele/bench/compare/clients"
)

const (
	workflowLimit = 5 * time.Minute
	// Clients that start idle workflows.
	starters = 64
)

// Bench drives workers through one client; what that takes is not counted.
type Bench struct {
	options options
	address string
	scratch string
	client  client.Client
}

func NewBench(o options, address, scratch string) (*Bench, error) {
	connection, err := clients.Dial(address)
	return &Bench{options: o, address: address, scratch: scratch, client: connection}, err
}

// Replay is what one history takes.
type Replay struct {
	Tasks, Events int
	Each          time.Duration
	ProcessorEach time.Duration
}

func (r Replay) TasksPerSecond() float64  { return float64(r.Tasks) / r.Each.Seconds() }
func (r Replay) EventsPerSecond() float64 { return float64(r.Events) / r.Each.Seconds() }

// Short is what workflows of one activity take, so many at a time.
type Short struct {
	Workflows          int
	Elapsed, Processor time.Duration
}

func (s Short) ProcessorMilliseconds() float64 {
	return s.Processor.Seconds() * 1000 / float64(s.Workflows)
}
func (s Short) PerSecond() float64 { return float64(s.Workflows) / s.Elapsed.Seconds() }

// Result is what one worker came to.
type Result struct {
	Worker                string
	Alone, Many           Short // one workflow at a time, and as many as the options say
	LongHistory, Switches Replay
	Rounds                int
	Idle                  int
	IdleBytes             int64 // of all of them
}

func (r Result) SwitchNanoseconds() float64 {
	return float64(r.Switches.Each.Nanoseconds()) / float64(2*r.Rounds)
}
func (r Result) KibibytesPerIdle() float64 { return float64(r.IdleBytes) / 1024 / float64(r.Idle) }

// Measure starts the worker twice: for what it does, and, fresh, for what it holds.
func (b *Bench) Measure(worker *Worker) (Result, error) {
	result := Result{Worker: worker.Name, Rounds: b.options.rounds}
	for _, measurement := range []func(*Worker, *Result) error{b.work, b.hold} {
		if err := b.with(worker, &result, measurement); err != nil {
			return result, err
		}
	}
	fmt.Printf("%-7s %.3f ms of CPU per workflow, %.0f workflow tasks replayed per second, %.0f ns per switch, "+
		"%.1f KiB per idle workflow\n", worker.Name, result.Many.ProcessorMilliseconds(),
		result.LongHistory.TasksPerSecond(), result.SwitchNanoseconds(), result.KibibytesPerIdle())
	return result, nil
}

func (b *Bench) with(worker *Worker, result *Result, measurement func(*Worker, *Result) error) error {
	if err := worker.Start(b.address, worker.Name, worker.idle+10_000); err != nil {
		return err
	}
	defer worker.Stop()
	return measurement(worker, result)
}

// work measures short workflows, and the replay of histories that the same worker has made.
func (b *Bench) work(worker *Worker, result *Result) (err error) {
	if result.Alone, err = b.short(worker, 1); err != nil {
		return err
	}
	if result.Many, err = b.short(worker, b.options.inFlight); err != nil {
		return err
	}
	if result.LongHistory, err = b.replay(worker, worker.replays, "ManyActivities", b.options.activities); err != nil {
		return err
	}
	result.Switches, err = b.replay(worker, worker.switchReplays, "Switches", b.options.rounds)
	return err
}

// short measures workflows of one activity, after a time in which they are not measured.
func (b *Bench) short(worker *Worker, inFlight int) (short Short, err error) {
	if _, err := b.oneActivityFor(worker, inFlight, b.options.warmUp); err != nil {
		return short, err
	}
	before, err := worker.Usage().ProcessorTime()
	if err != nil {
		return short, err
	}
	began := time.Now()
	if short.Workflows, err = b.oneActivityFor(worker, inFlight, b.options.measure); err != nil {
		return short, err
	}
	short.Elapsed = time.Since(began)
	after, err := worker.Usage().ProcessorTime()
	short.Processor = after - before
	return short, err
}

// oneActivityFor runs workflows for some time and tells how many have ended.
func (b *Bench) oneActivityFor(worker *Worker, inFlight int, limit time.Duration) (int, error) {
	end := time.Now().Add(limit)
	var ended atomic.Int64
	err := together(inFlight, func(int) error {
		for time.Now().Before(end) {
			if err := b.execute(worker, nil, "OneActivity"); err != nil {
				return err
			}
			ended.Add(1)
		}
		return nil
	})
	return int(ended.Load()), err
}

func (b *Bench) execute(worker *Worker, result any, name string, arguments ...any) error {
	run, err := b.start(worker, name, arguments...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return run.Get(ctx, result)
}

func (b *Bench) start(worker *Worker, name string, arguments ...any) (client.WorkflowRun, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return b.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: worker.Name,
		WorkflowTaskTimeout: time.Minute}, name, arguments...)
}

// replay lets the worker make a history, and then replay it.
func (b *Bench) replay(worker *Worker, times int, name string, argument int) (Replay, error) {
	run, err := b.start(worker, name, argument)
	if err != nil {
		return Replay{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), workflowLimit)
	defer cancel()
	if err := run.Get(ctx, nil); err != nil {
		return Replay{}, err
	}
	history := &historypb.History{}
	events := b.client.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	result := Replay{}
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return result, err
		}
		history.Events = append(history.Events, event)
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			result.Tasks++
		}
	}
	result.Events = len(history.Events)
	bytes, err := proto.Marshal(history)
	if err != nil {
		return result, err
	}
	file := filepath.Join(b.scratch, worker.Name+"-"+name)
	if err := os.WriteFile(file, bytes, 0o600); err != nil {
		return result, err
	}
	replayed, err := worker.Replay(file, times)
	each := func(seconds float64) time.Duration {
		return time.Duration(seconds * float64(time.Second) / float64(times))
	}
	result.Each, result.ProcessorEach = each(replayed.Seconds), each(replayed.Processor)
	return result, err
}

// hold fills the worker's cache with workflows that wait for a signal.
func (b *Bench) hold(worker *Worker, result *Result) error {
	// What a worker needs however few workflows it has is there before.
	if _, err := b.oneActivityFor(worker, b.options.inFlight, b.options.warmUp); err != nil {
		return err
	}
	before, err := worker.Usage().ResidentBytes()
	if err != nil {
		return err
	}
	err = together(starters, func(number int) error {
		for i := number; i < worker.idle; i += starters {
			if _, err := b.start(worker, "Idle"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.awaitIdle(worker); err != nil {
		return err
	}
	after, err := worker.Usage().ResidentBytes()
	result.Idle, result.IdleBytes = worker.idle, after-before
	return err
}

// awaitIdle returns when the worker itself says that all idle workflows are in its memory.
func (b *Bench) awaitIdle(worker *Worker) error {
	alive := 0
	for end := time.Now().Add(workflowLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err := b.execute(worker, &alive, "Alive"); err != nil {
			return err
		}
		if alive == worker.idle {
			return nil
		}
	}
	return fmt.Errorf("%d of %d idle workflows are in the cache", alive, worker.idle)
}

// together calls the function with the numbers from 0 on, all at a time.
func together(count int, function func(number int) error) error {
	errors := make([]error, count)
	var group sync.WaitGroup
	for number := range count {
		group.Add(1)
		go func() {
			defer group.Done()
			errors[number] = function(number)
		}()
	}
	group.Wait()
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}
