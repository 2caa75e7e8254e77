package main

import (
	"strings"
	"sync"
)

// Acknowledged is what the server has said yes to for one workflow.
type Acknowledged struct {
	// Kind is the type of a workflow that a client started, and empty for a child.
	Kind  string
	RunID string
	// Signals and Completions hold the texts sent along, each of which is sent in one request only.
	Signals     []string
	Completions []string
}

// Counts are totals of acknowledgements.
type Counts struct{ starts, signals, completions int }

func (c Counts) minus(other Counts) Counts {
	return Counts{c.starts - other.starts, c.signals - other.signals, c.completions - other.completions}
}

func (c Counts) plus(other Counts) Counts {
	return Counts{c.starts + other.starts, c.signals + other.signals, c.completions + other.completions}
}

// Record collects acknowledgements, by workflow id, and counts them for each task queue. Safe for
// concurrent use.
type Record struct {
	mutex     sync.Mutex
	workflows map[string]*Acknowledged
	counts    map[string]*Counts
}

func NewRecord() *Record {
	return &Record{workflows: map[string]*Acknowledged{}, counts: map[string]*Counts{}}
}

// queueOf is the task queue, with which the ids of all its workflows begin.
func queueOf(id string) string {
	queue, _, _ := strings.Cut(id, ".")
	return queue
}

// note gives what is known of a workflow, and the counts of its task queue, to be changed.
func (r *Record) note(id string, change func(*Acknowledged, *Counts)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.workflows[id] == nil {
		r.workflows[id] = &Acknowledged{}
	}
	if r.counts[queueOf(id)] == nil {
		r.counts[queueOf(id)] = &Counts{}
	}
	change(r.workflows[id], r.counts[queueOf(id)])
}

func (r *Record) Started(id, kind, runID string) {
	r.note(id, func(workflow *Acknowledged, counts *Counts) {
		workflow.Kind, workflow.RunID = kind, runID
		counts.starts++
	})
}

func (r *Record) Signaled(id, text string) {
	r.note(id, func(workflow *Acknowledged, counts *Counts) {
		workflow.Signals = append(workflow.Signals, text)
		counts.signals++
	})
}

// Completed takes the result of an activity, which begins with the id of its workflow.
func (r *Record) Completed(text string) {
	id, _, _ := strings.Cut(text, " ")
	r.note(id, func(workflow *Acknowledged, counts *Counts) {
		workflow.Completions = append(workflow.Completions, text)
		counts.completions++
	})
}

func (r *Record) CountOf(queue string) Counts {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.counts[queue] == nil {
		return Counts{}
	}
	return *r.counts[queue]
}

// All returns a copy.
func (r *Record) All() map[string]Acknowledged {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	all := map[string]Acknowledged{}
	for id, workflow := range r.workflows {
		all[id] = *workflow
	}
	return all
}
