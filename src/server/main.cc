#include "base/out_of_memory.h"
#include "cli/cli.h"
#include "server/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#ifdef STELE_TCMALLOC
#include <gperftools/tcmalloc.h>
#endif

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

// The program `stele`: the command line, and the server behind `stele server start-dev`.
namespace stele::server {
namespace {

void set_up_log(const cli::DevServerOptions& options) {
    constexpr char kJson[] =
        R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","thread":%t,"message":"%v"})";
    auto log = spdlog::stderr_logger_mt("stele");
    if (options.log_format == cli::LogFormat::kJson) {
        log->set_pattern(kJson, spdlog::pattern_time_type::utc);
    }
    switch (options.log_level) {
        case cli::LogLevel::kDebug: log->set_level(spdlog::level::debug); break;
        case cli::LogLevel::kInfo: log->set_level(spdlog::level::info); break;
        case cli::LogLevel::kWarn: log->set_level(spdlog::level::warn); break;
        case cli::LogLevel::kError: log->set_level(spdlog::level::err); break;
        case cli::LogLevel::kNever: log->set_level(spdlog::level::off); break;
    }
    spdlog::set_default_logger(std::move(log));
}

/// Whether only this machine reaches the address.
bool is_loopback(const std::string& ip) {
    if (ip == "localhost") return true;
    in_addr four{};
    if (inet_pton(AF_INET, ip.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    in6_addr six{};
    return inet_pton(AF_INET6, ip.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool is_address(const std::string& ip) {
    in6_addr any{};
    return ip == "localhost" || inet_pton(AF_INET, ip.c_str(), &any) == 1 ||
           inet_pton(AF_INET6, ip.c_str(), &any) == 1;
}

int fail(const std::string& message) {
    fmt::print(stderr, "Error: {}\n", message);
    return EXIT_FAILURE;
}

/// NAME=TYPE of --search-attribute.
absl::StatusOr<std::pair<std::string, history::AttributeType>> read_attribute(
    const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == std::string::npos || name.empty()) {
        return invalid_argument(fmt::format("--search-attribute {}: NAME=TYPE is wanted", text));
    }
    if (history::is_reserved_attribute(name)) {
        return invalid_argument(
            fmt::format("--search-attribute {}: the name is reserved by the system", text));
    }
    for (int type = 1; type <= temporal::api::enums::v1::IndexedValueType_MAX; ++type) {
        const auto candidate = static_cast<history::AttributeType>(type);
        if (history::type_name(candidate) == text.substr(equals + 1)) {
            return std::pair(name, candidate);
        }
    }
    return invalid_argument(fmt::format(
        "--search-attribute {}: the type is one of Text, Keyword, Int, Double, Bool, Datetime and "
        "KeywordList",
        text));
}

ServerOptions server_options(const cli::DevServerOptions& dev) {
    ServerOptions options;
    const bool is_version_six = dev.ip.find(':') != std::string::npos;
    options.ip = is_version_six ? fmt::format("[{}]", dev.ip) : dev.ip;
    options.port = dev.port;
    options.directory = dev.directory;
    options.threads = dev.threads;
    options.node.engine.shard_count = dev.shards.value_or(dev.threads);
    options.node.engine.cache_bytes = dev.run_cache_mebibytes << 20U;
    options.node.namespaces = dev.namespaces;
    options.dynamic_config_file = dev.dynamic_config_file;
    options.dynamic_config_values = dev.dynamic_config_values;
    options.test_overrides_port = dev.test_overrides_port;
    return options;
}

void print_served(const cli::DevServerOptions& dev, const ServerOptions& options,
                  const Server& server) {
    std::string namespaces = frontend::kDefaultNamespace;
    for (const std::string& name : dev.namespaces) {
        if (name != frontend::kDefaultNamespace) namespaces += ", " + name;
    }
    fmt::print("Stele server\n\n");
    fmt::print("{:<12}{}:{}\n", "gRPC:", options.ip, server.port());
    if (server.test_overrides_port() != 0) {
        fmt::print("{:<12}http://127.0.0.1:{}/overrides (for tests)\n",
                   "Overrides:", server.test_overrides_port());
    }
    fmt::print("{:<12}{}\n", "Namespaces:", namespaces);
    fmt::print("{:<12}{}\n", "Store:",
               dev.directory ? *dev.directory
                             : "in memory only, gone when this process ends "
                               "(--db-filename DIRECTORY keeps it)");
}

/// What was asked for, or would be there by default, and is not.
void print_notices(const cli::DevServerOptions& dev) {
    std::string unserved = "the HTTP API";
    if (!dev.headless) unserved += " and the web UI";
    fmt::print("\nNotice: {} are not built yet, so nothing listens for them.\n", unserved);
    if (dev.metrics_port != 0) {
        fmt::print("Notice: metrics are not built yet; nothing listens on port {}.\n",
                   dev.metrics_port);
    }
}

/// For libraries in C as well: the allocator of this program calls the handler of operator new also for malloc
/// when it is asked to.
void end_when_out_of_memory() {
    end_process_when_out_of_memory();
#ifdef STELE_TCMALLOC
    tc_set_new_mode(1);
#endif
}

int start_dev(const cli::DevServerOptions& dev) {
    if (!is_address(dev.ip)) return fail(fmt::format("--ip {} is not an IP address", dev.ip));
    if (!is_loopback(dev.ip) && !dev.allow_insecure_network) {
        return fail(fmt::format(
            "--ip {} can be reached from other machines, and this server has neither "
            "authentication nor TLS. If that is what you want, add --allow-insecure-network",
            dev.ip));
    }
    set_up_log(dev);
    hold_back_stop_signals();
    ServerOptions options = server_options(dev);
    for (const std::string& text : dev.search_attributes) {
        auto attribute = read_attribute(text);
        if (!attribute.ok()) return fail(message_of(attribute.status()));
        options.node.search_attributes.push_back(*std::move(attribute));
    }
    auto server = Server::start(options);
    if (!server.ok()) return fail(message_of(server.status()));

    print_served(dev, options, **server);
    print_notices(dev);
    fmt::print("\nStop with Ctrl-C.\n");
    std::fflush(stdout);
    const std::string signal = wait_for_stop_signal();
    spdlog::info("{}: stopping", signal);
    (*server)->stop();
    return EXIT_SUCCESS;
}

int rebuild_visibility(const std::string& directory) {
    const absl::Status status = rebuild_index(directory);
    if (!status.ok()) return fail(message_of(status));
    fmt::print("The visibility index of {} has been made anew.\n", directory);
    return EXIT_SUCCESS;
}

}  // namespace
}  // namespace stele::server

int main(int argc, char** argv) {
    stele::server::end_when_out_of_memory();
    // Errors are told in our own words; gRPC's would stand in between. A set variable is respected.
    setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
    return stele::cli::run(argc, argv,
                           {stele::server::start_dev, stele::server::rebuild_visibility});
}
