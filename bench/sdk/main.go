// Command sdk measures workers of several SDKs on the same Stele server: what a workflow costs a
// worker, how fast a long history is replayed, what an idle workflow takes in the cache, and what it
// takes to go from one coroutine to another.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

type options struct {
	stele, cpp, pythonProgram, pythonWorker string
	port                                    int
	inFlight                                int
	warmUp, measure                         time.Duration
	activities, rounds                      int
	idleScale                               float64
	results, commit                         string
}

func parseOptions() options {
	var o options
	flag.StringVar(&o.stele, "stele", "", "the stele binary")
	flag.StringVar(&o.cpp, "cpp", "", "the C++ worker")
	flag.StringVar(&o.pythonProgram, "python", "", "the Python that has the SDK; without it Python is left out")
	flag.StringVar(&o.pythonWorker, "python-worker", "", "the Python worker")
	flag.IntVar(&o.port, "port", 17860, "the server's port")
	flag.IntVar(&o.inFlight, "in-flight", 64, "how many workflows of one activity at a time, beside one")
	flag.DurationVar(&o.warmUp, "warm-up", time.Second, "time before the workflows are measured")
	flag.DurationVar(&o.measure, "measure", 6*time.Second, "time in which they are")
	flag.IntVar(&o.activities, "activities", 1666, "activities of the long history, which has six events for each")
	flag.IntVar(&o.rounds, "rounds", 20_000, "turns of each of two coroutines")
	flag.Float64Var(&o.idleScale, "idle-scale", 1, "how many of the idle workflows: 100,000 of the C++ worker")
	flag.StringVar(&o.results, "results", "", "directory for the report")
	flag.StringVar(&o.commit, "commit", "unknown", "the commit measured, for the report")
	flag.Parse()
	return o
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	var err error
	switch {
	case len(os.Args) == 5 && os.Args[1] == "serve":
		var cachedRuns int
		if cachedRuns, err = strconv.Atoi(os.Args[4]); err == nil {
			err = serve(os.Args[2], os.Args[3], cachedRuns)
		}
	case len(os.Args) == 4 && os.Args[1] == "replay":
		var times int
		if times, err = strconv.Atoi(os.Args[3]); err == nil {
			err = replay(os.Args[2], times)
		}
	default:
		err = run(parseOptions())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-sdk:", err)
		os.Exit(1)
	}
}

// measuredWorkers are given as much work as takes each of them some seconds.
func measuredWorkers(o options) ([]*Worker, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	scaled := func(count int) int { return max(1, int(float64(count)*o.idleScale)) }
	workers := []*Worker{
		{Name: "C++", Command: []string{o.cpp}, idle: scaled(100_000), replays: 20, switchReplays: 20},
		{Name: "Go", Command: []string{own}, idle: scaled(10_000), replays: 10, switchReplays: 20},
	}
	if o.pythonProgram != "" {
		workers = append(workers, &Worker{Name: "Python", Command: []string{o.pythonProgram, o.pythonWorker},
			idle: scaled(2000), replays: 2, switchReplays: 4})
	}
	return workers, nil
}

func run(o options) error {
	workers, err := measuredWorkers(o)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "bench-sdk")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	server := servers.OfStele(o.stele, o.port, scratch)
	if err := server.Start(); err != nil {
		return fmt.Errorf("%w\n%s", err, server.LastOutput())
	}
	defer server.Stop()
	bench, err := NewBench(o, server.Address(), scratch)
	if err != nil {
		return err
	}
	defer bench.client.Close()
	measured := []Result{}
	for _, worker := range workers {
		result, err := bench.Measure(worker)
		if err != nil {
			return fmt.Errorf("%s: %w", worker.Name, err)
		}
		measured = append(measured, result)
	}
	report := Report(o, measured)
	fmt.Print("\n" + report)
	return reports.Save(o.results, "sdk-", report)
}
