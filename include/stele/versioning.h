#pragma once

#include <string>
#include <utility>

// Which build of a program works on which runs. A worker says which build it is with
// WorkerOptions::deployment, a workflow type says with its registration whether its runs move to newer
// builds, and the server sends every workflow task to a fitting worker; see deployment.h for how a new
// build takes over.
namespace stele {

/// One build of a program, which is a deployment.
struct DeploymentVersion {
    std::string deployment_name;
    std::string build_id;
    bool operator==(const DeploymentVersion&) const = default;
};

/// What runs of a workflow type do when a newer build takes over.
enum class VersioningBehavior {
    kUnspecified = 0,
    /// They end on the build that they began on; their code may change in any way.
    kPinned = 1,
    /// They move with their next workflow task, so that their code must change by patches.
    kAutoUpgrade = 2,
};

/// To which build the first task of a run goes that another one has continued as.
enum class ContinueAsNewVersioning {
    /// That of the run before.
    kUnspecified = 0,
    /// Where new workflows go now, also after a pinned run.
    kAutoUpgrade = 1,
    /// The ramping build, whatever its share of the new workflows.
    kRamping = 2,
};

/// Which build a worker is.
struct WorkerDeployment {
    DeploymentVersion version;
    /// Without it the worker only tells its version, and takes the tasks of runs without one.
    bool use_versioning = true;
    /// For workflow types whose registration says nothing.
    VersioningBehavior default_behavior = VersioningBehavior::kUnspecified;
};

/// For one run, in place of what its workflow type says.
class VersioningOverride {
public:
    /// To this build, for as long as the override lasts.
    static VersioningOverride pinned(DeploymentVersion version) {
        return {Kind::kPinned, std::move(version)};
    }
    /// To whichever build new workflows go.
    static VersioningOverride auto_upgrade() { return {Kind::kAutoUpgrade, {}}; }
    /// To this build with one workflow task, which ends the override. Servers before 1.32 do not know
    /// it.
    static VersioningOverride one_time(DeploymentVersion version) {
        return {Kind::kOneTime, std::move(version)};
    }

    enum class Kind { kPinned, kAutoUpgrade, kOneTime };
    Kind kind() const { return kind_; }
    /// Empty for auto_upgrade().
    const DeploymentVersion& version() const { return version_; }
    bool operator==(const VersioningOverride&) const = default;

private:
    VersioningOverride(Kind kind, DeploymentVersion version)
        : kind_(kind), version_(std::move(version)) {}

    Kind kind_;
    DeploymentVersion version_;
};

}  // namespace stele
