package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"go.temporal.io/server/common/config"
	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema"
	v12 "go.temporal.io/server/schema/postgresql/v12"
)

const (
	postgresUser  = "temporal"
	startupLimit  = 30 * time.Second
	shutdownLimit = 30 * time.Second
)

// postgres is a PostgreSQL that belongs to this process: made in an empty directory and with the
// settings that PostgreSQL has by itself, so that a commit is answered once it is on disk.
type postgres struct {
	binaries, directory string
	port                int
	process             *exec.Cmd
	credential          *syscall.Credential
}

// startPostgres returns once it takes connections. It is a child of this process, as its own processes
// are, so what they use can be counted together.
func startPostgres(binaries, directory string, port int) (*postgres, error) {
	p := &postgres{binaries: binaries, directory: directory, port: port}
	if err := p.prepare(); err != nil {
		return nil, fmt.Errorf("postgres in %s: %w", directory, err)
	}
	p.process = p.command("postgres", "-D", p.directory, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", p.directory)
	p.process.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	if err := p.process.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(startupLimit); ; time.Sleep(100 * time.Millisecond) {
		err := p.command("pg_isready", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(port)).Run()
		if err == nil {
			return p, nil
		}
		if time.Now().After(end) {
			p.stop()
			return nil, fmt.Errorf("postgres takes no connections: %w", err)
		}
	}
}

// prepare makes the cluster of databases, as another user where this one is root, whom PostgreSQL refuses;
// the directories above must let that user through.
func (p *postgres) prepare() error {
	if err := os.MkdirAll(p.directory, 0o700); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		id, err := idOf("postgres")
		if err != nil {
			return err
		}
		p.credential = id
		if err := os.Chown(p.directory, int(id.Uid), int(id.Gid)); err != nil {
			return err
		}
	}
	output, err := p.command("initdb", "-D", p.directory, "-U", postgresUser, "-A", "trust", "--no-sync",
		"--locale=C", "--encoding=UTF8").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, output)
	}
	return nil
}

func idOf(name string) (*syscall.Credential, error) {
	known, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(known.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(known.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func (p *postgres) command(name string, arguments ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(p.binaries, name), arguments...)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential}
	command.Dir = p.directory
	return command
}

// stop ends it as its administrators do, without waiting for its clients.
func (p *postgres) stop() {
	p.process.Process.Signal(syscall.SIGINT)
	killer := time.AfterFunc(shutdownLimit, func() { p.process.Process.Kill() })
	defer killer.Stop()
	p.process.Wait()
}

// store sets a database up with the schema in this directory of the server's module.
func (p *postgres) store(database, directory, version string) (*config.SQL, error) {
	settings := func(name string) *config.SQL {
		return &config.SQL{
			PluginName: postgresql.PluginName, DatabaseName: name, User: postgresUser, ConnectProtocol: "tcp",
			ConnectAddr: address(p.port), MaxConns: 20, MaxIdleConns: 20, MaxConnLifetime: time.Hour,
		}
	}
	if err := administer(settings("postgres"), func(db sqlplugin.AdminDB) error {
		return db.CreateDatabase(database)
	}); err != nil {
		return nil, err
	}
	store := settings(database)
	return store, administer(store, func(db sqlplugin.AdminDB) error {
		statements, err := fs.ReadFile(schema.Assets(), directory+"/schema.sql")
		if err != nil {
			return err
		}
		if err := db.Exec(string(statements)); err != nil {
			return err
		}
		if err := db.CreateSchemaVersionTables(); err != nil {
			return err
		}
		return db.UpdateSchemaVersion(database, version, version)
	})
}

func administer(settings *config.SQL, work func(sqlplugin.AdminDB) error) error {
	db, err := sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, settings, resolver.NewNoopResolver(),
		serverlog.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err == nil {
		err = work(db)
		db.Close()
	}
	if err != nil {
		return fmt.Errorf("database %s: %w", settings.DatabaseName, err)
	}
	return nil
}

// stores are those of the server itself and of its visibility.
func (p *postgres) stores() (own, visibility *config.SQL, err error) {
	own, err = p.store("temporal", "postgresql/v12/temporal", v12.Version)
	if err != nil {
		return nil, nil, err
	}
	visibility, err = p.store("temporal_visibility", "postgresql/v12/visibility", v12.VisibilityVersion)
	return own, visibility, err
}
