// Command compare runs the same workflows, with the same Go worker and clients, on Stele and on a
// real Temporal server, one after the other, and writes down what each took.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"stele/bench/compare/flags"
	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

type options struct {
	stele, reference string
	port             int
	inFlight         []int
	warmUp, measure  time.Duration
	count            int
	synchronous      string
	results          string
	commit           string
}

func parseOptions() (options, error) {
	var o options
	flag.StringVar(&o.stele, "stele", "", "the stele binary")
	flag.StringVar(&o.reference, "reference", "", "the binary that runs Temporal; without it Stele runs alone")
	flag.IntVar(&o.port, "port", 17820, "first of four ports")
	inFlight := flag.String("in-flight", "1,16,128", "how many workflows at a time, one cell each")
	flag.DurationVar(&o.warmUp, "warm-up", 3*time.Second, "time before each cell that is not measured")
	flag.DurationVar(&o.measure, "measure", 10*time.Second, "time of each cell")
	flag.IntVar(&o.count, "count", 0, "end a cell after this many workflows; 0: only by time")
	flag.StringVar(&o.synchronous, "synchronous", "full", "when SQLite waits for the disk: full, normal or off")
	flag.StringVar(&o.results, "results", "", "directory for the report")
	flag.StringVar(&o.commit, "commit", "unknown", "the commit measured, for the report")
	flag.Parse()
	var err error
	o.inFlight, err = flags.Counts("-in-flight", *inFlight)
	return o, err
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	o, err := parseOptions()
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	measured, err := servers.MeasureAll(measuredServers(o, scratch),
		func(server *servers.Server) ([]Result, error) { return measureServer(o, server) })
	if err != nil {
		return err
	}
	report := Report(o, measured)
	fmt.Print("\n" + report)
	return reports.Save(o.results, "", report)
}

// measuredServers leaves out Temporal if there is no binary of it.
func measuredServers(o options, scratch string) []*servers.Server {
	all := []*servers.Server{servers.OfStele(o.stele, o.port, scratch)}
	if o.reference == "" {
		return all
	}
	return append(all, servers.OfTemporal(o.reference, o.port+1, scratch, o.synchronous))
}

func measureServer(o options, server *servers.Server) ([]Result, error) {
	load, err := NewLoad(server.Address())
	if err != nil {
		return nil, err
	}
	defer load.Stop()
	results := []Result{}
	for _, workflow := range workflows {
		for _, inFlight := range o.inFlight {
			result, err := load.Measure(o, server, workflow, inFlight)
			if err != nil {
				return nil, fmt.Errorf("%s, %d in flight: %w", workflow, inFlight, err)
			}
			fmt.Printf("%-8s %-12s %4d in flight: %s\n", server.Name, workflow, inFlight, result.Summary())
			results = append(results, result)
		}
	}
	return results, nil
}
