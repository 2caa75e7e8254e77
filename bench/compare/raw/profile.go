package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"stele/bench/compare/servers"
)

// profiled measures while `perf` watches the server, and leaves its record and a table of the functions that took
// longest in the directory of profiles. Watching costs the server some per cent.
func profiled(o options, server *servers.Server, activities, inFlight int, measure func() (Cell, error)) (Cell, error) {
	name := filepath.Join(o.profiles, fmt.Sprintf("%s-%d-activities-%d-in-flight", server.Name, activities, inFlight))
	if err := os.MkdirAll(o.profiles, 0o755); err != nil {
		return Cell{}, err
	}
	perf := exec.Command("perf", "record", "--quiet", "--freq", "499", "--call-graph", "fp",
		"--pid", strconv.Itoa(int(server.Usage())), "--output", name+".perf", "--", "sleep", fmt.Sprint(o.measure.Seconds()))
	perf.Stderr = os.Stderr
	started := time.AfterFunc(o.warmUp, func() {
		if err := perf.Start(); err != nil {
			fmt.Fprintln(os.Stderr, "bench-raw: no profile:", err)
		}
	})
	cell, err := measure()
	started.Stop()
	if perf.Process == nil {
		return cell, err
	}
	perf.Wait() // its own time is over soon after the load's
	table, reported := exec.Command("perf", "report", "--input", name+".perf", "--stdio", "--no-children",
		"--call-graph", "none", "--sort", "comm,symbol", "--percent-limit", "0.2", "--field-separator", ";").Output()
	if reported == nil {
		reported = os.WriteFile(name+".txt", table, 0o644)
	}
	if reported != nil {
		fmt.Fprintln(os.Stderr, "bench-raw: no table of the profile:", reported)
	}
	return cell, err
}
