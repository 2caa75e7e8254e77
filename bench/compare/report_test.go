package main

import (
	"strings"
	"testing"
	"time"

	"stele/bench/compare/servers"
)

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
