package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
)

// CppWorker is the worker of the C++ SDK (cpp/worker.cc), a process of its own.
type CppWorker struct {
	binary, address string
	log             *os.File
	record          *Record
	process         *process
	read            chan struct{}
}

func newCppWorker(binary, address, logFile string, record *Record) (*CppWorker, error) {
	output, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	return &CppWorker{binary: binary, address: address, log: output, record: record}, nil
}

// Replace kills the worker, and starts another one; false if it had ended before, or none starts.
func (w *CppWorker) Replace() bool {
	killed := w.Kill()
	return w.start() == nil && killed
}

func (w *CppWorker) start() error {
	acknowledged, output, err := os.Pipe()
	if err != nil {
		return err
	}
	defer output.Close()
	command := exec.Command(w.binary, w.address, cppQueue)
	command.Stdout, command.Stderr = output, w.log
	if w.process, err = startProcess(command); err != nil {
		acknowledged.Close()
		return err
	}
	w.read = make(chan struct{})
	go w.listen(acknowledged, w.read)
	return nil
}

// listen takes the results that the server has acknowledged to the worker: a JSON text to a line.
func (w *CppWorker) listen(acknowledged *os.File, done chan struct{}) {
	defer close(done)
	defer acknowledged.Close()
	for lines := bufio.NewScanner(acknowledged); lines.Scan(); {
		var text string
		if json.Unmarshal(lines.Bytes(), &text) == nil {
			w.record.Completed(text)
		}
	}
}

// Kill ends the worker with SIGKILL, and returns when all that it has said is in the record; false if
// it had ended before.
func (w *CppWorker) Kill() bool {
	killed := w.process.Kill()
	if w.read != nil {
		<-w.read
	}
	return killed
}
