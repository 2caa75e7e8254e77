#include "link.h"
#include "load.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

// Prints one line of JSON a run, for scripts and for people.
int main(int argc, char** argv) {
    stele::bench::LoadOptions options;
    std::string address = "127.0.0.1:7233";
    std::string directory;
    int threads = 1;
    int connections = 2;
    CLI::App app("Runs workflows against a server as bare calls, and tells what they took");
    double warm_up = 1;
    double measure = 5;
    app.add_option("--address", address, "host:port of the server")->capture_default_str();
    app.add_option("--embedded", directory,
                   "In place of a server: an engine in this process, which writes into this "
                   "directory. All processor time is then the client's");
    app.add_option("--threads", threads, "Of the embedded engine")->capture_default_str();
    app.add_option("--namespace", options.name_space)->capture_default_str();
    app.add_option("--in-flight", options.in_flight, "Workflows at a time")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    app.add_option("--activities", options.activities, "Of each workflow, one after the other")
        ->check(CLI::Range(0, 1'000))
        ->capture_default_str();
    app.add_flag("--eager", options.eager,
                 "Asks for tasks with the calls that make them, as a starter with a worker in its "
                 "process does");
    app.add_option("--connections", connections)
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    app.add_option("--warm-up", warm_up, "Seconds that are not measured")->capture_default_str();
    app.add_option("--measure", measure, "Seconds that are")->capture_default_str();
    app.add_option("--server-process", options.server_process,
                   "Process id of the server, whose processor time is then told, with that of its "
                   "children");
    CLI11_PARSE(app, argc, argv);
    options.warm_up = std::chrono::milliseconds(static_cast<std::int64_t>(warm_up * 1000));
    options.measure = std::chrono::milliseconds(static_cast<std::int64_t>(measure * 1000));

    stele::bench::LoadResult result;
    try {
        const std::unique_ptr<stele::bench::Link> link =
            directory.empty() ? stele::bench::connect(address, connections)
                              : stele::bench::embed(directory, options.name_space, threads);
        result = stele::bench::run_load(*link, options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return EXIT_FAILURE;
    }
    const double workflows = std::max(1.0, static_cast<double>(result.workflows));
    fmt::print(
        "{{\"in_flight\": {}, \"activities\": {}, \"workflows\": {}, \"per_second\": {:.1f}, "
        "\"start_p50_ms\": {:.3f}, \"start_p99_ms\": {:.3f}, \"p50_ms\": {:.3f}, \"p99_ms\": "
        "{:.3f}, "
        "\"server_ms_each\": {:.4f}, \"client_ms_each\": {:.4f}, \"failures\": {}}}\n",
        options.in_flight, options.activities, result.workflows,
        static_cast<double>(result.workflows) / result.seconds, result.start.percentile(0.5),
        result.start.percentile(0.99), result.workflow.percentile(0.5),
        result.workflow.percentile(0.99), result.server_seconds * 1000 / workflows,
        result.client_seconds * 1000 / workflows, result.failures);
    if (result.failures > 0) fmt::print(stderr, "first failure: {}\n", result.first_failure);
    return result.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
