// Package clients has what programs need that load a server and measure themselves.
package clients

import (
	"syscall"
	"time"

	"go.temporal.io/sdk/client"

	"stele/bench/compare/servers"
)

// Dial connects with a server that is measured.
func Dial(address string) (client.Client, error) {
	return client.Dial(client.Options{HostPort: address, Namespace: servers.Namespace, Logger: Silent{}})
}

// OwnProcessorTime is what this process has used so far, in user and system mode.
func OwnProcessorTime() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Silent is the SDK's logger for those who measure: writing takes time.
type Silent struct{}

func (Silent) Debug(string, ...any) {}
func (Silent) Info(string, ...any)  {}
func (Silent) Warn(string, ...any)  {}
func (Silent) Error(string, ...any) {}
