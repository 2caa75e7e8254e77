// Command reference runs a real Temporal server as a process of its own, for Stele to be compared
// with: its answers, and its speed. It keeps its data in a SQLite file, in memory, or in a PostgreSQL that
// it starts.
package main

import (
	"flag"
	"log"
	"net"
	"os"
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

// The services that the compared calls need. The worker service is left out unless it is asked for: it
// runs the server's own workflows, which would only take time from the compared ones.
var services = []primitives.ServiceName{
	primitives.FrontendService, primitives.HistoryService, primitives.MatchingService,
}

const noLimit = 1_000_000

// settings puts what holds the server back on purpose, its rate limits, out of the way, and lets a
// new namespace be seen soon. None of it changes an answer.
var settings = map[string]any{
	"frontend.rps":                              noLimit,
	"frontend.namespaceRPS":                     noLimit,
	"frontend.namespaceCount":                   noLimit,
	"frontend.namespaceRPS.visibility":          noLimit,
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
	// A closed run is deleted once the queues' progress is on disk, every half minute or so.
	"history.transferProcessorUpdateAckInterval":   "1s",
	"history.visibilityProcessorUpdateAckInterval": "1s",
}

type options struct {
	port, http             int
	file, synchronous, log string
	postgres               string
	partitions             int
	worker                 bool
}

func main() {
	var o options
	flag.IntVar(&o.port, "port", 7233, "first of three ports, or of four with -worker; the first is the frontend's")
	flag.IntVar(&o.http, "http", 0, "port for HTTP, without which Nexus operations go nowhere; 0: none")
	flag.StringVar(&o.file, "file", "temporal.db", "the database; without a name it is in memory")
	flag.StringVar(&o.synchronous, "synchronous", "full", "when SQLite waits for the disk: full, normal or off")
	flag.StringVar(&o.postgres, "postgres", "", "directory of PostgreSQL's programs: one is started on the port "+
		"behind the others, with its data in the directory -file, which must be empty")
	flag.IntVar(&o.partitions, "partitions", 0, "of every task queue; 0: as many as the server likes")
	flag.BoolVar(&o.worker, "worker", false, "run the worker service too, without which schedules stand still")
	flag.StringVar(&o.log, "log", "error", "least level of what is logged")
	flag.Parse()
	if o.worker {
		services = append(services, primitives.WorkerService)
	}
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func run(o options) error {
	if o.postgres == "" {
		stores, err := sqliteStores(o)
		if err != nil {
			return err
		}
		return serve(o, stores)
	}
	database, err := startPostgres(o.postgres, o.file, o.port+len(services)+1)
	if err != nil {
		return err
	}
	defer database.stop()
	own, visibility, err := database.stores()
	if err != nil {
		return err
	}
	return serve(o, map[string]config.DataStore{"own": {SQL: own}, "visibility": {SQL: visibility}})
}

func serve(o options, stores map[string]config.DataStore) error {
	configuration := configure(o, stores)
	hosts := map[primitives.ServiceName]static.Hosts{}
	names := []string{}
	for index, name := range services {
		hosts[name] = static.Hosts{All: []string{address(o.port + index)}, Self: address(o.port + index)}
		names = append(names, string(name))
	}
	// Every service has to have a place, also one that does not run.
	if !o.worker {
		absent := address(o.port + len(services))
		hosts[primitives.WorkerService] = static.Hosts{All: []string{absent}, Self: absent}
	}
	dynamic := dynamicconfig.NewMemoryClient()
	for key, value := range settings {
		dynamic.OverrideValue(dynamicconfig.MakeKey(key), value)
	}
	if o.http != 0 {
		dynamic.OverrideValue(dynamicconfig.MakeKey("component.nexusoperations.callback.endpoint.template"),
			"http://"+address(o.http)+"/namespaces/{{.NamespaceName}}/nexus/callback")
	}
	if o.partitions > 0 {
		dynamic.OverrideValue(dynamicconfig.MakeKey("matching.numTaskqueueReadPartitions"), o.partitions)
		dynamic.OverrideValue(dynamicconfig.MakeKey("matching.numTaskqueueWritePartitions"), o.partitions)
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(configuration),
		temporal.ForServices(names),
		temporal.WithStaticHosts(hosts),
		temporal.WithDynamicConfigClient(dynamic),
		temporal.WithLogger(serverlog.NewZapLogger(
			serverlog.BuildZapLogger(serverlog.Config{Stdout: true, Level: o.log}))),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.InterruptOn(temporal.InterruptCh()),
	)
	if err != nil {
		return err
	}
	return server.Start()
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func sqliteStores(o options) (map[string]config.DataStore, error) {
	store := &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: o.file,
		ConnectAttributes: map[string]string{
			"mode": "rwc", "cache": "shared", "journal_mode": "wal", "synchronous": o.synchronous,
			"busy_timeout": "30000",
		},
	}
	if o.file == "" {
		// The plugin sets the schema up by itself, and keeps the database as long as the process lives.
		store.DatabaseName = "reference"
		store.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
	} else if known, err := os.Stat(o.file); err != nil || known.Size() == 0 {
		// A file that has something in it is from a run before.
		if err := sqlite.SetupSchema(store); err != nil {
			return nil, err
		}
	}
	return map[string]config.DataStore{"own": {SQL: store}, "visibility": {SQL: store}}, nil
}

func configure(o options, stores map[string]config.DataStore) *config.Config {
	endpoints := map[string]config.Service{}
	for index, name := range services {
		endpoints[string(name)] = config.Service{
			RPC: config.RPC{GRPCPort: o.port + index, BindOnIP: "127.0.0.1"},
		}
	}
	frontend := endpoints[string(primitives.FrontendService)]
	frontend.RPC.HTTPPort = o.http
	endpoints[string(primitives.FrontendService)] = frontend
	information := cluster.ClusterInformation{Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(o.port)}
	if o.http != 0 {
		information.HTTPAddress = address(o.http)
	}
	return &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     "own",
			VisibilityStore:  "visibility",
			NumHistoryShards: 1,
			DataStores:       stores,
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        "active",
			CurrentClusterName:       "active",
			ClusterInformation:       map[string]cluster.ClusterInformation{"active": information},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: address(o.port)},
		Services:            endpoints,
	}
}
