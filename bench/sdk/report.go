package main

import (
	"fmt"
	"strings"

	"stele/bench/compare/reports"
)

// row is one figure of every worker; a smaller one is better unless `more` is set.
type row struct {
	title string
	value func(Result) float64
	form  string
	more  bool
}

var rows = []row{
	{"one workflow at a time: worker CPU of each, ms", func(r Result) float64 { return r.Alone.ProcessorMilliseconds() }, "%.3f", false},
	{"many at a time: worker CPU of each, ms", func(r Result) float64 { return r.Many.ProcessorMilliseconds() }, "%.3f", false},
	{"many at a time: workflows per second", func(r Result) float64 { return r.Many.PerSecond() }, "%.0f", true},
	{"workflow tasks replayed per second", func(r Result) float64 { return r.LongHistory.TasksPerSecond() }, "%.0f", true},
	{"events replayed per second", func(r Result) float64 { return r.LongHistory.EventsPerSecond() }, "%.0f", true},
	{"CPU per replay of the long history, ms", func(r Result) float64 { return r.LongHistory.ProcessorEach.Seconds() * 1000 }, "%.1f", false},
	{"memory per cached idle workflow, KiB", Result.KibibytesPerIdle, "%.1f", false},
	{"from one coroutine to another, ns", Result.SwitchNanoseconds, "%.0f", false},
}

// Report is the Markdown text of all results. The first worker is held against the others.
func Report(o options, results []Result) string {
	var text strings.Builder
	text.WriteString(reports.Heading("The C++ SDK beside others, on the same Stele server", o.commit))
	fmt.Fprintf(&text, "Workers with eight polls of each kind run workflows of one activity, one and %d at a time, which a\n"+
		"client outside of them starts; CPU is user and system time of the worker's process. Each replays\n"+
		"its own history of a workflow of %d activities (%s),\n"+
		"and one in which two coroutines take turns %d times within one task. Memory is the growth of the\n"+
		"resident set while the cache is filled with workflows that wait for a signal\n"+
		"(%s), counted by the worker itself.\n\n",
		o.inFlight, o.activities, each(results, func(r Result) int { return r.LongHistory.Events }, "events"),
		2*o.rounds, each(results, func(r Result) int { return r.Idle }, "workflows"))
	text.WriteString("| |")
	for _, result := range results {
		fmt.Fprintf(&text, " %s |", result.Worker)
	}
	for _, other := range results[1:] {
		fmt.Fprintf(&text, " %s beside %s |", results[0].Worker, other.Worker)
	}
	text.WriteString("\n| --- |" + strings.Repeat(" ---: |", 2*len(results)-1) + "\n")
	for _, row := range rows {
		writeRow(&text, row, results)
	}
	return text.String()
}

func writeRow(text *strings.Builder, row row, results []Result) {
	fmt.Fprintf(text, "| %s |", row.title)
	for _, result := range results {
		fmt.Fprintf(text, " "+row.form+" |", row.value(result))
	}
	first := row.value(results[0])
	for _, other := range results[1:] {
		if row.more {
			fmt.Fprintf(text, " *%s more* |", reports.Ratio(first, row.value(other)))
		} else {
			fmt.Fprintf(text, " *%s less* |", reports.Ratio(row.value(other), first))
		}
	}
	text.WriteString("\n")
}

// each is such as "C++ 10 events, Go 12 events".
func each(results []Result, value func(Result) int, unit string) string {
	parts := []string{}
	for _, result := range results {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %d %s", result.Worker, value(result), unit)))
	}
	return strings.Join(parts, ", ")
}
