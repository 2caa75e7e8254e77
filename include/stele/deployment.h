#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stele/client.h"
#include "stele/versioning.h"

// Worker deployments: which build of a program new workflows go to, and which builds are still needed
// by workflows that began on them.
//
//     stele::DeploymentClient deployments(client);
//     auto shop = deployments.handle("shop");
//     shop.set_ramping("build-8", 10);     // a tenth of the new workflows
//     shop.set_current("build-8");
//
// All functions that make calls throw RpcError and what derives from it, RpcError UNIMPLEMENTED from a
// server without deployments.
namespace stele {

enum class DeploymentVersionStatus {
    kUnspecified = 0,
    kInactive = 1,  ///< Neither new workflows nor old ones.
    kCurrent = 2,   ///< New workflows go here.
    kRamping = 3,   ///< A part of the new workflows goes here.
    kDraining = 4,  ///< No new workflows, but old ones.
    kDrained = 5,   ///< No workflow is left; its workers can go.
    kCreated = 6,   ///< No worker has been seen yet.
};

/// Where new workflows go. Without a current version: to workers without versioning.
struct DeploymentRouting {
    std::optional<DeploymentVersion> current;
    std::optional<DeploymentVersion> ramping;
    /// Of 0 to 100, to the ramping version; the rest goes to the current one.
    float ramping_percentage = 0;
    std::optional<Timestamp> current_changed_time;
    std::optional<Timestamp> ramping_changed_time;
};

struct DeploymentVersionSummary {
    DeploymentVersion version;
    DeploymentVersionStatus status = DeploymentVersionStatus::kUnspecified;
    std::optional<Timestamp> create_time;
};

struct DeploymentVersionDescription : DeploymentVersionSummary {
    float ramping_percentage = 0;
    std::optional<Timestamp> current_since;
    std::optional<Timestamp> ramping_since;
    std::optional<Timestamp> drainage_changed_time;
    std::optional<Timestamp> drainage_checked_time;
    struct TaskQueue {
        std::string name;
        bool workflows = false;  ///< Else activities, or what else there may come to be.
    };
    std::vector<TaskQueue> task_queues;
    /// Values to be read with decode_value<T>().
    PayloadFields metadata;
};

struct DeploymentSummary {
    std::string name;
    std::optional<Timestamp> create_time;
    DeploymentRouting routing;
};

struct DeploymentDescription : DeploymentSummary {
    std::vector<DeploymentVersionSummary> versions;
    std::string last_modifier_identity;
    /// Who alone may change it; empty: anybody.
    std::string manager_identity;
    /// Names this state of the deployment, for RoutingOptions.
    std::string conflict_token;
};

struct RoutingOptions {
    /// Refuse, with RpcError FAILED_PRECONDITION, when somebody has changed the deployment since this
    /// token was read. Empty: change it in any case.
    std::string conflict_token = {};
    /// Allow a version that does not serve all task queues of the one before.
    bool ignore_missing_task_queues = false;
    /// Allow a version that no worker has been seen of.
    bool allow_no_pollers = false;
};

/// A deployment, known by its name. A cheap value; safe to use from any thread.
class DeploymentHandle {
public:
    DeploymentHandle(std::shared_ptr<sdk::ClientCore> core, std::string name)
        : core_(std::move(core)), name_(std::move(name)) {}

    const std::string& name() const { return name_; }

    DeploymentDescription describe() const;
    DeploymentVersionDescription describe_version(const std::string& build_id) const;

    /// New workflows go to this build; an empty one stands for workers without versioning. Gives the
    /// conflict token of the new state.
    std::string set_current(const std::string& build_id, const RoutingOptions& options = {}) const;
    /// So many of a hundred new workflows go to this build. An empty build with 0 ends the ramp.
    std::string set_ramping(const std::string& build_id, float percentage,
                            const RoutingOptions& options = {}) const;
    /// Gives the deployment to somebody, who alone may change it then; empty: to anybody.
    std::string set_manager(const std::string& identity,
                            const std::string& conflict_token = {}) const;

    /// Sets and removes fields of what a version says about itself; gives what it says now.
    PayloadFields update_metadata(const std::string& build_id, const PayloadFields& set,
                                  const std::vector<std::string>& remove = {}) const;

    /// Refused for the current and the ramping version, for one with pollers, and for one that is still
    /// needed, unless `skip_drainage` says that this does not matter.
    void remove_version(const std::string& build_id, bool skip_drainage = false) const;
    /// Refused as long as there are versions.
    void remove() const;

private:
    std::shared_ptr<sdk::ClientCore> core_;
    std::string name_;
};

/// Finds deployments. Workers make them. A cheap value; safe to use from any thread.
class DeploymentClient {
public:
    explicit DeploymentClient(const Client& client) : core_(client.core()) {}

    /// No call is made.
    DeploymentHandle handle(std::string name) const {
        return DeploymentHandle(core_, std::move(name));
    }
    PagedRange<DeploymentSummary> list(int page_size = 0) const;

private:
    std::shared_ptr<sdk::ClientCore> core_;
};

}  // namespace stele
