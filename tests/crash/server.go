package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

const startupLimit = time.Minute

// Server is the real binary on one directory, which it keeps over its restarts.
type Server struct {
	binary, address, directory string
	port, starts               int
	log                        *os.File
	process                    *process
}

func newServer(binary string, port int, directory, logFile string) (*Server, error) {
	output, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	return &Server{binary: binary, port: port, directory: directory, log: output,
		address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}, nil
}

// Start returns once the server answers for the default namespace. Every other start has more threads than the
// one before it, which what the store holds must not depend on.
func (s *Server) Start() error {
	threads := 1 + 2*(s.starts%2)
	s.starts++
	command := exec.Command(s.binary, "server", "start-dev", "--headless", "--db-filename", s.directory,
		"--port", strconv.Itoa(s.port), "--http-port", "0", "--threads", strconv.Itoa(threads))
	command.Stdout, command.Stderr = s.log, s.log
	var err error
	if s.process, err = startProcess(command); err != nil {
		return err
	}
	return s.waitUntilReady()
}

// comeBackSoon keeps clients from waiting longer for a server that was killed than the next one
// lives: then no load would be interrupted.
var comeBackSoon = grpc.WithConnectParams(grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond},
	MinConnectTimeout: time.Second,
})

func (s *Server) waitUntilReady() error {
	conn, err := grpc.NewClient(s.address, comeBackSoon,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	service := workflowservice.NewWorkflowServiceClient(conn)
	for end := time.Now().Add(startupLimit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		select {
		case <-s.process.ended:
			return fmt.Errorf("the server ended while it was starting: %v", s.process.command.ProcessState)
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err = service.DescribeNamespace(ctx,
			&workflowservice.DescribeNamespaceRequest{Namespace: namespace}, grpc.WaitForReady(true))
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("the server is not ready after %v: %w", startupLimit, err)
}

// Kill ends the process with SIGKILL; false if it had ended before.
func (s *Server) Kill() bool { return s.process.Kill() }
