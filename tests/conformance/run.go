package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"
)

type options struct {
	address, http, configURL, fixed string
	admin, retry                    bool
	jobs, parallel                  int
	timeout                         time.Duration
	logDir                          string
}

// selection picks tests by name and by area, and by a list if there is one.
type selection struct {
	name, area *regexp.Regexp
	listed     map[string]bool
}

func (s selection) matches(name, file string) bool {
	return (s.listed == nil || s.listed[name]) && s.name.MatchString(name) && s.area.MatchString(areaOf(file))
}

// mayReachBelow reports whether subtests of a test may match although the test
// does not: whether one of them is on the list, or the test's name is how the
// pattern, taken literally, begins.
func (s selection) mayReachBelow(name, file string) bool {
	for listed := range s.listed {
		if strings.HasPrefix(listed, name+"/") {
			return true
		}
	}
	literal := strings.TrimLeft(s.name.String(), "^")
	return s.area.MatchString(areaOf(file)) && strings.HasPrefix(literal, name+"/")
}

// result is the outcome of one test: PASS, FAIL or SKIP.
type result struct {
	name, file, outcome string
	seconds             float64
	reason              string
}

// environment is what the seam reads.
func (o *options) environment(exclusive bool) []string {
	flag := func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	}
	fixed := o.fixed
	if fixed != "" {
		if abs, err := filepath.Abs(fixed); err == nil {
			fixed = abs
		}
	}
	return append(os.Environ(),
		"STELE_ADDRESS="+o.address,
		"STELE_HTTP_ADDRESS="+o.http,
		"STELE_TEST_CONFIG_URL="+o.configURL,
		"STELE_FIXED_CONFIG="+fixed,
		"STELE_ADMIN_API="+flag(o.admin),
		"STELE_EXCLUSIVE="+flag(exclusive),
		"TEMPORAL_TEST_LOG_LEVEL=error",
	)
}

// batch is a number of tests, named like -list does, that share a process.
type batch struct {
	name      string // for messages and logs
	units     []string
	exclusive bool
}

// runAll runs the tests in two passes. In the first, the tests of a file share
// a process, several processes run at a time, and all share the server. In the
// second, the tests that change the server as a whole run one by one; so do, in
// a third if it is asked for, the tests that failed.
func (o *options) runAll(c *corpus, index *testIndex, selected selection, save func([]result) error) ([]result, error) {
	if o.logDir != "" {
		if err := os.MkdirAll(o.logDir, 0o755); err != nil {
			return nil, err
		}
	}
	all := map[string]result{}
	collect := func(b batch, results []result) []result {
		if b.exclusive { // what the first pass said of it is void
			for name := range all {
				if name == b.name || strings.HasPrefix(name, b.name+"/") {
					delete(all, name)
				}
			}
		}
		for _, r := range results {
			if selected.matches(r.name, r.file) {
				all[r.name] = r
			}
		}
		return sorted(all)
	}

	var mu sync.Mutex
	var failure error
	runPass := func(batches []batch, jobs int) {
		queue := make(chan batch)
		var workers sync.WaitGroup
		for range jobs {
			workers.Go(func() {
				for b := range queue {
					results, err := o.runBatch(c, index, b)
					mu.Lock()
					if err != nil && failure == nil {
						failure = fmt.Errorf("%s: %w", b.name, err)
					}
					if err := save(collect(b, results)); err != nil && failure == nil {
						failure = err
					}
					fmt.Printf("%-50s %s\n", b.name, totals(results))
					mu.Unlock()
				}
			})
		}
		for _, b := range batches {
			queue <- b
		}
		close(queue)
		workers.Wait()
	}

	runPass(sharedBatches(index, selected), o.jobs)
	if failure != nil {
		return nil, failure
	}
	runPass(loneBatches(sorted(all), func(r result) bool { return strings.HasPrefix(r.reason, "exclusive:") }), 1)
	if o.retry && failure == nil {
		runPass(loneBatches(sorted(all), func(r result) bool { return r.outcome == "FAIL" }), 1)
	}
	return sorted(all), failure
}

// sharedBatches has one batch for each file with a matching test.
func sharedBatches(index *testIndex, selected selection) []batch {
	byFile := map[string][]string{}
	for _, name := range index.names() {
		file := index.file(name)
		if selected.matches(name, file) || selected.mayReachBelow(name, file) {
			byFile[file] = append(byFile[file], name)
		}
	}
	var batches []batch
	for file, units := range byFile {
		batches = append(batches, batch{name: strings.TrimSuffix(file, "_test.go"), units: units})
	}
	sort.Slice(batches, func(i, j int) bool { return batches[i].name < batches[j].name })
	return batches
}

// loneBatches has one batch, to be run alone, for each suite method or other
// second-level test with a result that is wanted again.
func loneBatches(results []result, wanted func(result) bool) []batch {
	seen := map[string]bool{}
	var batches []batch
	for _, r := range results {
		if !wanted(r) {
			continue
		}
		parts := strings.Split(r.name, "/")
		parts = parts[:min(2, len(parts))]
		name := strings.Join(parts, "/")
		if seen[name] {
			continue
		}
		seen[name] = true
		batches = append(batches, batch{name: name, units: []string{name}, exclusive: true})
	}
	return batches
}

// runBatch runs the tests of a batch. When a process ends early, what it left
// undone runs in another, for as long as that gets further.
func (o *options) runBatch(c *corpus, index *testIndex, b batch) ([]result, error) {
	tests := map[string]*test{}
	undone := b.units
	for round := 0; len(undone) > 0; round++ {
		found, err := o.runProcess(c, b, undone, round)
		if err != nil {
			return nil, err
		}
		parents := parentsOf(found)
		for name, t := range found {
			// Of a test with subtests the last round knows best.
			if old := tests[name]; old == nil || !old.ended() || parents[name] {
				tests[name] = t
			}
		}
		var left []string
		for _, unit := range undone {
			if t := tests[unit]; t == nil || !t.ended() {
				left = append(left, unit)
			}
		}
		if len(left) == len(undone) {
			break
		}
		undone = left
	}
	for _, unit := range undone {
		if tests[unit] == nil {
			tests[unit] = &test{name: unit}
		}
	}
	return classify(tests, index), nil
}

// runProcess runs one test process and reads what became of its tests.
func (o *options) runProcess(c *corpus, b batch, units []string, round int) (map[string]*test, error) {
	parallel := o.parallel
	if b.exclusive {
		parallel = 1
	}
	cmd := exec.Command("go", "tool", "test2json", "-t", c.binary,
		"-test.v=test2json", "-test.run="+pattern(units), "-test.count=1",
		fmt.Sprintf("-test.parallel=%d", parallel), "-test.timeout="+o.timeout.String())
	cmd.Dir = filepath.Join(c.copy, "tests")
	cmd.Env = o.environment(b.exclusive)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	log := io.Writer(io.Discard)
	if o.logDir != "" {
		name := fmt.Sprintf("%s.%d.jsonl", strings.ReplaceAll(b.name, "/", "."), round)
		file, err := os.Create(filepath.Join(o.logDir, name))
		if err != nil {
			return nil, err
		}
		defer file.Close()
		log = file
	}
	tests := readEvents(io.TeeReader(stdout, log))
	_ = cmd.Wait() // a failing test is a failing process; the events say which
	return tests, nil
}

// pattern selects exactly these tests in -test.run.
func pattern(units []string) string {
	patterns := make([]string, len(units))
	for i, unit := range units {
		levels := strings.Split(unit, "/")
		for j, level := range levels {
			levels[j] = "^" + regexp.QuoteMeta(level) + "$"
		}
		patterns[i] = strings.Join(levels, "/")
	}
	return strings.Join(patterns, "|")
}

// test is what the events say about one test, at any level.
type test struct {
	name    string
	action  string // pass, fail, skip, or empty if it never ended
	hung    bool   // was running when the time was up
	seconds float64
	output  []string
}

// hungTest is how the testing package names a test that ran when time was up.
var hungTest = regexp.MustCompile(`^\t\t(Test\S+) \([0-9hms.]+\)\n?$`)

// ended reports whether there is nothing more to learn about a test.
func (t *test) ended() bool { return t.action != "" || t.hung }

// readEvents reads what test2json writes.
func readEvents(r io.Reader) map[string]*test {
	tests := map[string]*test{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct {
			Action, Test, Output string
			Elapsed              float64
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Test == "" {
			continue
		}
		t := tests[event.Test]
		if t == nil {
			t = &test{name: event.Test}
			tests[event.Test] = t
		}
		switch event.Action {
		case "pass", "fail", "skip":
			t.action, t.seconds = event.Action, event.Elapsed
		case "output":
			t.output = append(t.output, event.Output)
			if running := hungTest.FindStringSubmatch(event.Output); running != nil {
				if hung := tests[running[1]]; hung != nil {
					hung.hung = true
				}
			}
		}
	}
	_, _ = io.Copy(io.Discard, r)
	return tests
}

const skipMarker = "STELE-SKIP "

// skippedFor finds the seam's reason in the output of a test.
func (t *test) skippedFor() string {
	for _, line := range t.output {
		if _, reason, ok := strings.Cut(line, skipMarker); ok {
			return strings.TrimSpace(reason)
		}
	}
	return ""
}

// endedByParent reports whether a subtest was ended by a skip of the test above
// it, whose environment it uses. The testing package reports that as a failure.
func (t *test) endedByParent() bool {
	for _, line := range t.output {
		if strings.Contains(line, "subtest may have called FailNow on a parent test") {
			return true
		}
	}
	return false
}

// classify turns tests into results. A test that has subtests stands for
// nothing of its own, unless it failed and none of its subtests did.
func classify(tests map[string]*test, index *testIndex) []result {
	parents := parentsOf(tests)
	childFailed := map[string]bool{}
	for name, t := range tests {
		for parent := parentOf(name); parent != "" && t.action != "pass" && t.action != "skip"; parent = parentOf(parent) {
			childFailed[parent] = true
		}
	}
	var results []result
	for name, t := range tests {
		if parents[name] && (t.action == "pass" || t.action == "skip" || childFailed[name] || endedBySkip(t, tests)) {
			continue
		}
		r := result{name: name, file: index.file(name), seconds: t.seconds}
		// The seam's skip outranks the outcome: what a test does after it
		// has lost its subject says nothing.
		r.reason = t.skippedFor()
		if t.endedByParent() {
			for parent := parentOf(name); r.reason == "" && parent != ""; parent = parentOf(parent) {
				if tests[parent] != nil {
					r.reason = tests[parent].skippedFor()
				}
			}
		}
		switch {
		case r.reason != "":
			r.outcome = "SKIP"
		case t.action == "pass":
			r.outcome = "PASS"
		case t.action == "skip":
			r.outcome, r.reason = "SKIP", "corpus:"+firstError(t.output)
		case t.action == "fail":
			r.outcome, r.reason = "FAIL", firstError(t.output)
		case t.hung:
			r.outcome, r.reason = "FAIL", "timeout"
		default:
			r.outcome, r.reason = "FAIL", "unfinished: "+firstError(t.output)
		}
		results = append(results, r)
	}
	sort.Slice(results, func(i, j int) bool { return results[i].name < results[j].name })
	return results
}

// lateFailure is how a process ends when a goroutine outlives its test.
const lateFailure = "panic: Fail in goroutine after Test"

// endedBySkip reports whether a process ended because a test that the seam had
// skipped left a goroutine behind. That says nothing about the test above it.
func endedBySkip(t *test, tests map[string]*test) bool {
	late := false
	for _, line := range t.output {
		late = late || strings.Contains(line, lateFailure)
	}
	if !late {
		return false
	}
	for name, below := range tests {
		if strings.HasPrefix(name, t.name+"/") && below.skippedFor() != "" {
			return true
		}
	}
	return false
}

// parentsOf finds the tests that have subtests.
func parentsOf(tests map[string]*test) map[string]bool {
	parents := map[string]bool{}
	for name := range tests {
		for parent := parentOf(name); parent != ""; parent = parentOf(parent) {
			parents[parent] = true
		}
	}
	return parents
}

func parentOf(name string) string {
	if i := strings.LastIndex(name, "/"); i >= 0 {
		return name[:i]
	}
	return ""
}

var location = regexp.MustCompile(`^\s*\S+\.go:\d+: ?`)

// firstError is the line of a test's output that tells most about its end.
func firstError(output []string) string {
	fallback := ""
	for i, line := range output {
		text := strings.Join(strings.Fields(location.ReplaceAllString(line, "")), " ")
		switch {
		case strings.HasPrefix(text, "panic:"):
			return shorten(text)
		case strings.HasPrefix(text, "Error:"):
			rest := strings.TrimSpace(strings.TrimPrefix(text, "Error:"))
			if i+1 < len(output) && !strings.Contains(output[i+1], "Test:") {
				rest += " " + strings.Join(strings.Fields(output[i+1]), " ")
			}
			return shorten(rest)
		case fallback == "" && location.MatchString(line) && text != "" && !strings.HasPrefix(text, "Error Trace:"):
			fallback = text
		}
	}
	return shorten(fallback)
}

func shorten(text string) string {
	const limit = 160
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

func sorted(all map[string]result) []result {
	results := make([]result, 0, len(all))
	for _, r := range all {
		results = append(results, r)
	}
	sort.Slice(results, func(i, j int) bool { return results[i].name < results[j].name })
	return results
}
