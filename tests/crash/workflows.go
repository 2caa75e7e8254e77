package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// The workflows under load. cpp/worker.cc has the same ones for the C++ SDK.

const (
	signalName  = "note"
	lastSignal  = "last"
	signalCount = 3
	chainLength = 3
	children    = 2
	taskTimeout = 3 * time.Second
)

// kinds are the types that clients start; half of the workflows get signals.
var kinds = []string{"Notes", "Chain", "Notes", "Family"}

func registerAll(w worker.Worker) {
	w.RegisterWorkflow(Notes)
	w.RegisterWorkflow(Chain)
	w.RegisterWorkflow(Family)
	w.RegisterWorkflow(Errand)
	w.RegisterActivity(Write)
}

// Notes has two activities around a timer, while signals arrive. It ends when the last signal is there.
func Notes(ctx workflow.Context) error {
	if err := writeStep(ctx, "first"); err != nil {
		return err
	}
	if err := workflow.Sleep(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	if err := writeStep(ctx, "second"); err != nil {
		return err
	}
	for channel := workflow.GetSignalChannel(ctx, signalName); ; {
		var text string
		channel.Receive(ctx, &text)
		if strings.HasPrefix(text, lastSignal) {
			return nil
		}
	}
}

// Chain continues as new until no more runs are asked for.
func Chain(ctx workflow.Context, more int) error {
	if err := writeStep(ctx, fmt.Sprintf("link %d", more)); err != nil {
		return err
	}
	if err := workflow.Sleep(ctx, 50*time.Millisecond); err != nil || more == 0 {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, Chain, more-1)
}

// Family ends when each child has ended and has sent its signal.
func Family(ctx workflow.Context) error {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	var ends []workflow.ChildWorkflowFuture
	for number := 1; number <= children; number++ {
		options := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID: childID(id, number), WorkflowTaskTimeout: taskTimeout})
		ends = append(ends, workflow.ExecuteChildWorkflow(options, Errand))
	}
	for _, end := range ends {
		if err := end.Get(ctx, nil); err != nil {
			return err
		}
	}
	for channel, number := workflow.GetSignalChannel(ctx, signalName), 1; number <= children; number++ {
		channel.Receive(ctx, nil)
	}
	return nil
}

// Errand is the child of Family.
func Errand(ctx workflow.Context) error {
	if err := writeStep(ctx, "errand"); err != nil {
		return err
	}
	if err := workflow.Sleep(ctx, 50*time.Millisecond); err != nil {
		return err
	}
	info := workflow.GetInfo(ctx)
	return workflow.SignalExternalWorkflow(ctx, info.ParentWorkflowExecution.ID, "", signalName,
		errandSignal(info.WorkflowExecution.ID)).Get(ctx, nil)
}

func writeStep(ctx workflow.Context, step string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 100 * time.Millisecond, MaximumInterval: time.Second},
	})
	return workflow.ExecuteActivity(ctx, Write, workflow.GetInfo(ctx).WorkflowExecution.ID, step).Get(ctx, nil)
}

// Write answers with a text of its own at each attempt, so that a completion can be recognised.
func Write(_ context.Context, id, step string) (string, error) {
	return id + " " + step + " " + uuid.NewString(), nil
}

func childID(parent string, number int) string { return fmt.Sprintf("%s-child-%d", parent, number) }

func errandSignal(child string) string { return "from " + child }
