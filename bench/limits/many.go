package main

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"stele/bench/compare/clients"
	"stele/bench/compare/reports"
	"stele/bench/compare/servers"
)

// many fills a server with open and closed workflows and looks at its memory, its lists and its restart.
func (b *Bench) many() error {
	before, err := b.server.ResidentBytes()
	if err != nil {
		return err
	}
	began := time.Now()
	err = clients.Parallel(b.sizes.open, 64, func(i int) error { return b.start(name("open", i), "nobody polls") })
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("%d open workflows: started by 64 clients", b.sizes.open),
		perSecond(b.sizes.open, time.Since(began)))
	after, err := b.server.ResidentBytes()
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("%d open workflows: resident memory of the server", b.sizes.open),
		fmt.Sprintf("%s, %d bytes a workflow", reports.Mebibytes(after), (after-before)/int64(b.sizes.open)))
	if err := b.closed(); err != nil {
		return err
	}
	if err := b.lists(); err != nil {
		return err
	}
	return b.restart()
}

func (b *Bench) closed() error {
	began := time.Now()
	err := clients.Parallel(b.sizes.closed, 64, func(i int) error {
		if err := b.start(name("closed", i), "nobody polls"); err != nil {
			return err
		}
		return b.terminate(name("closed", i))
	})
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("%d closed workflows: started and terminated", b.sizes.closed),
		perSecond(b.sizes.closed, time.Since(began)))
	return nil
}

// lists asks for what people look at: the newest, one type that runs, one id.
func (b *Bench) lists() error {
	total := b.sizes.open + b.sizes.closed
	queries := map[string]func(int) string{
		"the newest":    func(int) string { return "" },
		"those open":    func(int) string { return "WorkflowType = 'limits' AND ExecutionStatus = 'Running'" },
		"one by its id": func(i int) string { return fmt.Sprintf("WorkflowId = '%s'", name("closed", i)) },
	}
	for _, kind := range []string{"the newest", "those open", "one by its id"} {
		times := make([]time.Duration, b.sizes.queries)
		for i := range times {
			began := time.Now()
			_, err := b.service.ListWorkflowExecutions(b.ctx, &workflowservice.ListWorkflowExecutionsRequest{
				Namespace: servers.Namespace, PageSize: 100, Query: queries[kind](i % b.sizes.closed)})
			if err != nil {
				return err
			}
			times[i] = time.Since(began)
		}
		slices.Sort(times)
		b.add(fmt.Sprintf("list of %d workflows, %s: p50, p99", total, kind),
			milliseconds(times[len(times)/2])+", "+milliseconds(times[len(times)*99/100]))
	}
	return nil
}

// restart kills the server and waits until it takes a workflow again.
func (b *Bench) restart() error {
	b.conn.Close()
	b.server.Kill()
	began := time.Now()
	if err := b.server.Start(); err != nil {
		return err
	}
	b.add(fmt.Sprintf("restart with %d open and %d closed workflows", b.sizes.open, b.sizes.closed),
		milliseconds(time.Since(began)))
	return b.connect()
}
