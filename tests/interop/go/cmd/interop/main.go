// Command interop drives a server with the official Go SDK.
//
//	interop run --address HOST:PORT --namespace NAME --out FILE.jsonl [--only a,b]
//	interop worker --address HOST:PORT --namespace NAME --task-queue NAME --role NAME
//	interop register-namespace --address HOST:PORT --namespace NAME
//	interop list
//
// `run` runs the scenarios and ends with 0 only when all passed; `worker` is
// the process that some scenarios start and kill.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"stele/tests/interop/internal/harness"
	"stele/tests/interop/internal/scenarios"
)

func main() {
	if err := dispatch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func dispatch(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: interop run|worker|register-namespace|list ...")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	address := flags.String("address", "127.0.0.1:7233", "host:port of the server")
	namespace := flags.String("namespace", "default", "namespace")
	out := flags.String("out", "", "file for the results; standard output if empty")
	only := flags.String("only", "", "names of scenarios, separated by commas; all if empty")
	sdkLog := flags.String("log", "", "file for the log of the SDK")
	taskQueue := flags.String("task-queue", "", "task queue of the worker process")
	role := flags.String("role", "", "what the worker process registers")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "list":
		for _, scenario := range scenarios.All() {
			fmt.Println(scenario.Name)
		}
		return nil
	case "run":
		return run(*address, *namespace, *out, *only, *sdkLog)
	case "register-namespace":
		return registerNamespace(*address, *namespace)
	case "worker":
		c, err := connect(*address, *namespace, io.Discard)
		if err != nil {
			return err
		}
		defer c.Close()
		return harness.ServeRole(c, *taskQueue, *role, scenarios.Roles())
	}
	return fmt.Errorf("unknown command %q", args[0])
}

func run(address, namespace, out, only, sdkLog string) error {
	selected, err := choose(only)
	if err != nil {
		return err
	}
	logWriter, closeLog, err := create(sdkLog, io.Discard)
	if err != nil {
		return err
	}
	defer closeLog()
	results, closeResults, err := create(out, os.Stdout)
	if err != nil {
		return err
	}
	defer closeResults()
	c, err := connect(address, namespace, logWriter)
	if err != nil {
		return err
	}
	defer c.Close()
	target := harness.Target{Client: c, Address: address, Namespace: namespace}
	if !harness.RunAll(target, selected, results) {
		return fmt.Errorf("not every scenario passed")
	}
	return nil
}

func registerNamespace(address, namespace string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := connect(address, namespace, io.Discard)
	if err != nil {
		return err
	}
	defer c.Close()
	return harness.RegisterNamespace(ctx, c, namespace)
}

// choose picks scenarios by name; a name that does not exist is an error.
func choose(only string) ([]harness.Scenario, error) {
	all := scenarios.All()
	if only == "" {
		return all, nil
	}
	var selected []harness.Scenario
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(s harness.Scenario) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown scenario %q", name)
		}
		selected = append(selected, all[i])
	}
	return selected, nil
}

func create(path string, otherwise io.Writer) (io.Writer, func(), error) {
	if path == "" {
		return otherwise, func() {}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, nil, err
	}
	return file, func() { file.Close() }, nil
}

func connect(address, namespace string, logWriter io.Writer) (client.Client, error) {
	logger := slog.New(slog.NewTextHandler(logWriter, nil))
	return client.Dial(client.Options{
		HostPort:  address,
		Namespace: namespace,
		Logger:    sdklog.NewStructuredLogger(logger),
	})
}
