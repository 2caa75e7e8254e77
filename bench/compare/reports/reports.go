// Package reports has what the reports of all benchmarks say in the same way.
package reports

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Ratio says "-" where there is nothing to divide by, as when a measurement was too short for a tick
// of processor time.
func Ratio(dividend, divisor float64) string {
	if divisor == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f×", dividend/divisor)
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
