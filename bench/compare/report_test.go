package main

import (
	"strings"
	"testing"
	"time"

	"stele/bench/compare/servers"
)

func TestProcessorTimeIsReadBehindAnyProgramName(t *testing.T) {
	line := "7 (a) b (c) S 1 7 7 0 -1 4 1 0 0 0 150 50 9 9 20 0 5 0 100 1 1"
	if got, err := parseProcessorTime(line); err != nil || got != 2*time.Second {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestPercentilesAreLatenciesThatOccurred(t *testing.T) {
	result := Result{}
	for number := 1; number <= 200; number++ {
		result.latencies = append(result.latencies, time.Duration(number)*time.Millisecond)
	}
	if result.Percentile(50) != 100 || result.Percentile(99) != 198 {
		t.Fatalf("%v, %v", result.Percentile(50), result.Percentile(99))
	}
}

func TestRatiosSayHowManyTimesSteleIsBetter(t *testing.T) {
	cell := func(server string, count int, processor time.Duration) Result {
		return Result{Server: server, Workflow: emptyWorkflow, InFlight: 1, Elapsed: time.Second,
			ProcessorTime: processor, Resident: 1 << 20, latencies: make([]time.Duration, count)}
	}
	report := Report(options{inFlight: []int{1}},
		[]Result{cell(servers.Stele, 40, 40*time.Millisecond), cell(servers.Temporal, 10, 200*time.Millisecond)})
	if !strings.Contains(report, "*4.00× more*") || !strings.Contains(report, "*20.00× less*") {
		t.Fatal(report)
	}
}
