// Command flat measures whether what a workflow costs depends on what else a server holds: on how many
// workflows are in its store, on the number of its shards, on the length of a history; and what memory and
// disk it takes, at rest, under load, and while workflows come and are deleted again. Each measurement is
// compared with one of the same run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"stele/bench/compare/reports"
)

type options struct {
	stele, load, only, results, commit string
	port                               int
	open, closed                       int
	events, tasks                      int
	shards                             int
	cacheMebibytes                     int
	workflows                          int
	retention                          time.Duration
	measure                            time.Duration
}

func parseOptions() options {
	var o options
	flag.StringVar(&o.stele, "stele", "", "the stele binary")
	flag.StringVar(&o.load, "load", "", "the binary of the raw load")
	flag.StringVar(&o.only, "only", "rest|cache|shards|history|store", "regular expression of the measurements to make; growth takes long and is not among them")
	flag.StringVar(&o.results, "results", "", "directory for the report")
	flag.StringVar(&o.commit, "commit", "unknown", "the commit measured, for the report")
	flag.IntVar(&o.port, "port", 17890, "first of two ports")
	flag.IntVar(&o.open, "open", 100_000, "open workflows in the store")
	flag.IntVar(&o.closed, "closed", 1_000_000, "closed workflows in the store")
	flag.IntVar(&o.events, "events", 10_000, "events of a long history")
	flag.IntVar(&o.tasks, "tasks", 500, "tasks of a run with a long history, and of one with a short")
	flag.IntVar(&o.shards, "shards", 100, "shards to compare with one")
	flag.IntVar(&o.cacheMebibytes, "cache", 32, "MiB of a small cache of runs")
	flag.IntVar(&o.workflows, "workflows", 5_000_000, "workflows of the growth")
	flag.DurationVar(&o.retention, "retention", time.Minute, "for which they are kept")
	flag.DurationVar(&o.measure, "measure", 10*time.Second, "time of each load, as long again before it for warming up")
	flag.Parse()
	return o
}

// A measurement has a scratch directory of its own and adds rows to the report.
type measurement struct {
	name string
	make func(*bench) error
}

var measurements = []measurement{
	{"rest", (*bench).rest},
	{"cache", (*bench).cache},
	{"shards", (*bench).shards},
	{"history", (*bench).history},
	{"store", (*bench).store},
	{"growth", (*bench).growth},
}

func main() {
	if err := run(parseOptions()); err != nil {
		fmt.Fprintln(os.Stderr, "bench-flat:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	only, err := regexp.Compile("^(" + o.only + ")$")
	if err != nil {
		return err
	}
	b := &bench{options: o, ctx: context.Background()}
	for _, each := range measurements {
		if !only.MatchString(each.name) {
			continue
		}
		if err := b.inScratch(each.make); err != nil {
			return fmt.Errorf("%s: %w", each.name, err)
		}
	}
	text := b.report(o.commit)
	fmt.Print("\n" + text)
	return reports.Save(o.results, "flat-", text)
}
