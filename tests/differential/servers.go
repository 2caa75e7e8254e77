package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	defaultNamespace = "default"
	startupLimit     = 90 * time.Second
	// More than the 4 MB of a server, so that a large answer is seen rather than refused here.
	largestMessage = 16 << 20
)

// Server is one of the two servers under comparison.
type Server struct {
	name string
	conn *grpc.ClientConn
	// directory is where Stele keeps its store; empty when it is not known.
	directory string
	process   *exec.Cmd
}

// startStele runs the binary on a fresh directory.
func startStele(binary string, port int, scratch string) (*Server, error) {
	directory := filepath.Join(scratch, "store-"+strconv.Itoa(port))
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	server := &Server{name: "stele", directory: directory}
	return server, server.start(scratch, port, binary, "server", "start-dev", "--headless",
		"--port", strconv.Itoa(port), "--http-port", "0", "--db-filename", directory)
}

func startReference(binary string, port int, scratch string) (*Server, error) {
	server := &Server{name: "temporal"}
	http := port + 4 // behind those of its services and of the one that does not run
	return server, server.start(scratch, port, binary, "-port", strconv.Itoa(port), "-http", strconv.Itoa(http),
		"-file", filepath.Join(scratch, "temporal.db"), "-synchronous", "off", "-partitions", "1",
		"-log", "fatal")
}

func (s *Server) start(scratch string, port int, binary string, arguments ...string) error {
	output, err := os.Create(filepath.Join(scratch, fmt.Sprintf("%s-%d.log", s.name, port)))
	if err != nil {
		return err
	}
	s.process = exec.Command(binary, arguments...)
	s.process.Stdout, s.process.Stderr = output, output
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.process.Start(); err != nil {
		return err
	}
	if err := s.connect("127.0.0.1:" + strconv.Itoa(port)); err != nil {
		return err
	}
	return s.waitUntilReady()
}

func (s *Server) connect(address string) error {
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestMessage),
			grpc.MaxCallSendMsgSize(largestMessage)))
	s.conn = conn
	return err
}

// waitUntilReady makes the default namespace where it is missing, and returns once a workflow could
// be started and ended there.
func (s *Server) waitUntilReady() error {
	client := workflowservice.NewWorkflowServiceClient(s.conn)
	var last error
	for end := time.Now().Add(startupLimit); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		last = tryOneWorkflow(ctx, client)
		cancel()
		if last == nil {
			return nil
		}
	}
	return fmt.Errorf("%s is not ready: %w", s.name, last)
}

func tryOneWorkflow(ctx context.Context, client workflowservice.WorkflowServiceClient) error {
	_, err := client.DescribeNamespace(ctx,
		&workflowservice.DescribeNamespaceRequest{Namespace: defaultNamespace})
	if err != nil {
		_, err := client.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace: defaultNamespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour)})
		if err != nil {
			return err
		}
	}
	_, err = client.StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{
		Namespace: defaultNamespace, WorkflowId: "readiness", RequestId: "readiness",
		WorkflowType:       &commonpb.WorkflowType{Name: "readiness"},
		TaskQueue:          &taskqueuepb.TaskQueue{Name: "readiness"},
		WorkflowRunTimeout: durationpb.New(time.Second),
	})
	return err
}

// stop ends the process, at once if it does not end by itself.
func (s *Server) stop() {
	if s == nil || s.process == nil || s.process.Process == nil {
		return
	}
	s.conn.Close()
	s.process.Process.Signal(syscall.SIGTERM)
	killer := time.AfterFunc(15*time.Second, func() { s.process.Process.Kill() })
	s.process.Wait()
	killer.Stop()
}
