package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

// inFlight is as many workflows at a time as keep both processors busy.
const inFlight = 64

type row struct{ name, value, compared string }

type bench struct {
	options
	ctx     context.Context
	scratch string
	rows    []row
}

// cell is what the raw load prints.
type cell struct {
	Workflows          int     `json:"workflows"`
	PerSecond          float64 `json:"per_second"`
	P50                float64 `json:"p50_ms"`
	P99                float64 `json:"p99_ms"`
	ServerMilliseconds float64 `json:"server_ms_each"`
}

func (c cell) String() string {
	return fmt.Sprintf("%.0f workflows/s, %.3f ms of CPU each, p50 %.1f ms, p99 %.1f ms",
		c.PerSecond, c.ServerMilliseconds, c.P50, c.P99)
}

// beside compares a load with another one: its rate, and the processor time of the server for each.
func (c cell) beside(other cell) string {
	return fmt.Sprintf("%s its rate, %s its CPU", reports.Ratio(c.PerSecond, other.PerSecond),
		reports.Ratio(c.ServerMilliseconds, other.ServerMilliseconds))
}

func (b *bench) inScratch(work func(*bench) error) error {
	scratch, err := os.MkdirTemp("", "bench-flat")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	b.scratch = scratch
	return work(b)
}

// serve runs a server with an empty store of its own for as long as `work` takes.
func (b *bench) serve(work func(*servers.Server) error, flags ...string) error {
	directory, err := os.MkdirTemp(b.scratch, "server")
	if err != nil {
		return err
	}
	server := servers.OfStele(b.stele, b.port, directory, flags...)
	if err := server.Start(); err != nil {
		return fmt.Errorf("%w\n%s", err, server.LastOutput())
	}
	defer os.RemoveAll(directory)
	defer server.Stop()
	return work(server)
}

// drive runs the raw load for both times, and returns what it has measured in the second.
func (b *bench) drive(server *servers.Server, namespace string, warmUp, measure time.Duration) (cell, error) {
	command := exec.CommandContext(b.ctx, b.load, "--address", server.Address(), "--namespace", namespace,
		"--in-flight", strconv.Itoa(inFlight), "--warm-up", fmt.Sprint(warmUp.Seconds()),
		"--measure", fmt.Sprint(measure.Seconds()), "--server-process", strconv.Itoa(int(server.Usage())))
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return cell{}, fmt.Errorf("%w: %s\n%s", err, output, server.LastOutput())
	}
	var result cell
	return result, json.Unmarshal(output, &result)
}

func (b *bench) add(name, value, compared string) {
	fmt.Printf("%-56s %-70s %s\n", name, value, compared)
	b.rows = append(b.rows, row{name, value, compared})
}

func (b *bench) report(commit string) string {
	var text strings.Builder
	text.WriteString(reports.Heading("Flat cost, memory and growth", commit))
	fmt.Fprintf(&text, "Workflows have one activity, %d are in flight from the raw load, and the store is on disk and synced.\n"+
		"Each load: %v of warm-up, then %v.\n\n| | measured | compared |\n| --- | --- | --- |\n", inFlight, b.measure, b.measure)
	for _, row := range b.rows {
		fmt.Fprintf(&text, "| %s | %s | %s |\n", row.name, row.value, row.compared)
	}
	return text.String()
}

// diskBytes is the size of all files below a directory.
func diskBytes(directory string) (int64, error) {
	var total int64
	err := filepath.WalkDir(directory, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if os.IsNotExist(err) { // the store has deleted it meanwhile
			return nil
		}
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
