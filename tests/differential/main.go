// Command differential plays the same calls on Stele and on a real Temporal server, and compares
// what they answer and the histories that they leave.
//
// There are two suites. `scripts` are stories of a client and a worker, several at a time. `bad-input`
// are single calls that must be refused; each is made on a Stele that does nothing else, so that its
// store can be compared byte by byte. Differences that are meant to stay are in known_differences.txt.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"reflect"
	"regexp"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"time"
)

// Script is one behaviour, played on both servers.
type Script struct {
	name string
	play func(*Play)
}

// Result is what became of a script: the differences that nothing explains, and what else is wrong.
type Result struct {
	differences []Difference
	problems    []string
	transcripts [2]*Transcript
}

type options struct {
	suite, stele, reference, known, only, scratch, salt string
	port, jobs                                          int
	attach, verbose                                     bool
}

func main() {
	var o options
	flag.StringVar(&o.suite, "suite", "scripts", "scripts or bad-input")
	flag.StringVar(&o.stele, "stele", "", "binary of Stele, or with -attach an address")
	flag.StringVar(&o.reference, "reference", "", "binary of the reference server, or with -attach an address")
	flag.StringVar(&o.known, "known", "known_differences.txt", "differences that are meant to stay")
	flag.StringVar(&o.only, "run", "", "regular expression of script names")
	flag.StringVar(&o.salt, "salt", "", "prefix of all ids, needed where servers are used again")
	flag.IntVar(&o.port, "port", 17700, "first of six ports for the two servers")
	flag.IntVar(&o.jobs, "jobs", 8, "scripts at a time")
	flag.BoolVar(&o.attach, "attach", false, "use servers that run already")
	flag.BoolVar(&o.verbose, "v", false, "print every answer of Temporal's")
	flag.Parse()
	failed, err := run(o)
	if err != nil {
		log.Fatal(err)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func run(o options) (int, error) {
	scratch, err := os.MkdirTemp("", "differential")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(scratch)
	o.scratch = scratch
	known, err := readKnown(o.known)
	if err != nil {
		return 0, err
	}
	stele, temporal, err := servers(o)
	defer func() { stele.stop(); temporal.stop() }()
	if err != nil {
		return 0, err
	}
	started := time.Now()
	var scripts []Script
	jobs := o.jobs
	if o.suite == "bad-input" {
		scripts, jobs = badInputScripts(), 1
	} else {
		scripts = behaviours()
	}
	scripts, err = selected(scripts, o.only)
	if err != nil {
		return 0, err
	}
	results := playAll(scripts, stele, temporal, o.salt, jobs)
	failed := report(o, scripts, results, known)
	fmt.Printf("%s: %d scripts in %.0f s\n", o.suite, len(scripts), time.Since(started).Seconds())
	passed := len(scripts) - failed
	// An entry is judged by the suite and the scripts that were played.
	if o.only == "" {
		stale := staleEntries(known, scripts, o.suite)
		failed += len(stale)
		for _, entry := range stale {
			fmt.Printf("STALE %s:%d: nothing differs any more at %s %s %s\n",
				o.known, entry.line, entry.script, entry.step, entry.path)
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	return failed, nil
}

func servers(o options) (stele, temporal *Server, err error) {
	if o.attach {
		stele, temporal = &Server{name: "stele"}, &Server{name: "temporal"}
		if err = stele.connect(o.stele); err == nil {
			err = temporal.connect(o.reference)
		}
		for _, server := range []*Server{stele, temporal} {
			if err == nil {
				err = server.waitUntilReady()
			}
		}
		return stele, temporal, err
	}
	if stele, err = startStele(o.stele, o.port, o.scratch); err != nil {
		return stele, nil, err
	}
	temporal, err = startReference(o.reference, o.port+1, o.scratch)
	return stele, temporal, err
}

// behaviours finds the scripts: the methods of Behaviour, whose names say what they show.
func behaviours() []Script {
	var scripts []Script
	all := reflect.ValueOf(Behaviour{})
	for i := 0; i < all.NumMethod(); i++ {
		play := all.Method(i).Interface().(func(*Play))
		scripts = append(scripts, Script{all.Type().Method(i).Name, play})
	}
	return scripts
}

func selected(scripts []Script, only string) ([]Script, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	var result []Script
	for _, script := range scripts {
		if pattern.MatchString(script.name) {
			result = append(result, script)
		}
	}
	return result, nil
}

func playAll(scripts []Script, stele, temporal *Server, salt string, jobs int) []Result {
	results := make([]Result, len(scripts))
	places := make(chan struct{}, jobs)
	var group sync.WaitGroup
	for i, script := range scripts {
		places <- struct{}{}
		group.Add(1)
		go func() {
			defer group.Done()
			results[i] = playOnBoth(script, stele, temporal, salt)
			<-places
		}()
	}
	group.Wait()
	return results
}

func playOnBoth(script Script, stele, temporal *Server, salt string) Result {
	var result Result
	plays := [2]*Play{newPlay(stele, script.name, salt), newPlay(temporal, script.name, salt)}
	problems := [2][]string{}
	var group sync.WaitGroup
	for i, play := range plays {
		group.Add(1)
		go func() {
			defer group.Done()
			defer func() {
				if r := recover(); r != nil {
					problems[i] = append(problems[i], fmt.Sprintf("%s: %v\n%s", play.server.name, r, debug.Stack()))
				}
			}()
			script.play(play)
			for _, problem := range play.problems {
				problems[i] = append(problems[i], play.server.name+": "+problem)
			}
		}()
		result.transcripts[i] = play.transcript
	}
	group.Wait()
	result.problems = append(problems[0], problems[1]...)
	result.differences = compare(plays[0].transcript, plays[1].transcript)
	return result
}

// report prints every script that failed with what differs, and returns how many did.
func report(o options, scripts []Script, results []Result, known []*Known) int {
	failed := 0
	for i, script := range scripts {
		result := results[i]
		if o.verbose {
			printTranscript(script.name, result.transcripts[1])
		}
		left := unexplained(known, script.name, result.differences)
		if len(left) == 0 && len(result.problems) == 0 {
			continue
		}
		failed++
		fmt.Printf("FAIL %s\n", script.name)
		for _, problem := range result.problems {
			fmt.Printf("  %s\n", problem)
		}
		step := ""
		for _, difference := range left {
			if difference.step != step {
				step = difference.step
				fmt.Printf("  %s\n", step)
			}
			fmt.Printf("    %s\n      stele    %s\n      temporal %s\n", difference.path,
				orAbsent(difference.stele), orAbsent(difference.temporal))
		}
	}
	return failed
}

func orAbsent(value string) string {
	const longest = 400
	if value == "" {
		return "(absent)"
	}
	if len(value) > longest {
		return value[:longest] + "..."
	}
	return value
}

func printTranscript(name string, transcript *Transcript) {
	fmt.Printf("--- %s\n", name)
	for _, step := range transcript.steps {
		fmt.Printf("  %s\n", step.label)
		for _, line := range step.lines {
			fmt.Printf("    %s = %s\n", line.path, orAbsent(line.value))
		}
	}
}

// staleEntries are those that concern a script of this suite and covered nothing. What is said of
// scripts in general is said of the suite of that name.
func staleEntries(known []*Known, scripts []Script, suite string) []*Known {
	names := []string{}
	for _, script := range scripts {
		names = append(names, script.name)
	}
	sort.Strings(names)
	var stale []*Known
	for _, entry := range known {
		concerned := false
		for _, name := range names {
			concerned = concerned || matches(entry.script, name) && (entry.script != "*" || suite == "scripts")
		}
		// A name that no suite has is stale in either.
		unknown := !concerned && !strings.Contains(entry.script, "*") && !isScript(entry.script)
		if !entry.seen && (concerned || unknown) {
			stale = append(stale, entry)
		}
	}
	return stale
}

func isScript(name string) bool {
	for _, script := range append(behaviours(), badInputScripts()...) {
		if script.name == name {
			return true
		}
	}
	return false
}
