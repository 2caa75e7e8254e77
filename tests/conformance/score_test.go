package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestScoreCountsTheCoreApart(t *testing.T) {
	expected := []expectedTest{
		{"TestA/One", "signal_workflow_test.go", "workflow"},
		{"TestA/Two", "signal_workflow_test.go", "workflow"},
		{"TestB", "activity_standalone_test.go", "activity"},
		{"TestC", "activity_api_pause_test.go", "activity"},
		{"TestD", "nexus_api_test.go", "nexus"},
	}
	results := []result{
		{name: "TestA/One", outcome: "PASS"},
		{name: "TestA/Two", outcome: "FAIL"},
		{name: "TestB", outcome: "PASS"},
		{name: "TestC", outcome: "SKIP"},
	}
	var out strings.Builder
	score(&out, results, expected)
	if want := "core: 1 of 3, all: 2 of 5\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %q, want it to end with %q", out.String(), want)
	}
}

func TestTheListOfTheTreeHasFiveHundredCoreTests(t *testing.T) {
	expected, err := readExpected("expected.tsv")
	if err != nil {
		t.Fatal(err)
	}
	core := 0
	for _, test := range expected {
		if test.isCore() {
			core++
		}
	}
	if len(expected) != 1472 || core != 500 {
		t.Errorf("%d tests, %d of them core; want 1472 and 500", len(expected), core)
	}
}

func TestAListedTestThatDidNotRunFails(t *testing.T) {
	var out strings.Builder
	results := []result{{name: "TestA", outcome: "PASS"}, {name: "TestOther", outcome: "FAIL"}}
	if err := judgeList(&out, results, map[string]bool{"TestA": true}); err != nil {
		t.Errorf("all that is listed passed, yet: %v", err)
	}
	if err := judgeList(&out, results, map[string]bool{"TestA": true, "TestB": true}); err == nil {
		t.Error("a missing test went unnoticed")
	}
	if want := "1 passed, 1 failed\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %q, want it to end with %q", out.String(), want)
	}
}

func TestAListSelectsItsTestsAndWhatTheyAreFoundIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(path, []byte("# why\nTestA/One/Sub\n\nTestB\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	names, err := readList(path)
	if err != nil {
		t.Fatal(err)
	}
	any := regexp.MustCompile("")
	s := selection{name: any, area: any, listed: names}
	if !s.matches("TestB", "x_test.go") || s.matches("TestA/One", "x_test.go") {
		t.Error("a list must select exactly the names in it")
	}
	if !s.mayReachBelow("TestA/One", "x_test.go") || s.mayReachBelow("TestA/Other", "x_test.go") {
		t.Error("a test must run when a listed subtest is below it, and only then")
	}
}
