package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// expectedTest is a line of expected.tsv: a test that passes against a real server.
type expectedTest struct {
	name, file, area string
}

func readExpected(path string) ([]expectedTest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var tests []expectedTest
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		if len(columns) < 3 {
			return nil, fmt.Errorf("%s: %q does not have three columns", path, line)
		}
		tests = append(tests, expectedTest{columns[0], columns[1], columns[2]})
	}
	return tests, nil
}

// isCore reports whether a test is about what every user of a server meets.
func (t expectedTest) isCore() bool {
	switch t.area {
	case "workflow", "update", "visibility", "task-queue", "namespace":
		return true
	case "activity":
		return !strings.HasPrefix(t.file, "activity_standalone_") && !strings.HasPrefix(t.file, "activity_parity_")
	}
	return false
}

// score prints how many of the expected tests passed: by area, then the core, then all. What was
// not run counts as not passed.
func score(w io.Writer, results []result, expected []expectedTest) {
	passed := map[string]bool{}
	for _, r := range results {
		passed[r.name] = r.outcome == "PASS"
	}
	type count struct{ passed, all int }
	var core, all count
	byArea := map[string]*count{}
	order := []string{}
	for _, test := range expected {
		if byArea[test.area] == nil {
			byArea[test.area] = &count{}
			order = append(order, test.area)
		}
		counts := []*count{byArea[test.area], &all}
		if test.isCore() {
			counts = append(counts, &core)
		}
		for _, c := range counts {
			c.all++
			if passed[test.name] {
				c.passed++
			}
		}
	}
	for _, area := range order {
		fmt.Fprintf(w, "%-14s %4d of %4d\n", area, byArea[area].passed, byArea[area].all)
	}
	fmt.Fprintf(w, "core: %d of %d, all: %d of %d\n", core.passed, core.all, all.passed, all.all)
}

// readList reads test names, one a line; lines that begin with # are comments.
func readList(path string) (map[string]bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names := map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			names[line] = true
		}
	}
	return names, lines.Err()
}

// judgeList prints the tests of a list that did not pass, then `N passed, M failed`.
func judgeList(w io.Writer, results []result, names map[string]bool) error {
	passed := 0
	seen := map[string]bool{}
	for _, r := range results {
		if !names[r.name] {
			continue
		}
		seen[r.name] = true
		if r.outcome == "PASS" {
			passed++
		} else {
			fmt.Fprintf(w, "%s\t%s\t%s\n", r.outcome, r.name, r.reason)
		}
	}
	for name := range names {
		if !seen[name] {
			fmt.Fprintf(w, "missing\t%s\n", name)
		}
	}
	failed := len(names) - passed
	fmt.Fprintf(w, "%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("%d listed tests did not pass", failed)
	}
	return nil
}
