// Command crossing is the Go side of the crossings: the same worker and the same client in every
// language, so that each of them can meet each of the others. cpp/crossing.cc says what words it takes.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type flags struct{ address, taskQueue, ownQueue, id, parcel string }

func main() {
	var f flags
	words := flag.NewFlagSet("crossing", flag.ExitOnError)
	words.StringVar(&f.address, "address", "", "host:port of the server")
	words.StringVar(&f.taskQueue, "task-queue", "", "the worker's, or that of the workflows to call")
	words.StringVar(&f.ownQueue, "own-queue", "", "where a worker of this language is")
	words.StringVar(&f.id, "id", "", "first part of the workflow ids")
	words.StringVar(&f.parcel, "parcel", "", "what is sent, as JSON")
	if len(os.Args) < 2 {
		words.Usage()
		os.Exit(2)
	}
	words.Parse(os.Args[2:])
	if err := run(os.Args[1], f); err != nil {
		fmt.Fprintln(os.Stderr, "crossing:", err)
		os.Exit(1)
	}
}

func run(command string, f flags) error {
	connection, err := client.Dial(client.Options{
		HostPort: f.address,
		Logger:   sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		// Messages of failures travel as payloads, as where everything is encrypted.
		FailureConverter: temporal.NewDefaultFailureConverter(
			temporal.DefaultFailureConverterOptions{EncodeCommonAttributes: true}),
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	if command == "worker" {
		return serve(connection, f)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	seen, err := call(ctx, connection, f)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

func serve(connection client.Client, f flags) error {
	serving := worker.New(connection, f.taskQueue, worker.Options{})
	for name, function := range map[string]any{
		"crossing": crossing, "crossing_fails": crossingFails, "cross_from": crossFrom} {
		serving.RegisterWorkflowWithOptions(function, workflow.RegisterOptions{Name: name})
	}
	if err := serving.Start(); err != nil {
		return err
	}
	fmt.Println("ready")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	serving.Stop()
	return nil
}

// observations are what crossing.py holds against what it must be.
type observations struct {
	Parcels      []parcel   `json:"parcels"`
	Blob         []int      `json:"blob"`
	Stamped      parcel     `json:"stamped"`
	Rejection    string     `json:"rejection"`
	Attributes   attributes `json:"attributes"`
	Result       outcome    `json:"result"`
	Failure      []failure  `json:"failure"`
	FromWorkflow crossed    `json:"from_workflow"`
}

func call(ctx context.Context, c client.Client, f flags) (seen observations, err error) {
	var given parcel
	if err := json.Unmarshal([]byte(f.parcel), &given); err != nil {
		return seen, err
	}
	blob := make([]byte, 256)
	for i := range blob {
		blob[i] = byte(i)
	}
	handle, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: f.id, TaskQueue: f.taskQueue,
		TypedSearchAttributes: attributesFrom("from " + language)}, "crossing", given, blob)
	if err != nil {
		return seen, err
	}
	if err := talk(ctx, c, handle, given, &seen); err != nil {
		return seen, err
	}
	failing, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: f.id + "-fails",
		TaskQueue: f.taskQueue}, "crossing_fails", given)
	if err != nil {
		return seen, err
	}
	seen.Failure = chainOf(failing.Get(ctx, nil))
	from, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: f.id + "-from",
		TaskQueue: f.ownQueue}, "cross_from", f.taskQueue, f.id+"-child", given, blob)
	if err != nil {
		return seen, err
	}
	return seen, from.Get(ctx, &seen.FromWorkflow)
}

// talk does with a workflow that runs all that a client can do, and lets it finish.
func talk(ctx context.Context, c client.Client, handle client.WorkflowRun, given parcel, seen *observations) error {
	if err := c.SignalWorkflow(ctx, handle.GetID(), "", "put", given); err != nil {
		return err
	}
	if err := query(ctx, c, handle.GetID(), "parcels", &seen.Parcels); err != nil {
		return err
	}
	var blob []byte
	if err := query(ctx, c, handle.GetID(), "blob", &blob); err != nil {
		return err
	}
	for _, value := range blob {
		seen.Blob = append(seen.Blob, int(value))
	}
	var err error
	if seen.Stamped, err = update(ctx, c, handle.GetID(), given); err != nil {
		return err
	}
	below := given
	below.Number = -1
	_, err = update(ctx, c, handle.GetID(), below)
	var rejection *temporal.ApplicationError
	if !errors.As(err, &rejection) {
		return fmt.Errorf("not rejected: %w", err)
	}
	seen.Rejection = rejection.Message()
	description, err := c.DescribeWorkflow(ctx, handle.GetID(), "")
	if err != nil {
		return err
	}
	seen.Attributes = attributesOf(description.TypedSearchAttributes)
	if err := c.SignalWorkflow(ctx, handle.GetID(), "", "finish", nil); err != nil {
		return err
	}
	return handle.Get(ctx, &seen.Result)
}

func query(ctx context.Context, c client.Client, id, name string, result any) error {
	value, err := c.QueryWorkflow(ctx, id, "", name)
	if err != nil {
		return err
	}
	return value.Get(result)
}

func update(ctx context.Context, c client.Client, id string, given parcel) (stamped parcel, err error) {
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: "stamp",
		Args: []any{given}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return stamped, err
	}
	return stamped, handle.Get(ctx, &stamped)
}
