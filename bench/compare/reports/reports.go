// Package reports has what the reports of all benchmarks say in the same way.
package reports

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Ratio says "-" where there is nothing to divide by, as when a measurement was too short for a tick
// of processor time.
func Ratio(dividend, divisor float64) string {
	if divisor == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f×", dividend/divisor)
}

// Mebibytes is a size for reading.
func Mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

// Milliseconds is a time for reports, with what is below one.
func Milliseconds(duration time.Duration) float64 {
	return float64(duration) / float64(time.Millisecond)
}

// Heading is the title, the commit and the machine, with which a report begins.
func Heading(title, commit string) string {
	return fmt.Sprintf("# %s\n\nCommit %s, %s. %s.\n\n",
		title, commit, time.Now().UTC().Format("2006-01-02 15:04 UTC"), Machine())
}

// Save writes a report to a file of the day, whose name begins with `prefix`. An empty directory means
// not at all.
func Save(directory, prefix, report string) error {
	if directory == "" {
		return nil
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	file := filepath.Join(directory, prefix+time.Now().UTC().Format("2006-01-02")+".md")
	fmt.Printf("\nWritten to %s\n", file)
	return os.WriteFile(file, []byte(report), 0o644)
}

// Machine says what the figures were measured on.
func Machine() string {
	return fmt.Sprintf("%d processors (%s), %s of memory, load average %s before the report", runtime.NumCPU(),
		field("/proc/cpuinfo", "model name"), field("/proc/meminfo", "MemTotal"), loadAverage())
}

func field(file, name string) string {
	opened, err := os.Open(file)
	if err != nil {
		return "unknown"
	}
	defer opened.Close()
	for lines := bufio.NewScanner(opened); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}
