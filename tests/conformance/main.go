// Command conformance runs the functional test corpus of the Temporal server
// against a server that is already running elsewhere. See README.md.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.address, "address", os.Getenv("STELE_ADDRESS"), "host:port of the server's gRPC frontend")
	flag.StringVar(&o.http, "http", os.Getenv("STELE_HTTP_ADDRESS"), "host:port of the server's HTTP frontend; empty skips the tests that use it")
	flag.StringVar(&o.configURL, "config-url", os.Getenv("STELE_TEST_CONFIG_URL"), "endpoint that takes dynamic configuration; empty skips the tests that change it")
	flag.StringVar(&o.fixed, "fixed", "", "JSON file of values, beyond the base configuration, that the server was started with")
	flag.BoolVar(&o.admin, "admin", false, "let tests call the server's admin service instead of skipping them")
	flag.BoolVar(&o.retry, "retry", false, "run tests that failed once more, alone; the second outcome counts")
	run := flag.String("run", "", "run only tests whose full name matches this regular expression")
	area := flag.String("area", "", "run only tests whose area (third column of -list) matches this regular expression")
	flag.IntVar(&o.jobs, "jobs", 3, "test processes at a time")
	flag.IntVar(&o.parallel, "parallel", 4, "tests at a time in each process")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "limit for one test process")
	flag.StringVar(&o.logDir, "logs", "", "keep the output of every test process in this directory")
	out := flag.String("out", "results.tsv", "file for the results")
	expected := flag.String("expected", "", "compare with this list of tests and fail if one does not pass")
	only := flag.String("only", "", "run the tests that this file names, one a line, and fail if one does not pass")
	scoreBy := flag.String("score", "", "print how many tests of this list passed, by area; fails for nothing")
	workDir := flag.String("work", "", "directory for the copy of the corpus (default: the user's cache)")
	list := flag.Bool("list", false, "list tests and suite methods; runs and compiles nothing")
	printConfig := flag.Bool("print-config", false, "print the base configuration that the server must be started with")
	flag.Parse()

	g := goal{expected: *expected, only: *only, score: *scoreBy}
	if err := conform(o, *run, *area, *out, g, *workDir, *list, *printConfig); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

// goal says what the results are held to: files that list tests, each of them optional.
type goal struct {
	expected, only, score string
}

func conform(o options, run, area, out string, g goal, workDir string, list, printConfig bool) error {
	var selected selection
	var err error
	if selected.name, err = regexp.Compile(run); err != nil {
		return err
	}
	if selected.area, err = regexp.Compile(area); err != nil {
		return err
	}
	if g.only != "" {
		if selected.listed, err = readList(g.only); err != nil {
			return err
		}
	}
	c, err := openCorpus(workDir)
	if err != nil {
		return err
	}
	index, err := indexTests(c.source)
	if err != nil {
		return err
	}
	if list {
		w := bufio.NewWriter(os.Stdout)
		defer w.Flush()
		for _, name := range index.names() {
			if selected.matches(name, index.file(name)) {
				fmt.Fprintf(w, "%s\t%s\t%s\n", name, index.file(name), areaOf(index.file(name)))
			}
		}
		return nil
	}
	if o.address == "" && !printConfig {
		return fmt.Errorf("no address: set -address or STELE_ADDRESS")
	}
	if err := c.build(); err != nil {
		return err
	}
	if printConfig {
		cmd := exec.Command(c.binary)
		cmd.Env = append(o.environment(false), "STELE_PRINT_CONFIG=1")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd.Run()
	}

	start := time.Now()
	results, err := o.runAll(c, index, selected, func(partial []result) error { return writeResults(out, partial) })
	if err != nil {
		return err
	}
	fmt.Printf("corpus %s: %s in %s\n", c.version, totals(results), time.Since(start).Round(time.Second))
	return g.judge(results, selected)
}

func (g goal) judge(results []result, selected selection) error {
	if g.score != "" {
		expected, err := readExpected(g.score)
		if err != nil {
			return err
		}
		score(os.Stdout, results, expected)
	}
	if g.only != "" {
		return judgeList(os.Stdout, results, selected.listed)
	}
	if g.expected != "" {
		return compare(results, g.expected, selected)
	}
	return nil
}

// totals is the one-line summary.
func totals(results []result) string {
	count := map[string]int{}
	for _, r := range results {
		count[r.outcome]++
	}
	return fmt.Sprintf("%d tests: %d PASS, %d FAIL, %d SKIP", len(results), count["PASS"], count["FAIL"], count["SKIP"])
}

func writeResults(path string, results []result) error {
	var b strings.Builder
	b.WriteString("name\tfile\tarea\tresult\tseconds\treason\n")
	for _, r := range results {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%.2f\t%s\n", r.name, r.file, areaOf(r.file), r.outcome, r.seconds, r.reason)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// compare checks that every test on a list (its first column) passed.
func compare(results []result, path string, selected selection) error {
	expected, err := readExpected(path)
	if err != nil {
		return err
	}
	outcome := map[string]string{}
	for _, r := range results {
		outcome[r.name] = r.outcome
	}
	listed, passed := 0, 0
	for _, test := range expected {
		name := test.name
		if !selected.matches(name, test.file) {
			continue
		}
		listed++
		switch outcome[name] {
		case "PASS":
			passed++
		case "":
			fmt.Printf("missing\t%s\n", name)
		default:
			fmt.Printf("%s\t%s\n", strings.ToLower(outcome[name]), name)
		}
	}
	fmt.Printf("expected: %d of %d pass\n", passed, listed)
	if passed < listed {
		return fmt.Errorf("%d expected tests did not pass", listed-passed)
	}
	return nil
}
