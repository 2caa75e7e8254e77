#pragma once

#include "server/node.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

// A server process: an environment, a store, a node and gRPC in front of it, from options to a
// clean end.
namespace stele::server {

struct ServerOptions {
    std::string ip = "127.0.0.1";
    int port = 7233;                       // 0: the system chooses one
    std::optional<std::string> directory;  // of the store; none: in memory, gone with the process
    int threads = 1;  // that the connections and the shards of the node are spread over
    NodeOptions node;
    /// Of dynamic configuration: a YAML file, and settings as KEY=JSON, which go before the file.
    std::optional<std::string> dynamic_config_file;
    std::vector<std::string> dynamic_config_values;
    /// Where tests may change dynamic configuration (see overrides.h); none: nowhere. 0: the system
    /// chooses.
    std::optional<int> test_overrides_port;
    /// How long calls under way may take once the server stops.
    Duration shutdown_grace = std::chrono::seconds(5);
};

/// Thread safe. The destructor stops the server if `stop` has not.
class Server {
public:
    /// Serves when it returns. Errors say what could not be had: the directory, the store in it,
    /// the address, or what in the configuration is wrong.
    static absl::StatusOr<std::unique_ptr<Server>> start(const ServerOptions& options);
    virtual ~Server() = default;

    virtual int port() const = 0;
    /// The port of the endpoint for overrides; 0 without one.
    virtual int test_overrides_port() const = 0;
    virtual const Node& node() const = 0;
    /// Health says NOT_SERVING, waiting polls are answered, replies under way leave, then the
    /// store is closed. Idempotent.
    virtual void stop() = 0;
};

/// Makes the visibility index of the store in this directory anew. No server may have it open.
absl::Status rebuild_index(const std::string& directory);

/// Blocks SIGINT and SIGTERM in the calling thread and those that it starts. Call before `start`,
/// so that no other thread takes the signal.
void hold_back_stop_signals();
/// Waits until the process is asked to end and returns the signal's name.
std::string wait_for_stop_signal();

}  // namespace stele::server
