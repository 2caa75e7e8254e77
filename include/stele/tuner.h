#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "stele/options.h"
#include "stele/runtime.h"

// How many tasks a worker takes on at a time. A slot stands for one task; a supplier decides whether
// there is another one. WorkerOptions::tuner takes a supplier for each kind of task:
//
//     stele::Worker worker(client, "queue", {.tuner = stele::make_resource_tuner({.memory = 0.8})});
namespace stele {

/// Decides about the slots of one kind of task. Used from any thread, several at a time; must not
/// block and must not throw.
class SlotSupplier {
public:
    virtual ~SlotSupplier() = default;

    /// Whether there is a slot beyond the `taken` ones, which work on a task or wait for one.
    virtual bool allows(int taken, Runtime::Time now) = 0;
    /// A slot that was allowed has been taken.
    virtual void on_taken(Runtime::Time) {}
    /// How many slots there are at most, where that is fixed.
    virtual std::optional<int> limit() const { return std::nullopt; }
    /// After a refusal it is asked again when a slot has been given back, and after this time, unless
    /// it is zero.
    virtual Milliseconds ask_again_after() const { return Milliseconds(0); }
    /// What lists of workers show.
    virtual std::string kind() const { return "Custom"; }
};

/// Always the same number. Throws ConfigurationError for less than one.
std::shared_ptr<SlotSupplier> make_fixed_slots(int slots);

/// The suppliers of a worker. Null: as many slots as WorkerOptions says.
struct Tuner {
    std::shared_ptr<SlotSupplier> workflow_tasks = {};
    std::shared_ptr<SlotSupplier> activities = {};
};

/// The shares of memory and processor time that are in use, each from 0 to 1.
struct ResourceUse {
    double memory = 0;
    double cpu = 0;
};
using ResourceReader = std::function<ResourceUse()>;

/// Reads what this process's control group (version 2 or 1) uses of its limits, and where there is
/// no limit, what all processes use of the machine. Linux. What cannot be read counts as not in use.
/// `root` is where the file system is found, other than "/" in tests.
ResourceReader read_system_resources(const std::string& root = "/");

struct ResourceTargets {
    /// Shares of the machine that the worker may bring into use, above 0 and at most 1.
    double memory = 0.8;
    double cpu = 0.9;
};

struct ResourceSlots {
    /// Allowed whatever the machine is at.
    int slots_min = 1;
    int slots_max = 1'000;
    /// Between two slots, so that what the first one costs shows before the next one is taken.
    Milliseconds ramp_throttle{0};
};

struct ResourceTunerOptions {
    ResourceSlots workflow_tasks = {.slots_min = 5};
    ResourceSlots activities = {.slots_max = 10'000, .ramp_throttle = Milliseconds(50)};
    /// Empty: read_system_resources().
    ResourceReader reader = {};
};

/// Suppliers that give out slots as long as memory and processor are below their targets, and less
/// of them the faster they come closer. Throws ConfigurationError for options that cannot be meant.
Tuner make_resource_tuner(const ResourceTargets& targets = {},
                          const ResourceTunerOptions& options = {});

/// Makes the number of polls that are open at a time follow the server's advice.
struct PollerAutoscaling {
    int polls_min = 1;
    int polls_max = 100;
    int polls_at_start = 5;
};

}  // namespace stele
