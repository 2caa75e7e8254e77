package main

import (
	"strings"
	"testing"
	"time"
)

func TestRatiosSayHowManyTimesTheFirstWorkerIsBetter(t *testing.T) {
	result := func(name string, times int) Result {
		duration := time.Duration(times) * time.Second
		replay := Replay{Tasks: 100, Events: 300, Each: duration, ProcessorEach: duration}
		return Result{Worker: name, Many: Short{Workflows: 1000, Elapsed: duration, Processor: duration},
			LongHistory: replay, Switches: replay, Rounds: 10, Idle: 10, IdleBytes: int64(times) << 20}
	}
	report := Report(options{}, []Result{result("C++", 1), result("Go", 4), result("Python", 8)})
	for _, line := range []string{
		"| many at a time: worker CPU of each, ms | 1.000 | 4.000 | 8.000 | *4.00× less* | *8.00× less* |",
		"| events replayed per second | 300 | 75 | 38 | *4.00× more* | *8.00× more* |",
		"| memory per cached idle workflow, KiB | 102.4 | 409.6 | 819.2 | *4.00× less* | *8.00× less* |",
	} {
		if !strings.Contains(report, line) {
			t.Errorf("no line %s in\n%s", line, report)
		}
	}
}
