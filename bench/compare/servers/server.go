// Package servers runs the servers that are measured: Stele, Temporal as the command in
// tests/reference, and one that is empty.
package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
	// Stele, Temporal and Empty are the names in reports.
	Stele          = "stele"
	Temporal       = "temporal"
	TemporalMemory = "temporal in memory"
	// TemporalPostgres is a Temporal together with its database.
	TemporalPostgres = "temporal on PostgreSQL"
	Empty            = "empty"
	// Namespace is there once a server has started.
	Namespace    = "default"
	startupLimit = 2 * time.Minute
	// Ticks of processor time in /proc, which Linux reports as 100 a second on every machine.
	ticksPerSecond = 100

	noLimit = "1000000"
)

// steleLimits hold dispatches of a task queue back; tests/reference lifts what holds Temporal back.
var steleLimits = []string{
	"admin.matchingNamespaceTaskqueueToPartitionDispatchRate", "admin.matchingNamespaceToPartitionDispatchRate",
}

// Server is a process that is measured.
type Server struct {
	Name    string
	Port    int
	Log     string
	Command []string
	// Bare servers answer the calls of the raw load alone: they are ready when they take connections.
	Bare    bool
	process *exec.Cmd
	ended   chan struct{}
}

// OfStele is a Stele whose store is a directory in `scratch`, with its rate limits out of the way, as those of
// the others are. `flags` go to `server start-dev`.
func OfStele(binary string, port int, scratch string, flags ...string) *Server {
	command := []string{binary, "server", "start-dev", "--headless", "--port", strconv.Itoa(port),
		"--http-port", "0", "--db-filename", filepath.Join(scratch, "store")}
	for _, limit := range steleLimits {
		command = append(command, "--dynamic-config-value", limit+"="+noLimit)
	}
	return &Server{Name: Stele, Port: port, Log: filepath.Join(scratch, "stele.log"),
		Command: append(command, flags...)}
}

// OfTemporal is a Temporal on a SQLite file in `scratch`; it takes three ports.
func OfTemporal(binary string, port int, scratch, synchronous string) *Server {
	return &Server{Name: Temporal, Port: port, Log: filepath.Join(scratch, "temporal.log"),
		Command: []string{binary, "-port", strconv.Itoa(port),
			"-file", filepath.Join(scratch, "temporal.db"), "-synchronous", synchronous}}
}

// OfTemporalInMemory is a Temporal that keeps nothing; it takes three ports.
func OfTemporalInMemory(binary string, port int, scratch string) *Server {
	return &Server{Name: TemporalMemory, Port: port, Log: filepath.Join(scratch, "temporal-memory.log"),
		Command: []string{binary, "-port", strconv.Itoa(port), "-file", ""}}
}

// OfTemporalOnPostgres is a Temporal on a PostgreSQL of its own, which is its child; `programs` is the directory
// of PostgreSQL's programs. It takes five ports.
func OfTemporalOnPostgres(binary string, port int, scratch, programs string) (*Server, error) {
	// PostgreSQL may run as another user, who must get to its data.
	if err := os.Chmod(scratch, 0o711); err != nil {
		return nil, err
	}
	return &Server{Name: TemporalPostgres, Port: port, Log: filepath.Join(scratch, "temporal-postgres.log"),
		Command: []string{binary, "-port", strconv.Itoa(port), "-file", filepath.Join(scratch, "postgres"),
			"-postgres", programs}}, nil
}

// OfEmpty is a server of gRPC's own library that has no engine.
func OfEmpty(binary string, port int, scratch string) *Server {
	return &Server{Name: Empty, Port: port, Log: filepath.Join(scratch, "empty.log"), Bare: true,
		Command: []string{binary, "--port", strconv.Itoa(port)}}
}

func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// MeasureAll runs servers one after the other, each for as long as `measure` takes, and collects what that
// has found. An error names its server and has the end of what that has said.
func MeasureAll[Result any](all []*Server, measure func(*Server) ([]Result, error)) ([]Result, error) {
	found := []Result{}
	for _, server := range all {
		results, err := measureOne(server, measure)
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", server.Name, err, server.LastOutput())
		}
		found = append(found, results...)
	}
	return found, nil
}

func measureOne[Result any](server *Server, measure func(*Server) ([]Result, error)) ([]Result, error) {
	if err := server.Start(); err != nil {
		return nil, err
	}
	defer server.Stop()
	return measure(server)
}

// Start returns once the server has taken a workflow.
func (s *Server) Start() error {
	output, err := os.Create(s.Log)
	if err != nil {
		return err
	}
	defer output.Close()
	s.process = exec.Command(s.Command[0], s.Command[1:]...)
	s.process.Stdout, s.process.Stderr = output, output
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.process.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() { s.process.Wait(); close(s.ended) }()
	if err := s.waitUntilReady(); err != nil {
		s.Stop()
		return err
	}
	return nil
}

func (s *Server) waitUntilReady() error {
	conn, err := grpc.NewClient(s.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	service := workflowservice.NewWorkflowServiceClient(conn)
	for end := time.Now().Add(startupLimit); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		select {
		case <-s.ended:
			return fmt.Errorf("ended at its start: %v", s.process.ProcessState)
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if s.Bare {
			err = connect(ctx, s.Address())
		} else {
			err = startOne(ctx, service)
		}
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("not ready: %w", err)
}

func connect(ctx context.Context, address string) error {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err == nil {
		connection.Close()
	}
	return err
}

func startOne(ctx context.Context, service workflowservice.WorkflowServiceClient) error {
	_, err := service.DescribeNamespace(ctx,
		&workflowservice.DescribeNamespaceRequest{Namespace: Namespace})
	if err != nil {
		_, err = service.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace: Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour)})
		if err != nil {
			return err
		}
	}
	_, err = service.StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{
		Namespace: Namespace, WorkflowId: "readiness", RequestId: "readiness",
		WorkflowType:       &commonpb.WorkflowType{Name: "readiness"},
		TaskQueue:          &taskqueuepb.TaskQueue{Name: "readiness"},
		WorkflowRunTimeout: durationpb.New(time.Second)})
	return err
}

// Stop ends the process, at once if it does not end by itself.
func (s *Server) Stop() {
	s.process.Process.Signal(syscall.SIGTERM)
	killer := time.AfterFunc(15*time.Second, func() { s.process.Process.Kill() })
	<-s.ended
	killer.Stop()
}

// Kill ends the process as a power failure would end it.
func (s *Server) Kill() {
	s.process.Process.Kill()
	<-s.ended
}

// Usage tells what the server's process takes.
func (s *Server) Usage() Process { return Process(s.process.Process.Pid) }

func (s *Server) ProcessorTime() (time.Duration, error) { return s.Usage().ProcessorTime() }
func (s *Server) ResidentBytes() (int64, error)         { return s.Usage().ResidentBytes() }

// Process is the id of a process that is measured.
type Process int

// ProcessorTime is what the process has used so far, in user and system mode.
func (p Process) ProcessorTime() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	if err != nil {
		return 0, err
	}
	return parseProcessorTime(string(text))
}

// parseProcessorTime reads a line of /proc/PID/stat. The program's name, in parentheses, may hold
// anything; the fields after it are counted from its end.
func parseProcessorTime(line string) (time.Duration, error) {
	fields := strings.Fields(line[strings.LastIndex(line, ")")+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("unexpected form: %q", line)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticksPerSecond, err
}

// ResidentBytes is the memory of the process now.
func (p Process) ResidentBytes() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("unexpected form: %q", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// LastOutput is the end of what the server printed.
func (s *Server) LastOutput() string {
	text, _ := os.ReadFile(s.Log)
	return string(text[max(0, len(text)-2000):])
}
