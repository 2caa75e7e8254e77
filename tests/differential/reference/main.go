// Command reference runs a real Temporal server as a process of its own, for Stele to be compared
// with. It keeps its data in a SQLite file that it removes at the end.
package main

import (
	"flag"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
)

// The services that the compared calls need. The worker service, which runs the server's own
// workflows, would only take processor time from them.
var services = []primitives.ServiceName{
	primitives.FrontendService, primitives.HistoryService, primitives.MatchingService,
}

// settings makes what would be slow or spread out quick and deterministic; none changes an answer.
var settings = map[string]any{
	"matching.numTaskqueueReadPartitions":  1,
	"matching.numTaskqueueWritePartitions": 1,
	"system.namespaceCacheRefreshInterval": "1s",
}

func main() {
	port := flag.Int("port", 7233, "first of three ports; the first is the frontend's")
	flag.Parse()
	if err := serve(*port); err != nil {
		log.Fatal(err)
	}
}

func serve(port int) error {
	directory, err := os.MkdirTemp("", "reference")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	configuration, err := configure(port, filepath.Join(directory, "temporal.db"))
	if err != nil {
		return err
	}
	hosts := map[primitives.ServiceName]static.Hosts{}
	names := []string{}
	for i, name := range services {
		hosts[name] = static.Hosts{All: []string{address(port + i)}, Self: address(port + i)}
		names = append(names, string(name))
	}
	// The server wants to know where each of its services is, even one that does not run.
	hosts[primitives.WorkerService] = static.Hosts{All: []string{address(port)}, Self: address(port)}
	dynamic := dynamicconfig.NewMemoryClient()
	for key, value := range settings {
		dynamic.OverrideValue(dynamicconfig.MakeKey(key), value)
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(configuration),
		temporal.ForServices(names),
		temporal.WithStaticHosts(hosts),
		temporal.WithDynamicConfigClient(dynamic),
		temporal.WithLogger(serverlog.NewZapLogger(
			serverlog.BuildZapLogger(serverlog.Config{Stdout: true, Level: "fatal"}))),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.InterruptOn(temporal.InterruptCh()),
	)
	if err != nil {
		return err
	}
	return server.Start()
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func configure(port int, file string) (*config.Config, error) {
	store := &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: file,
		ConnectAttributes: map[string]string{
			"mode": "rwc", "cache": "shared", "journal_mode": "wal", "synchronous": "off",
			"busy_timeout": "30000",
		},
	}
	if err := sqlite.SetupSchema(store); err != nil {
		return nil, err
	}
	endpoints := map[string]config.Service{}
	for i, name := range services {
		endpoints[string(name)] = config.Service{
			RPC: config.RPC{GRPCPort: port + i, BindOnIP: "127.0.0.1"},
		}
	}
	return &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     "sqlite",
			VisibilityStore:  "sqlite",
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{"sqlite": {SQL: store}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        "active",
			CurrentClusterName:       "active",
			ClusterInformation: map[string]cluster.ClusterInformation{
				"active": {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(port)},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: address(port)},
		Services:            endpoints,
	}, nil
}
