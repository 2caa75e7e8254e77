package servers

import (
	"testing"
	"time"
)

func TestProcessorTimeIsReadBehindAnyProgramName(t *testing.T) {
	line := "7 (a) b (c) S 1 7 7 0 -1 4 1 0 0 0 150 50 9 9 20 0 5 0 100 1 1"
	if got, err := parseProcessorTime(line); err != nil || got != 2*time.Second {
		t.Fatalf("%v, %v", got, err)
	}
}
