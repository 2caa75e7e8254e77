// Command limits drives servers to the sizes that production workflows reach: thousands of
// activities, timers, signals and children in one run, a history of 50,000 events, a hundred
// thousand open workflows and a million closed ones. It prints what each took on Stele and on a real
// Temporal server. Anything that does not grow in proportion shows here first.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

// Sizes says how many of everything.
type Sizes struct {
	activities, timers, signals, children, events int
	open, closed, queries                         int
}

func (s Sizes) scaled(factor float64) Sizes {
	by := func(n int) int { return max(1, int(float64(n)*factor)) }
	s.open, s.closed = by(s.open), by(s.closed)
	return s
}

type options struct {
	stele, reference, only, results, commit string
	port                                    int
	sizes                                   Sizes
	referenceScale                          float64
}

func parseOptions() options {
	var o options
	flag.StringVar(&o.stele, "stele", "", "the stele binary")
	flag.StringVar(&o.reference, "reference", "", "the binary that runs Temporal; without it Stele runs alone")
	flag.StringVar(&o.only, "only", "", "regular expression of the measurements to make")
	flag.StringVar(&o.results, "results", "", "directory for the report")
	flag.StringVar(&o.commit, "commit", "unknown", "the commit measured, for the report")
	flag.IntVar(&o.port, "port", 17840, "first of four ports")
	flag.IntVar(&o.sizes.activities, "activities", 2000, "activities in one task")
	flag.IntVar(&o.sizes.timers, "timers", 10_000, "timers that are due at once")
	flag.IntVar(&o.sizes.signals, "signals", 10_000, "signals to one run")
	flag.IntVar(&o.sizes.children, "children", 1000, "children of one parent")
	flag.IntVar(&o.sizes.events, "events", 50_000, "events of one history")
	flag.IntVar(&o.sizes.open, "open", 100_000, "idle workflows")
	flag.IntVar(&o.sizes.closed, "closed", 1_000_000, "closed workflows")
	flag.IntVar(&o.sizes.queries, "queries", 200, "list queries")
	flag.Float64Var(&o.referenceScale, "reference-scale", 0.02,
		"how much of -open and -closed Temporal gets, which takes long to be filled")
	flag.Parse()
	return o
}

func main() {
	o := parseOptions()
	scratch, err := os.MkdirTemp("", "limits")
	if err == nil {
		err = run(o, scratch)
		os.RemoveAll(scratch)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

func run(o options, scratch string) error {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	report := &Report{}
	if err := measure(servers.OfStele(o.stele, o.port, scratch), o.sizes, only, report); err != nil {
		return err
	}
	if o.reference != "" {
		server := servers.OfTemporal(o.reference, o.port+1, scratch, "full")
		if err := measure(server, o.sizes.scaled(o.referenceScale), only, report); err != nil {
			return err
		}
	}
	fmt.Print("\n" + report.Text(o.commit))
	return reports.Save(o.results, "limits-", report.Text(o.commit))
}

// A measurement is given a server that runs and adds rows to the report. One that a server can not
// do is an entry in the report and not the end.
type measurement struct {
	name string
	make func(*Bench) error
}

func measure(server *servers.Server, sizes Sizes, only *regexp.Regexp, report *Report) error {
	if err := server.Start(); err != nil {
		return fmt.Errorf("%s: %w\n%s", server.Name, err, server.LastOutput())
	}
	defer server.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Hour)
	defer cancel()
	bench, err := newBench(ctx, server, sizes, report)
	if err != nil {
		return err
	}
	defer bench.close()
	for _, each := range measurements {
		if !only.MatchString(each.name) {
			continue
		}
		if err := each.make(bench); err != nil {
			report.Add(server.Name, each.name, "failed: "+err.Error())
		}
	}
	return nil
}

var measurements = []measurement{
	{"activities", (*Bench).activities},
	{"timers", (*Bench).timers},
	{"signals", (*Bench).signals},
	{"children", (*Bench).children},
	{"history", (*Bench).history},
	{"many", (*Bench).many},
}
