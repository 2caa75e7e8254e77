package main

import (
	"fmt"
	"strings"
	"time"

	"stele/bench/compare/servers"
)

// Report is what was measured, by server, in the order of the measurements.
type Report struct {
	names  []string
	values map[string]map[string]string
}

// Add puts a value into the row of a name. It is printed at once, for whoever watches.
func (r *Report) Add(server, name, value string) {
	fmt.Printf("%-8s  %-60s %s\n", server, name, value)
	if r.values == nil {
		r.values = map[string]map[string]string{}
	}
	if r.values[name] == nil {
		r.values[name] = map[string]string{}
		r.names = append(r.names, name)
	}
	r.values[name][server] = value
}

// Text is a table with a row for each measurement and a column for each server.
func (r *Report) Text(commit string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# Limits\n\nCommit %s, %s.\n\n| | Stele | Temporal |\n|---|---|---|\n",
		commit, time.Now().UTC().Format("2006-01-02"))
	for _, name := range r.names {
		fmt.Fprintf(&text, "| %s | %s | %s |\n", name,
			orDash(r.values[name][servers.Stele]), orDash(r.values[name][servers.Temporal]))
	}
	return text.String()
}

func orDash(value string) string {
	if value == "" {
		return "–"
	}
	return value
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func perSecond(count int, d time.Duration) string {
	return fmt.Sprintf("%s, %.0f/s", d.Round(time.Millisecond), float64(count)/d.Seconds())
}
