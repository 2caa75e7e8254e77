package main

import (
	"fmt"
	"strings"
	"time"

	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

// Result is one cell: a server, a workflow and a number in flight.
type Result struct {
	Server, Workflow string
	InFlight         int
	Elapsed          time.Duration
	ProcessorTime    time.Duration // of the server
	LoadTime         time.Duration // processor time of the worker and the clients
	Resident         int64
	latencies        []time.Duration // in ascending order
}

func (r Result) PerSecond() float64 { return float64(len(r.latencies)) / r.Elapsed.Seconds() }

// ServerMilliseconds is the server's processor time for each workflow.
func (r Result) ServerMilliseconds() float64 {
	return reports.Milliseconds(r.ProcessorTime) / float64(len(r.latencies))
}

func (r Result) LoadMilliseconds() float64 {
	return reports.Milliseconds(r.LoadTime) / float64(len(r.latencies))
}

// Percentile is the smallest latency that the given share of workflows did not exceed.
func (r Result) Percentile(percent int) float64 {
	if len(r.latencies) == 0 {
		return 0
	}
	rank := (len(r.latencies)*percent + 99) / 100
	return reports.Milliseconds(r.latencies[max(rank, 1)-1])
}

func (r Result) Summary() string {
	return fmt.Sprintf("%8.1f workflows/s, p50 %7.2f ms, p99 %7.2f ms, server %6.2f ms of CPU each, %4d MiB",
		r.PerSecond(), r.Percentile(50), r.Percentile(99), r.ServerMilliseconds(), r.Resident>>20)
}

// Report is the Markdown text of all results.
func Report(o options, results []Result) string {
	var text strings.Builder
	text.WriteString(reports.Heading("Stele and Temporal under the same Go worker", o.commit))
	fmt.Fprintf(&text, "Stele keeps its data in a directory and answers once they are synced. Temporal %s keeps them in\n"+
		"a SQLite file (WAL, synchronous=%s), without rate limits and without its own worker service. The\n"+
		"Go SDK workers and the clients are one process beside the server, on the same processors. Each\n"+
		"cell: %v of warm-up, then %v%s. Latency is from start to result. CPU is the server's, user and\n"+
		"system; the last column is that of the worker with the clients.\n\n",
		temporalVersion, o.synchronous, o.warmUp, o.measure, countText(o.count))
	text.WriteString("| workflow | in flight | server | workflows/s | p50 ms | p99 ms | CPU ms/workflow | memory MiB | load CPU ms/workflow |\n")
	text.WriteString("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, name := range workflows {
		for _, inFlight := range o.inFlight {
			writeCell(&text, results, name, inFlight)
		}
	}
	return text.String()
}

const temporalVersion = "1.32.1"

func countText(count int) string {
	if count == 0 {
		return ""
	}
	return fmt.Sprintf(" or %d workflows", count)
}

// writeCell puts the servers' lines under each other, and below them how Stele compares.
func writeCell(text *strings.Builder, results []Result, name string, inFlight int) {
	found := map[string]Result{}
	for _, result := range results {
		if result.Workflow != name || result.InFlight != inFlight {
			continue
		}
		found[result.Server] = result
		fmt.Fprintf(text, "| %s | %d | %s | %.1f | %.2f | %.2f | %.2f | %d | %.2f |\n", name, inFlight,
			result.Server, result.PerSecond(), result.Percentile(50), result.Percentile(99),
			result.ServerMilliseconds(), result.Resident>>20, result.LoadMilliseconds())
	}
	ours, first := found[servers.Stele]
	theirs, second := found[servers.Temporal]
	if !first || !second {
		return
	}
	fmt.Fprintf(text, "| %s | %d | *stele is* | *%s more* | *%s less* | *%s less* | *%s less* | *%s less* | *%s less* |\n",
		name, inFlight, reports.Ratio(ours.PerSecond(), theirs.PerSecond()),
		reports.Ratio(theirs.Percentile(50), ours.Percentile(50)), reports.Ratio(theirs.Percentile(99), ours.Percentile(99)),
		reports.Ratio(theirs.ServerMilliseconds(), ours.ServerMilliseconds()),
		reports.Ratio(float64(theirs.Resident), float64(ours.Resident)),
		reports.Ratio(theirs.LoadMilliseconds(), ours.LoadMilliseconds()))
}
