package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"go.temporal.io/api/workflowservice/v1"

	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

// rest is a server that nobody has asked for anything yet.
func (b *bench) rest() error {
	return b.serve(func(server *servers.Server) error {
		time.Sleep(3 * time.Second)
		resident, err := server.ResidentBytes()
		b.add("memory of a server at rest", reports.Mebibytes(resident), "")
		return err
	})
}

// cache compares memory under the same load with a small cache of runs and with the usual one.
func (b *bench) cache() error {
	var results []cell
	for _, size := range []int{b.cacheMebibytes, 256} {
		err := b.serve(func(server *servers.Server) error {
			result, err := b.drive(server, servers.Namespace, b.measure, b.measure)
			if err != nil {
				return err
			}
			resident, err := server.ResidentBytes()
			results = append(results, result)
			b.add(fmt.Sprintf("memory under load, cache of %d MiB", size), reports.Mebibytes(resident), result.String())
			return err
		}, "--run-cache-mib", strconv.Itoa(size))
		if err != nil {
			return err
		}
	}
	b.add("… small cache beside the usual", "", results[0].beside(results[1]))
	return nil
}

func (b *bench) shards() error {
	var results []cell
	for _, count := range []int{1, b.options.shards} {
		err := b.serve(func(server *servers.Server) error {
			result, err := b.drive(server, servers.Namespace, b.measure, b.measure)
			results = append(results, result)
			return err
		}, "--shards", strconv.Itoa(count))
		if err != nil {
			return err
		}
	}
	b.add("1 shard", results[0].String(), "")
	b.add(fmt.Sprintf("%d shards", b.options.shards), results[1].String(), results[1].beside(results[0]))
	return nil
}

// history compares tasks of a run that has few events with those of one that has many.
func (b *bench) history() error {
	return b.serve(func(server *servers.Server) error {
		runs, err := newRuns(b.ctx, server)
		if err != nil {
			return err
		}
		defer runs.close()
		var costs []time.Duration
		for _, events := range []int{10, b.events} {
			run, err := runs.start(fmt.Sprintf("with-%d-events", events), events)
			if err != nil {
				return err
			}
			cost, latency, err := run.tasks(b.options.tasks)
			if err != nil {
				return err
			}
			costs = append(costs, cost)
			compared := ""
			if len(costs) > 1 {
				compared = fmt.Sprintf("%.2f× its CPU", float64(cost)/float64(costs[0]))
			}
			b.add(fmt.Sprintf("a signal and the task that it brings, behind %d events", events),
				fmt.Sprintf("%.3f ms of CPU, p50 %.2f ms", reports.Milliseconds(cost), reports.Milliseconds(latency)), compared)
		}
		return nil
	})
}

// store compares an empty store with one that holds many workflows.
func (b *bench) store() error {
	return b.serve(func(server *servers.Server) error {
		empty, err := b.drive(server, servers.Namespace, b.measure, b.measure)
		if err != nil {
			return err
		}
		b.add("empty store", empty.String(), "")
		if err := b.fill(server); err != nil {
			return err
		}
		full, err := b.drive(server, servers.Namespace, b.measure, b.measure)
		if err != nil {
			return err
		}
		b.add(fmt.Sprintf("%d open and %d closed workflows", b.open, b.closed), full.String(), full.beside(empty))
		resident, err := server.ResidentBytes()
		if err != nil {
			return err
		}
		disk, err := diskBytes(filepath.Dir(server.Log))
		b.add("… memory, disk", reports.Mebibytes(resident)+", "+reports.Mebibytes(disk), "")
		return err
	})
}

func (b *bench) fill(server *servers.Server) error {
	runs, err := newRuns(b.ctx, server)
	if err != nil {
		return err
	}
	defer runs.close()
	if err := runs.open(b.open); err != nil {
		return err
	}
	// Closed ones are those that the load leaves behind.
	for closed := 0; closed < b.closed; {
		result, err := b.drive(server, servers.Namespace, 0, time.Minute)
		if err != nil {
			return err
		}
		closed += result.Workflows
		fmt.Printf("%d of %d closed workflows, %.0f/s\n", closed, b.closed, result.PerSecond)
	}
	return nil
}

// growth lets workflows come and be deleted for long, and looks at the server in each tenth of them.
func (b *bench) growth() error {
	const namespace = "growth"
	return b.serve(func(server *servers.Server) error {
		runs, err := newRuns(b.ctx, server)
		if err != nil {
			return err
		}
		defer runs.close()
		_, err = runs.service.RegisterNamespace(b.ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(b.retention)})
		if err != nil {
			return err
		}
		var second cell
		tenth := b.workflows / 10
		for done, part := 0, 1; part <= 10; part++ {
			sum, err := b.grow(server, namespace, part*tenth-done)
			if err != nil {
				return err
			}
			done += sum.Workflows
			resident, err := server.ResidentBytes()
			if err != nil {
				return err
			}
			disk, err := diskBytes(filepath.Dir(server.Log))
			if err != nil {
				return err
			}
			if part == 2 {
				second = sum
			}
			compared := ""
			if part > 2 {
				compared = sum.beside(second)
			}
			b.add(fmt.Sprintf("growth: %d workflows, kept for %v", done, b.retention),
				fmt.Sprintf("%v; memory %s, disk %s", sum, reports.Mebibytes(resident), reports.Mebibytes(disk)), compared)
		}
		return nil
	}, "--dynamic-config-value", fmt.Sprintf("system.namespaceMinRetentionLocal=%q", b.retention),
		"--dynamic-config-value", `history.retentionTimerJitterDuration="10s"`)
}

// grow drives the load until so many workflows have ended; the result is of its last part.
func (b *bench) grow(server *servers.Server, namespace string, wanted int) (cell, error) {
	total := 0
	var last cell
	for total < wanted {
		result, err := b.drive(server, namespace, 0, 30*time.Second)
		if err != nil {
			return cell{}, err
		}
		total += result.Workflows
		last = result
	}
	last.Workflows = total
	return last, nil
}
