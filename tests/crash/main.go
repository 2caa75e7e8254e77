// Command crash kills a server under load again and again, and then looks for what it had
// acknowledged. The load is a real worker and clients of the official Go SDK, which outlive the
// server: they meet each restart as they would in production.
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
	port     int
	kills    int
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
	flag.IntVar(&o.port, "port", 17800, "port of the server")
	flag.IntVar(&o.kills, "kills", 10, "how many times the server is killed")
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
	if err := killRepeatedly(o, server, record, tally); err != nil {
		load.Stop()
		return err
	}
	ended := load.Finish(o.ending)
	defer load.Stop()
	tally.Check(ended, "clients were still waiting for an answer %v after the last restart", o.ending)
	checkAll(load.service, record, o.ending, tally)
	return nil
}

// killRepeatedly leaves the server running. Each kill comes at a random moment after the server
// was ready, so that there is load to interrupt.
func killRepeatedly(o options, server *Server, record *Record, tally *Tally) error {
	before := record.Count()
	idle := 0
	for kill := 1; kill <= o.kills; kill++ {
		pause := o.shortest + time.Duration(rand.Int63n(int64(o.longest-o.shortest)+1))
		time.Sleep(pause)
		alive := server.Kill()
		tally.Check(alive, "the server had ended by itself before kill %d", kill)
		now := record.Count()
		if now == before {
			idle++
		}
		restarted := time.Now()
		if err := server.Start(); err != nil {
			return fmt.Errorf("after kill %d: %w", kill, err)
		}
		fmt.Printf("kill %d of %d after %.2f s: acknowledged since the last one: %d starts, %d signals, "+
			"%d completions; ready again in %.2f s\n", kill, o.kills, pause.Seconds(),
			now.starts-before.starts, now.signals-before.signals, now.completions-before.completions,
			time.Since(restarted).Seconds())
		before = now
	}
	tally.Check(idle*10 <= o.kills, "%d of %d kills interrupted nothing", idle, o.kills)
	return nil
}
