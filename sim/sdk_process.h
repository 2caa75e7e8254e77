#pragma once

#include "stele/runtime.h"
#include "stele/transport.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace stele::sdk {
class WorkerCore;
}

namespace stele::sim {

/// A worker of the SDK with what it is told about itself. Apart from the rest, because the engine and the
/// SDK have types of the same names.
class SdkProcess {
public:
    struct Settings {
        std::string namespace_name;
        std::string identity;
        std::string task_queue;
        int cached_runs = 0;
        int activity_slots = 1;
        int task_slots = 2;
        bool eager_activities = true;
        /// Otherwise activities get a second to end when it stops.
        bool stops_at_once = true;
        /// All of them take a number and give a text.
        std::map<std::string, std::function<std::string(int)>> activities;
    };

    SdkProcess(std::shared_ptr<Runtime> runtime, std::shared_ptr<Transport> transport,
               const Settings& settings);
    ~SdkProcess();

    void start();
    /// Calls back once all is quiet.
    void stop(std::function<void()> stopped);
    /// After the death of the process: true when nothing holds the worker any more. Destroy it then.
    bool abandon();

private:
    std::shared_ptr<sdk::WorkerCore> worker_;
};

}  // namespace stele::sim
