// Command start starts a workflow by type name, waits for its result and
// prints that as JSON. The workflow may be written in any language.
//
//	start -type NAME -id ID -task-queue NAME [-arg JSON]... [-address HOST:PORT]
//	start -id ID [-address HOST:PORT]
//
// Without a type it starts nothing and prints the result of the workflow that
// has the id.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// arguments collects every -arg; each is one argument of the workflow.
type arguments []any

func (a *arguments) String() string { return fmt.Sprint([]any(*a)) }

func (a *arguments) Set(text string) error {
	if !json.Valid([]byte(text)) {
		return fmt.Errorf("not JSON: %s", text)
	}
	*a = append(*a, json.RawMessage(text))
	return nil
}

func main() {
	var options client.StartWorkflowOptions
	var args arguments
	address := flag.String("address", "127.0.0.1:7233", "host:port of the server")
	namespace := flag.String("namespace", "default", "namespace")
	workflowType := flag.String("type", "", "workflow type name")
	timeout := flag.Duration("timeout", time.Minute, "how long to wait for the result")
	flag.StringVar(&options.ID, "id", "", "workflow id")
	flag.StringVar(&options.TaskQueue, "task-queue", "", "task queue")
	flag.Var(&args, "arg", "an argument as JSON; may be repeated")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	if err := start(ctx, *address, *namespace, *workflowType, options, args); err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, address, namespace, workflowType string,
	options client.StartWorkflowOptions, args []any) error {
	c, err := client.DialContext(ctx, client.Options{
		HostPort:  address,
		Namespace: namespace,
		Logger:    sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	run := c.GetWorkflow(ctx, options.ID, "")
	if workflowType != "" {
		run, err = c.ExecuteWorkflow(ctx, options, workflowType, args...)
		if err != nil {
			return err
		}
	}
	var result any
	if err := run.Get(ctx, &result); err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	return nil
}
