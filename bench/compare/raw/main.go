// Command raw runs a load of bare gRPC calls, which costs its own process almost nothing, on Stele, on
// a server of gRPC's library that has no engine, and on a real Temporal server, and writes down what
// each took. The empty server is the ceiling of what gRPC's library allows on the machine. An engine inside
// the load's process comes last.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"stele/bench/compare/flags"
	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

type options struct {
	stele, reference, load, empty, postgres string
	steleFlags                              []string
	port                                    int
	inFlight, activities                    []int
	warmUp, measure                         time.Duration
	rounds                                  int
	results, commit, profiles               string
}

func parseOptions() (options, error) {
	var o options
	flag.StringVar(&o.stele, "stele", "", "the stele binary")
	flag.StringVar(&o.reference, "reference", "", "the binary that runs Temporal; without it, it is left out")
	flag.StringVar(&o.load, "load", "", "the binary of the load")
	flag.StringVar(&o.empty, "empty", "", "the binary of the empty server")
	steleFlags := flag.String("stele-flags", "", "further flags of `stele server start-dev`, as in `--shards 4`")
	flag.IntVar(&o.port, "port", 17870, "first of thirteen ports")
	flag.StringVar(&o.postgres, "postgres", "", "directory of PostgreSQL's programs; without it, Temporal on it is left out")
	inFlight := flag.String("in-flight", "1,16,64,256", "how many workflows at a time, one cell each")
	activities := flag.String("activities", "1,10", "of each workflow, one after the other, one cell each")
	flag.DurationVar(&o.warmUp, "warm-up", 2*time.Second, "time before each cell that is not measured")
	flag.DurationVar(&o.measure, "measure", 6*time.Second, "time of each cell")
	flag.IntVar(&o.rounds, "rounds", 1, "how often everything is measured, in turn; the report has the medians")
	flag.StringVar(&o.profiles, "profiles", "", "directory for profiles of Stele by perf, one of each cell")
	flag.StringVar(&o.results, "results", "", "directory for the report")
	flag.StringVar(&o.commit, "commit", "unknown", "the commit measured, for the report")
	flag.Parse()
	o.steleFlags = strings.Fields(*steleFlags)
	if o.rounds < 1 {
		return o, fmt.Errorf("-rounds %d: at least one is wanted", o.rounds)
	}
	var err error
	if o.inFlight, err = flags.Counts("-in-flight", *inFlight); err != nil {
		return o, err
	}
	o.activities, err = flags.Counts("-activities", *activities)
	return o, err
}

// Cell is what the load prints.
type Cell struct {
	Server             string  `json:"-"`
	Resident           int64   `json:"-"`
	InFlight           int     `json:"in_flight"`
	Activities         int     `json:"activities"`
	Workflows          int     `json:"workflows"`
	PerSecond          float64 `json:"per_second"`
	StartP50           float64 `json:"start_p50_ms"`
	StartP99           float64 `json:"start_p99_ms"`
	P50                float64 `json:"p50_ms"`
	P99                float64 `json:"p99_ms"`
	ServerMilliseconds float64 `json:"server_ms_each"`
	LoadMilliseconds   float64 `json:"client_ms_each"`
	Failures           int     `json:"failures"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-raw:", err)
		os.Exit(1)
	}
}

func run() error {
	o, err := parseOptions()
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "bench-raw")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o711); err != nil { // PostgreSQL's user has to get through
		return err
	}
	rounds := [][]Cell{}
	for len(rounds) < o.rounds {
		cells, err := measureRound(o, filepath.Join(scratch, strconv.Itoa(len(rounds))))
		if err != nil {
			return err
		}
		rounds = append(rounds, cells)
	}
	report := Report(o, medians(rounds))
	fmt.Print("\n" + report)
	return reports.Save(o.results, "raw-", report)
}

// measureRound measures everything once, one server after the other, in a directory that it makes.
func measureRound(o options, scratch string) ([]Cell, error) {
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return nil, err
	}
	all, err := measuredServers(o, scratch)
	if err != nil {
		return nil, err
	}
	cells, err := servers.MeasureAll(all,
		func(server *servers.Server) ([]Cell, error) { return measureServer(o, server) })
	if err != nil {
		return nil, err
	}
	embedded, err := measureEmbedded(o, scratch)
	return append(cells, embedded...), err
}

func measuredServers(o options, scratch string) ([]*servers.Server, error) {
	all := []*servers.Server{
		servers.OfEmpty(o.empty, o.port, scratch),
		servers.OfStele(o.stele, o.port+1, scratch, o.steleFlags...)}
	if o.reference == "" {
		return all, nil
	}
	all = append(all, servers.OfTemporal(o.reference, o.port+2, scratch, "full"),
		servers.OfTemporalInMemory(o.reference, o.port+5, scratch))
	if o.postgres == "" {
		return all, nil
	}
	onPostgres, err := servers.OfTemporalOnPostgres(o.reference, o.port+8, scratch, o.postgres)
	return append(all, onPostgres), err
}

func measureServer(o options, server *servers.Server) ([]Cell, error) {
	return measureCells(o, func(activities, inFlight int) (Cell, error) {
		load := func() (Cell, error) {
			return measure(o, server.Name, activities, inFlight, "--address", server.Address(),
				"--server-process", strconv.Itoa(int(server.Usage())))
		}
		var cell Cell
		var err error
		if o.profiles != "" && server.Name == servers.Stele {
			cell, err = profiled(o, server, activities, inFlight, load)
		} else {
			cell, err = load()
		}
		if err == nil {
			cell.Resident, err = server.ResidentBytes()
		}
		return cell, err
	})
}

// embedded is how the report calls the engine inside the load's process, whose processor time is then both.
const embedded = "stele embedded"

// embeddedEngines are the ways in which it is measured: alone, under a load that asks for tasks with the calls that
// make them, and on two threads as well.
var embeddedEngines = []struct {
	name  string
	flags []string
}{
	{embedded, nil},
	{embedded + ", eager", []string{"--eager"}},
	{embedded + ", eager, 2 threads", []string{"--eager", "--threads", "2"}},
}

func measureEmbedded(o options, scratch string) ([]Cell, error) {
	all := []Cell{}
	for _, engine := range embeddedEngines {
		cells, err := measureCells(o, func(activities, inFlight int) (Cell, error) {
			directory, err := os.MkdirTemp(scratch, "embedded")
			if err != nil {
				return Cell{}, err
			}
			defer os.RemoveAll(directory)
			return measure(o, engine.name, activities, inFlight, append(engine.flags, "--embedded", directory)...)
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", engine.name, err)
		}
		all = append(all, cells...)
	}
	return all, nil
}

func measureCells(o options, measure func(activities, inFlight int) (Cell, error)) ([]Cell, error) {
	cells := []Cell{}
	for _, activities := range o.activities {
		for _, inFlight := range o.inFlight {
			cell, err := measure(activities, inFlight)
			if err != nil {
				return nil, fmt.Errorf("%d activities, %d in flight: %w", activities, inFlight, err)
			}
			fmt.Printf("%-32s %2d activities, %4d in flight: %8.1f workflows/s, p50 %7.2f ms, p99 %7.2f ms, server %7.3f ms of CPU each\n",
				cell.Server, activities, inFlight, cell.PerSecond, cell.P50, cell.P99, cell.ServerMilliseconds)
			cells = append(cells, cell)
		}
	}
	return cells, nil
}

// measure runs the load once; the flags say what it drives.
func measure(o options, name string, activities, inFlight int, flags ...string) (Cell, error) {
	command := exec.Command(o.load, append([]string{"--namespace", servers.Namespace,
		"--in-flight", strconv.Itoa(inFlight), "--activities", strconv.Itoa(activities),
		"--warm-up", fmt.Sprint(o.warmUp.Seconds()), "--measure", fmt.Sprint(o.measure.Seconds())}, flags...)...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return Cell{}, fmt.Errorf("%w: %s", err, output)
	}
	cell := Cell{Server: name}
	if err := json.Unmarshal(output, &cell); err != nil {
		return Cell{}, err
	}
	if cell.Workflows == 0 { // none has ended in time, so there is nothing that was spent on each
		cell.ServerMilliseconds, cell.LoadMilliseconds = 0, 0
	}
	return cell, nil
}
