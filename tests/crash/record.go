package main

import "sync"

// Acknowledged is what the server has said yes to for one workflow.
type Acknowledged struct {
	RunID string
	// Signals and Completions hold the texts sent along, each of which is sent in one request only.
	Signals     []string
	Completions []string
}

// Counts are totals of acknowledgements.
type Counts struct{ starts, signals, completions int }

// Record collects acknowledgements, by workflow id. Safe for concurrent use.
type Record struct {
	mutex     sync.Mutex
	workflows map[string]*Acknowledged
	counts    Counts
}

func NewRecord() *Record { return &Record{workflows: map[string]*Acknowledged{}} }

func (r *Record) workflow(id string) *Acknowledged {
	if r.workflows[id] == nil {
		r.workflows[id] = &Acknowledged{}
	}
	return r.workflows[id]
}

func (r *Record) Started(id, runID string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.workflow(id).RunID = runID
	r.counts.starts++
}

func (r *Record) Signaled(id, text string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	workflow := r.workflow(id)
	workflow.Signals = append(workflow.Signals, text)
	r.counts.signals++
}

func (r *Record) Completed(id, text string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	workflow := r.workflow(id)
	workflow.Completions = append(workflow.Completions, text)
	r.counts.completions++
}

func (r *Record) Count() Counts {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.counts
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
