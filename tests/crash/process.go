package main

import (
	"os/exec"
	"syscall"
)

// process is a child of this one that ends with it at the latest.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
}

func startProcess(command *exec.Cmd) (*process, error) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command: command, ended: make(chan struct{})}
	go func() {
		command.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Kill ends the process with SIGKILL; false if it had ended before.
func (p *process) Kill() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
	}
	p.command.Process.Kill()
	<-p.ended
	return true
}
