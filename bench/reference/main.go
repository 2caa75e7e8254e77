// Command reference runs a real Temporal server on a SQLite file, for its speed to be measured.
// What could hold it back on purpose, its rate limits, is out of the way.
package main

import (
	"flag"
	"log"
	"net"
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

// The worker service is left out: it runs the server's own workflows, which would only cost time
// that is not the compared workflows'.
var services = []primitives.ServiceName{
	primitives.FrontendService, primitives.HistoryService, primitives.MatchingService,
}

const noLimit = 1_000_000

var settings = map[string]any{
	"frontend.rps":                              noLimit,
	"frontend.namespaceRPS":                     noLimit,
	"frontend.namespaceCount":                   noLimit,
	"frontend.persistenceMaxQPS":                noLimit,
	"history.rps":                               noLimit,
	"history.persistenceMaxQPS":                 noLimit,
	"matching.rps":                              noLimit,
	"matching.persistenceMaxQPS":                noLimit,
	"system.visibilityPersistenceMaxReadQPS":    noLimit,
	"system.visibilityPersistenceMaxWriteQPS":   noLimit,
	"history.transferProcessorMaxPollRPS":       noLimit,
	"history.timerProcessorMaxPollRPS":          noLimit,
	"history.visibilityProcessorMaxPollRPS":     noLimit,
	"history.transferProcessorMaxPollHostRPS":   noLimit,
	"history.timerProcessorMaxPollHostRPS":      noLimit,
	"history.visibilityProcessorMaxPollHostRPS": noLimit,
	"system.namespaceCacheRefreshInterval":      "1s",
}

func main() {
	port := flag.Int("port", 7233, "first of three ports; the first is the frontend's")
	file := flag.String("file", "temporal.db", "the database")
	synchronous := flag.String("synchronous", "full", "when SQLite waits for the disk: full, normal or off")
	flag.Parse()
	if err := serve(*port, *file, *synchronous); err != nil {
		log.Fatal(err)
	}
}

func serve(port int, file, synchronous string) error {
	configuration, err := configure(port, file, synchronous)
	if err != nil {
		return err
	}
	hosts := map[primitives.ServiceName]static.Hosts{}
	names := []string{}
	for index, name := range services {
		hosts[name] = static.Hosts{All: []string{address(port + index)}, Self: address(port + index)}
		names = append(names, string(name))
	}
	// Every service has to have a place, also one that does not run.
	absent := address(port + len(services))
	hosts[primitives.WorkerService] = static.Hosts{All: []string{absent}, Self: absent}
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
			serverlog.BuildZapLogger(serverlog.Config{Stdout: true, Level: "error"}))),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.InterruptOn(temporal.InterruptCh()),
	)
	if err != nil {
		return err
	}
	return server.Start()
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func configure(port int, file, synchronous string) (*config.Config, error) {
	store := &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: file,
		ConnectAttributes: map[string]string{
			"mode": "rwc", "cache": "shared", "journal_mode": "wal", "synchronous": synchronous,
			"busy_timeout": "30000",
		},
	}
	if err := sqlite.SetupSchema(store); err != nil {
		return nil, err
	}
	endpoints := map[string]config.Service{}
	for index, name := range services {
		endpoints[string(name)] = config.Service{
			RPC: config.RPC{GRPCPort: port + index, BindOnIP: "127.0.0.1"},
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
