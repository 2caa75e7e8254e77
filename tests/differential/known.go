package main

import (
	"bufio"
	"fmt"
	"os"
	"path"
	"strings"
)

// Known is a difference that is meant to stay: patterns of a script, of a step and of a path in its
// answer, and the reason.
type Known struct {
	script, step, path, reason string
	line                       int
	seen                       bool
}

// readKnown reads lines `script step path: reason`, in which * stands for anything.
func readKnown(file string) ([]*Known, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	var result []*Known
	scanner := bufio.NewScanner(opened)
	for number := 1; scanner.Scan(); number++ {
		text := strings.TrimSpace(scanner.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		where, reason, found := strings.Cut(text, ": ")
		fields := strings.Fields(where)
		if !found || len(fields) != 3 || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s:%d: not `script step path: reason`", file, number)
		}
		result = append(result, &Known{script: fields[0], step: fields[1], path: fields[2],
			reason: reason, line: number})
	}
	return result, scanner.Err()
}

// matches compares a pattern in which only * is special; brackets are common in paths.
func matches(pattern, text string) bool {
	escaped := strings.NewReplacer("[", `\[`, "]", `\]`, "?", `\?`).Replace(pattern)
	// A slash is special to the library, and means nothing here.
	matched, err := path.Match(strings.ReplaceAll(escaped, "/", "|"), strings.ReplaceAll(text, "/", "|"))
	return err == nil && matched
}

func (k *Known) covers(script string, difference Difference) bool {
	return matches(k.script, script) && matches(k.step, difference.step) &&
		matches(k.path, difference.path)
}

// unexplained leaves out the differences that are known, and marks the entries that knew them.
func unexplained(known []*Known, script string, differences []Difference) []Difference {
	var left []Difference
	for _, difference := range differences {
		covered := false
		for _, entry := range known {
			if entry.covers(script, difference) {
				entry.seen, covered = true, true
			}
		}
		if !covered {
			left = append(left, difference)
		}
	}
	return left
}
