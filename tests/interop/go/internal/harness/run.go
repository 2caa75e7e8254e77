// Package harness runs scenarios against a server and writes one result line
// for each.
package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
)

// Scenario is one behaviour shown end to end with the SDK.
type Scenario struct {
	Name string
	Run  func(*Env)
	// Alone is for a scenario that takes all the processor there is.
	Alone bool
}

// Target is the server that scenarios run against.
type Target struct {
	Client    client.Client
	Address   string
	Namespace string
}

// Line is one line of the output.
type Line struct {
	SDK      string  `json:"sdk"`
	Version  string  `json:"version"`
	Scenario string  `json:"scenario"`
	OK       bool    `json:"ok"`
	Seconds  float64 `json:"seconds"`
	Error    string  `json:"error"`
}

// scenarioLimit is the time limit of one scenario, and atOnce how many run at
// a time: most of a scenario is waiting.
const (
	scenarioLimit = 60 * time.Second
	atOnce        = 8
)

// RunAll runs the scenarios, several at a time and then those that run alone,
// and tells whether all passed.
func RunAll(target Target, scenarios []Scenario, out io.Writer) bool {
	var group sync.WaitGroup
	var mutex sync.Mutex
	slots := make(chan struct{}, atOnce)
	encoder := json.NewEncoder(out)
	allPassed := true
	run := func(scenario Scenario) {
		line := runOne(target, scenario)
		mutex.Lock()
		defer mutex.Unlock()
		allPassed = allPassed && line.OK
		if err := encoder.Encode(line); err != nil {
			allPassed = false
		}
	}
	for _, scenario := range scenarios {
		if !scenario.Alone {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				run(scenario)
			})
		}
	}
	group.Wait()
	for _, scenario := range scenarios {
		if scenario.Alone {
			run(scenario)
		}
	}
	return allPassed
}

func runOne(target Target, scenario Scenario) Line {
	begin := time.Now()
	message := attempt(target, scenario)
	return Line{
		SDK:      "go",
		Version:  sdkVersion(),
		Scenario: scenario.Name,
		OK:       message == "",
		Seconds:  float64(time.Since(begin).Milliseconds()) / 1000,
		Error:    oneLine(message),
	}
}

// attempt returns what went wrong, or nothing.
func attempt(target Target, scenario Scenario) (message string) {
	ctx, cancel := context.WithTimeout(context.Background(), scenarioLimit)
	defer cancel()
	env := &Env{
		Context:   ctx,
		Client:    target.Client,
		Address:   target.Address,
		Namespace: target.Namespace,
		TaskQueue: fmt.Sprintf("interop-go-%s-%08x", scenario.Name, rand.Uint32()),
	}
	defer env.close()
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case failure:
			message = cause.message
		default:
			message = fmt.Sprintf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	scenario.Run(env)
	return ""
}

// sdkVersion is the version of the SDK that this program was built with.
func sdkVersion() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, module := range info.Deps {
			if module.Path == "go.temporal.io/sdk" {
				return module.Version[1:]
			}
		}
	}
	return "unknown"
}
