#pragma once

#include "batch/settings.h"
#include "history/context.h"

#include <cstdint>

// What a namespace's configuration says about calls, as far as it does not concern runs. Unless said
// otherwise the defaults are those of the Temporal server; keys stand beside the fields.
namespace stele::frontend {

struct CallSettings {
    // How many calls a second a namespace may make on average, and for how many seconds it may save
    // up what it has not used. 0: no limit, which suits a server that nobody shares; Temporal's
    // are 2,400 and, for lists and counts, 10.
    std::int32_t calls_per_second = 0;             // frontend.namespacerps
    double calls_burst = 2;                        // frontend.namespaceburstratio
    std::int32_t visibility_calls_per_second = 0;  // frontend.namespacerps.visibility
    double visibility_calls_burst = 1;             // frontend.namespaceburstratio.visibility
    /// Calls of one method that may wait at a time.
    std::int32_t waiting_calls = 1'200;  // frontend.namespacecount

    bool worker_heartbeats = true;  // frontend.workerheartbeatsenabled
    /// Whether workers are told that they may listen for commands.
    bool worker_commands = false;  // frontend.workercommandsenabled
    /// Temporal leaves it off. A task that is given to a worker that is stopping is lost until it
    /// times out; a query has nobody who would try again.
    bool cancel_polls_on_shutdown = true;  // frontend.enablecancelworkerpollsonshutdown
};

/// The first form of worker versioning, with sets of build ids.
struct VersioningSettings {
    /// Whether its calls are answered at all.
    bool sets_allowed = false;             // frontend.workerversioningdataapis
    std::size_t build_id_bytes = 255;      // limit.workerbuildidsize
    std::size_t sets_per_queue = 10;       // limit.versioncompatiblesetlimitperqueue
    std::size_t builds_per_queue = 100;    // limit.versionbuildidlimitperqueue
    std::size_t queues_per_build = 20;     // limit.taskqueuesperbuildid
    std::size_t reachability_builds = 5;   // limit.reachabilityquerybuildids
    std::size_t reachability_queues = 20;  // limit.reachabilitytaskqueuescan
    /// For how long a set that is no longer the default is still taken to get new workflows.
    Duration reachable_after_default =
        std::chrono::minutes(5);  // frontend.reachabilityquerysetdurationsincedefault
};

/// All that a namespace's configuration says.
struct NamespaceSettings {
    history::Limits limits;
    CallSettings calls;
    VersioningSettings versioning;
    batch::Settings batches;
};

}  // namespace stele::frontend
