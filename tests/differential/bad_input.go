package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// BadInput is a call that must be refused and leave nothing behind. The request is built on the
// server that it is for, after whatever has to be there before it.
type BadInput struct {
	name    string
	request func(*Play) proto.Message
	// limit is the deadline of the call; 0 is the usual one, and a negative one is none at all.
	limit time.Duration
}

func badInputScripts() []Script {
	var scripts []Script
	for _, input := range badInputs {
		scripts = append(scripts, Script{input.name, func(p *Play) { playBadInput(p, input) }})
	}
	return scripts
}

func playBadInput(p *Play, input BadInput) {
	var request proto.Message
	p.silently(func() { request = input.request(p) })
	before := p.everything()
	store := p.settledStore()

	ctx, cancel := input.context()
	answer, err := p.invoke(ctx, request)
	cancel()
	p.record(methodOf(request), answer, err)
	switch status.Code(err) {
	case codes.OK:
		p.problems = append(p.problems, "the call was not refused")
	case codes.DeadlineExceeded, codes.Canceled:
		p.problems = append(p.problems, "the call was not answered in time")
	}
	if !bytes.Equal(before, p.everything()) {
		p.problems = append(p.problems, "the history or the description of the run has changed")
	}
	if store != p.settledStore() {
		p.problems = append(p.problems, "the store has changed")
	}
}

func (input BadInput) context() (context.Context, context.CancelFunc) {
	if input.limit < 0 {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(callLimit, cancel)
		return ctx, cancel
	}
	if input.limit > 0 {
		return context.WithTimeout(context.Background(), input.limit)
	}
	return context.WithTimeout(context.Background(), callLimit)
}

// everything is the history and the description of the script's run, and of its namespace, as
// they came; errors count as well, as a run that must not exist has nothing else.
func (p *Play) everything() []byte {
	var result bytes.Buffer
	marshal := proto.MarshalOptions{Deterministic: true}
	for _, request := range []proto.Message{p.historyOf(p.run()), p.describeOf(p.run())} {
		ctx, cancel := context.WithTimeout(context.Background(), callLimit)
		answer, err := p.invoke(ctx, request)
		cancel()
		encoded, _ := marshal.Marshal(answer)
		result.Write(encoded)
		fmt.Fprint(&result, status.Code(err))
	}
	return result.Bytes()
}

// settledStore is a digest of Stele's store once nothing writes to it any more.
func (p *Play) settledStore() string {
	if p.server.directory == "" {
		return ""
	}
	// A count waits until the index has taken in what was written before it; otherwise it would do so
	// some time later, and change the store then.
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	p.invoke(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: defaultNamespace})
	const pause = 40 * time.Millisecond
	last := digest(p.server.directory)
	for end := time.Now().Add(callLimit); time.Now().Before(end); {
		time.Sleep(pause)
		next := digest(p.server.directory)
		if next == last {
			return last
		}
		last = next
	}
	p.problems = append(p.problems, "the store does not come to rest")
	return ""
}

// digest covers the content of every file of a store except the logs that are for people.
func digest(directory string) string {
	hash := sha256.New()
	filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "LOG") {
			return nil
		}
		content, err := os.ReadFile(path)
		if err == nil {
			fmt.Fprintf(hash, "%s %d\n", path, len(content))
			hash.Write(content)
		}
		return nil
	})
	return fmt.Sprintf("%x", hash.Sum(nil))
}
