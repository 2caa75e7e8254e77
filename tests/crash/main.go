// Command crash kills a server under load again and again, and then looks for what it had
// acknowledged. The load is a worker and clients of the official Go SDK and a worker of the C++ SDK,
// which outlive the server: they meet each restart as they would in production. Now and then the worker
// of the C++ SDK is killed, too, and another one takes its place.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"math/rand"
	"os"
	"path/filepath"
	"time"
)

type options struct {
	server   string
	worker   string
	port     int
	kills    int
	workers  int
	clients  int
	shortest time.Duration
	longest  time.Duration
	ending   time.Duration
	backlog  bool
	keep     bool
}

func parseOptions() options {
	var o options
	flag.StringVar(&o.server, "server", "", "the stele binary")
	flag.StringVar(&o.worker, "worker", "", "the stele_crash_worker binary")
	flag.IntVar(&o.port, "port", 17800, "port of the server")
	flag.IntVar(&o.kills, "kills", 10, "how many times the server is killed")
	flag.IntVar(&o.workers, "workers-of", 5, "at one kill in so many the C++ worker is killed as well; 0: never")
	flag.IntVar(&o.clients, "clients", 32, "workflows under way at any time")
	flag.DurationVar(&o.shortest, "shortest", 500*time.Millisecond, "least time between ready and killed")
	flag.DurationVar(&o.longest, "longest", 2*time.Second, "most time between ready and killed")
	flag.DurationVar(&o.ending, "ending", 3*time.Minute, "time in which every workflow must end")
	flag.BoolVar(&o.backlog, "backlog", false,
		"clients start on without waiting for ends, so that a backlog of open workflows piles up")
	flag.BoolVar(&o.keep, "keep", false, "keep the store and the log also when nothing failed")
	flag.Parse()
	return o
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	o := parseOptions()
	directory, err := os.MkdirTemp("", "crash")
	if err != nil {
		fail(err)
	}
	tally := &Tally{}
	if err := run(o, directory, tally); err != nil {
		tally.Check(false, "%v", err)
	}
	if tally.failed == 0 && !o.keep {
		os.RemoveAll(directory)
	} else {
		fmt.Printf("store and log: %s\n", directory)
	}
	fmt.Printf("%d passed, %d failed\n", tally.passed, tally.failed)
	if tally.failed > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Printf("%v\n0 passed, 1 failed\n", err)
	os.Exit(1)
}

func run(o options, directory string, tally *Tally) error {
	server, err := newServer(o.server, o.port, filepath.Join(directory, "store"),
		filepath.Join(directory, "server.log"))
	if err != nil {
		return err
	}
	defer server.Kill()
	if err := server.Start(); err != nil {
		return err
	}
	record := NewRecord()
	load, err := startLoad(server.address, o.clients, !o.backlog, record)
	if err != nil {
		return err
	}
	defer load.Stop()
	worker, err := newCppWorker(o.worker, server.address, filepath.Join(directory, "worker.log"), record)
	if err != nil {
		return err
	}
	if err := worker.start(); err != nil {
		return err
	}
	defer worker.Kill()
	if err := killRepeatedly(o, server, worker, record, tally); err != nil {
		return err
	}
	ended := load.Finish(o.ending)
	tally.Check(ended, "clients were still waiting for an answer %v after the last restart", o.ending)
	checkAll(load.service, record, o.ending, tally)
	tally.Check(worker.Kill(), "the C++ worker had ended by itself")
	return nil
}

// idleTimes counts, for each task queue, the kills that interrupted nothing there.
type idleTimes struct {
	before map[string]Counts
	times  map[string]int
}

// note tells what was acknowledged since the last time, on all queues.
func (t *idleTimes) note(record *Record) Counts {
	all := Counts{}
	for _, queue := range queues {
		now := record.CountOf(queue)
		since := now.minus(t.before[queue])
		if since == (Counts{}) {
			t.times[queue]++
		}
		t.before[queue] = now
		all = all.plus(since)
	}
	return all
}

// killRepeatedly leaves the server and the worker running. Each kill comes at a random moment after the
// server was ready, so that there is load to interrupt.
func killRepeatedly(o options, server *Server, worker *CppWorker, record *Record, tally *Tally) error {
	idle := idleTimes{map[string]Counts{}, map[string]int{}}
	workers, lives, restarts := 0, time.Duration(0), time.Duration(0)
	for kill := 1; kill <= o.kills; kill++ {
		pause := o.shortest + time.Duration(rand.Int63n(int64(o.longest-o.shortest)+1))
		withWorker := o.workers > 0 && rand.Intn(o.workers) == 0
		// Some time before the server, or while there is none.
		before := withWorker && rand.Intn(2) == 0
		rest := time.Duration(0)
		if before {
			rest = time.Duration(rand.Int63n(int64(pause)))
		}
		time.Sleep(pause - rest)
		if before {
			tally.Check(worker.Replace(), "the C++ worker had ended by itself before kill %d", kill)
		}
		time.Sleep(rest)
		tally.Check(server.Kill(), "the server had ended by itself before kill %d", kill)
		if withWorker {
			workers++
		}
		if withWorker && !before {
			tally.Check(worker.Replace(), "the C++ worker had ended by itself before kill %d", kill)
		}
		since := idle.note(record)
		killed := time.Now()
		if err := server.Start(); err != nil {
			return fmt.Errorf("after kill %d: %w", kill, err)
		}
		restart := time.Since(killed)
		lives, restarts = lives+pause, restarts+restart
		fmt.Printf("kill %d of %d after %.2f s: acknowledged since the last one: %d starts, %d signals, "+
			"%d completions; ready again in %.2f s\n", kill, o.kills, pause.Seconds(),
			since.starts, since.signals, since.completions, restart.Seconds())
	}
	fmt.Printf("killed the server %d times after %.2f s on average, ready again in %.2f s on average; "+
		"the C++ worker %d times\n", o.kills, lives.Seconds()/float64(max(o.kills, 1)),
		restarts.Seconds()/float64(max(o.kills, 1)), workers)
	for _, queue := range queues {
		tally.Check(idle.times[queue]*10 <= o.kills, "%d of %d kills interrupted nothing on %s", idle.times[queue],
			o.kills, queue)
	}
	return nil
}
