package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"stele/bench/compare/servers"
)

// Worker is a program that serves the workflows in one language, and replays histories of them.
type Worker struct {
	Name    string
	Command []string
	// How much it is asked to do.
	idle, replays, switchReplays int

	process *exec.Cmd
	input   io.Closer
}

// Replayed is what a program prints of its replays.
type Replayed struct {
	Seconds   float64 `json:"seconds"`
	Processor float64 `json:"cpu_seconds"`
}

// Start returns once the worker polls.
func (w *Worker) Start(address, taskQueue string, cachedRuns int) error {
	w.process = w.program("serve", address, taskQueue, strconv.Itoa(cachedRuns))
	input, err := w.process.StdinPipe()
	if err != nil {
		return err
	}
	w.input = input
	output, err := w.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := w.process.Start(); err != nil {
		return err
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || line != "ready\n" {
		w.Stop()
		return fmt.Errorf("not ready: %q, %v", line, err)
	}
	return nil
}

func (w *Worker) Stop() {
	w.input.Close()
	w.process.Wait()
}

func (w *Worker) Usage() servers.Process { return servers.Process(w.process.Process.Pid) }

func (w *Worker) Replay(file string, times int) (Replayed, error) {
	var replayed Replayed
	output, err := w.program("replay", file, strconv.Itoa(times)).Output()
	if err != nil {
		return replayed, fmt.Errorf("replaying %s: %w", file, err)
	}
	return replayed, json.Unmarshal(output, &replayed)
}

func (w *Worker) program(words ...string) *exec.Cmd {
	command := exec.Command(w.Command[0], append(append([]string{}, w.Command[1:]...), words...)...)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}
