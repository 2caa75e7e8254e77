package main

import (
	"fmt"
	"strings"

	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

// Report is the Markdown text of all cells.
func Report(o options, cells []Cell) string {
	var text strings.Builder
	text.WriteString(reports.Heading("Stele, an empty server and Temporal under bare gRPC calls", o.commit))
	fmt.Fprintf(&text, "Stele keeps its data in a directory and answers once they are synced. The empty server is of gRPC's\n"+
		"library, answers the same calls in the same order, and has neither engine nor store. Temporal keeps its data in a\n"+
		"SQLite file (WAL, synchronous=full), in memory, or in a PostgreSQL whose processor time counts as its own, without\n"+
		"its own worker service. Rate limits are lifted on all. The load is one thread beside the server, on the same\n"+
		"processors. The embedded engine is durable as well, and runs in the process of the load, which is then charged\n"+
		"with both, on one thread or on two; under the eager load, calls that make tasks bring them along. Each cell: %v of warm-up, then %v. Latency of a\n"+
		"workflow is from start to result, CPU is user and system time.", o.warmUp, o.measure)
	if o.rounds > 1 {
		fmt.Fprintf(&text, " Everything was measured %d times in turn; the medians are shown.", o.rounds)
	}
	if len(o.steleFlags) > 0 {
		fmt.Fprintf(&text, " Stele runs with `%s`.", strings.Join(o.steleFlags, " "))
	}
	text.WriteString("\n\n| activities | in flight | server | workflows/s | start p50 ms | start p99 ms | p50 ms | p99 ms | CPU ms/workflow | load CPU ms | memory MiB |\n" +
		"| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, activities := range o.activities {
		for _, inFlight := range o.inFlight {
			writeGroup(&text, cells, activities, inFlight)
		}
	}
	return text.String()
}

// writeGroup puts the lines of all servers under each other, and below them how Stele compares.
func writeGroup(text *strings.Builder, cells []Cell, activities, inFlight int) {
	found := map[string]Cell{}
	for _, cell := range cells {
		if cell.Activities != activities || cell.InFlight != inFlight {
			continue
		}
		found[cell.Server] = cell
		fmt.Fprintf(text, "| %d | %d | %s | %.1f | %.2f | %.2f | %.2f | %.2f | %.3f | %.3f | %d |\n",
			activities, inFlight, cell.Server, cell.PerSecond, cell.StartP50, cell.StartP99, cell.P50, cell.P99,
			cell.ServerMilliseconds, cell.LoadMilliseconds, cell.Resident>>20)
	}
	ours, ok := found[servers.Stele]
	if !ok {
		return
	}
	for _, name := range []string{servers.Empty, servers.Temporal, servers.TemporalMemory, servers.TemporalPostgres, embedded} {
		theirs, ok := found[name]
		if !ok || theirs.Workflows == 0 { // none has ended in time, so there is nothing to compare with
			continue
		}
		less := reports.Ratio(theirs.ServerMilliseconds, ours.ServerMilliseconds) + " less"
		if name == embedded { // with the load's, so both have to be counted
			less = reports.Ratio(theirs.LoadMilliseconds, ours.ServerMilliseconds+ours.LoadMilliseconds) + " less, with the load"
		}
		fmt.Fprintf(text, "| %d | %d | *stele beside %s* | *%s its rate* | | | *%s its latency* | | *%s* | | |\n",
			activities, inFlight, name, reports.Ratio(ours.PerSecond, theirs.PerSecond),
			reports.Ratio(ours.P50, theirs.P50), less)
	}
}
