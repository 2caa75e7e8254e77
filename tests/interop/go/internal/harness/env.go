package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

// Env is what one scenario works with: a client, a task queue that no other
// scenario uses, and checks that end the scenario when they fail. It is used
// by the goroutine of its scenario only.
type Env struct {
	context.Context
	Client    client.Client
	Address   string
	Namespace string
	TaskQueue string

	cleanup []func()
}

// workerOptions are for busy machines: heartbeats pass often, so that
// cancellation is quick although heartbeat timeouts are long, and a workflow
// that waits for the processor does not count as one that hangs.
var workerOptions = worker.Options{
	MaxHeartbeatThrottleInterval: 200 * time.Millisecond,
	DeadlockDetectionTimeout:     20 * time.Second,
}

// failure carries the message of a failed check out of the scenario.
type failure struct{ message string }

// Failf ends the scenario as failed.
func (e *Env) Failf(format string, args ...any) {
	panic(failure{fmt.Sprintf(format, args...)})
}

// Check ends the scenario when err is not nil.
func (e *Env) Check(err error, doing string) {
	if err != nil {
		e.Failf("%s: %v", doing, err)
	}
}

// Equal ends the scenario when the two values differ.
func (e *Env) Equal(want, got any, what string) {
	if !reflect.DeepEqual(want, got) {
		e.Failf("%s: want %v, got %v", what, want, got)
	}
}

// True ends the scenario when the condition does not hold.
func (e *Env) True(condition bool, what string) {
	if !condition {
		e.Failf("expected: %s", what)
	}
}

// Eventually asks again until the condition holds; 45 seconds are enough for
// everything the scenarios wait for, also on a busy machine.
func (e *Env) Eventually(what string, condition func() bool) {
	deadline := time.Now().Add(45 * time.Second)
	for !condition() {
		if time.Now().After(deadline) || e.Err() != nil {
			e.Failf("waited in vain: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// ErrorAs ends the scenario unless an error of type T is in the chain of err.
func ErrorAs[T error](e *Env, err error, what string) T {
	var target T
	if err == nil {
		e.Failf("%s: want %T, got no error", what, target)
	}
	if !errors.As(err, &target) {
		e.Failf("%s: want %T, got %T: %v", what, target, err, err)
	}
	return target
}

// Worker starts a worker on the scenario's task queue. It stops with the
// scenario, or earlier when the returned function is called.
func (e *Env) Worker(register func(worker.Registry)) (stop func()) {
	w := worker.New(e.Client, e.TaskQueue, workerOptions)
	register(w)
	e.Check(w.Start(), "start worker")
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			w.Stop()
		}
	}
	e.cleanup = append(e.cleanup, stop)
	return stop
}

// WorkerProcess starts this program once more as a worker in a process of its
// own. The role names what it registers (see Roles). The returned function
// kills the process without giving it a chance to say goodbye.
func (e *Env) WorkerProcess(role string) (kill func()) {
	program, err := os.Executable()
	e.Check(err, "find own program")
	command := exec.Command(program, "worker", "--address", e.Address, "--namespace", e.Namespace,
		"--task-queue", e.TaskQueue, "--role", role)
	command.Stderr = os.Stderr
	// The process ends when this pipe closes, so it never outlives its parent.
	lifeline, err := command.StdinPipe()
	e.Check(err, "make pipe")
	e.Check(command.Start(), "start worker process")
	killed := false
	kill = func() {
		if !killed {
			killed = true
			_ = command.Process.Signal(syscall.SIGKILL)
			_ = command.Wait()
			_ = lifeline.Close()
		}
	}
	e.cleanup = append(e.cleanup, kill)
	return kill
}

// ID makes a workflow id that belongs to this run of the scenario.
func (e *Env) ID(name string) string {
	return e.TaskQueue + "-" + name
}

// Options are start options with the scenario's task queue and a limit on how
// long a workflow may be left over.
func (e *Env) Options(name string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       e.ID(name),
		TaskQueue:                e.TaskQueue,
		WorkflowExecutionTimeout: 3 * time.Minute,
		// Starting an id that is taken is an error in every scenario.
		WorkflowExecutionErrorWhenAlreadyStarted: true,
	}
}

// Start starts a workflow whose id is made from the name.
func (e *Env) Start(name string, workflow any, args ...any) client.WorkflowRun {
	return e.StartWith(e.Options(name), workflow, args...)
}

// StartWith starts a workflow and ends the scenario if that fails.
func (e *Env) StartWith(options client.StartWorkflowOptions, workflow any, args ...any) client.WorkflowRun {
	run, err := e.Client.ExecuteWorkflow(e, options, workflow, args...)
	e.Check(err, "start "+options.ID)
	return run
}

// Signal signals the current run of a workflow.
func (e *Env) Signal(workflowID, name string, value any) {
	e.Check(e.Client.SignalWorkflow(e, workflowID, "", name, value), "signal "+name)
}

// Result waits for the result of a workflow that must succeed.
func Result[T any](e *Env, run client.WorkflowRun) T {
	var value T
	e.Check(run.Get(e, &value), "result of "+run.GetID())
	return value
}

// Query asks the current run of a workflow.
func Query[T any](e *Env, workflowID, query string, args ...any) T {
	var value T
	encoded, err := e.Client.QueryWorkflow(e, workflowID, "", query, args...)
	e.Check(err, "query "+query)
	e.Check(encoded.Get(&value), "decode answer of "+query)
	return value
}

func (e *Env) close() {
	for i := len(e.cleanup) - 1; i >= 0; i-- {
		e.cleanup[i]()
	}
}

// ServeRole runs a worker until standard input closes.
func ServeRole(c client.Client, taskQueue, role string, roles map[string]func(worker.Registry)) error {
	register, found := roles[role]
	if !found {
		return fmt.Errorf("unknown role %q", role)
	}
	w := worker.New(c, taskQueue, workerOptions)
	register(w)
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
