#include "frontend/version_sets.h"

#include <fmt/format.h>

#include <utility>

namespace stele::frontend {
namespace {

using storage::VersionSet;
using storage::VersionSets;
using Request = temporal::api::workflowservice::v1::UpdateWorkerBuildIdCompatibilityRequest;

bool is_default_set(const VersionSets& sets, int set) { return set == sets.sets_size() - 1; }
bool is_default_build(const VersionSets& sets, const BuildPlace& place) {
    return place.build == sets.sets(place.set).build_ids_size() - 1;
}

/// Moves one of several to the end; the order of the others stays.
template <typename Items>
void move_to_end(Items& items, int from) {
    for (int i = from; i + 1 < items.size(); ++i) items.SwapElements(i, i + 1);
}

void make_default_set(VersionSets& sets, int set, Timestamp now) {
    *sets.mutable_sets(set)->mutable_became_default() = to_proto(now);
    move_to_end(*sets.mutable_sets(), set);
}

absl::Status missing(const char* what, const std::string& build_id) {
    return not_found(fmt::format("targeted {} {} not found", what, build_id));
}

absl::Status add_default_set(VersionSets& sets, const std::string& build_id, Timestamp now) {
    const auto place = find_build(sets, build_id);
    if (place && is_default_set(sets, place->set) && sets.sets(place->set).build_ids_size() == 1) {
        return absl::OkStatus();
    }
    if (place) return invalid_argument(fmt::format("version {} already exists", build_id));
    VersionSet& added = *sets.add_sets();
    added.add_build_ids(build_id);
    *added.mutable_became_default() = to_proto(now);
    return absl::OkStatus();
}

absl::Status add_compatible(VersionSets& sets, const Request::AddNewCompatibleVersion& request,
                            Timestamp now) {
    const std::string& build_id = request.new_build_id();
    const auto compatible = find_build(sets, request.existing_compatible_build_id());
    if (!compatible) {
        return missing("compatible_version", request.existing_compatible_build_id());
    }
    const auto place = find_build(sets, build_id);
    if (!place) {
        sets.mutable_sets(compatible->set)->add_build_ids(build_id);
        if (request.make_set_default()) make_default_set(sets, compatible->set, now);
        return absl::OkStatus();
    }
    if (place->set != compatible->set) {
        return invalid_argument(fmt::format(
            "{} requested to be made compatible with {} but both versions exist and are "
            "incompatible",
            build_id, request.existing_compatible_build_id()));
    }
    if (request.make_set_default() && !is_default_set(sets, place->set)) {
        return invalid_argument(
            fmt::format("version {} already exists and is not default for queue", build_id));
    }
    if (!is_default_build(sets, *place)) {
        return invalid_argument(
            fmt::format("version {} already exists and is not default in set", build_id));
    }
    return absl::OkStatus();
}

absl::Status promote_set(VersionSets& sets, const std::string& build_id, Timestamp now) {
    const auto place = find_build(sets, build_id);
    if (!place) return missing("version", build_id);
    if (!is_default_set(sets, place->set)) make_default_set(sets, place->set, now);
    return absl::OkStatus();
}

absl::Status promote_build(VersionSets& sets, const std::string& build_id) {
    const auto place = find_build(sets, build_id);
    if (!place) return missing("version", build_id);
    move_to_end(*sets.mutable_sets(place->set)->mutable_build_ids(), place->build);
    return absl::OkStatus();
}

/// The builds of the second set go in front of those of the first, whose default stays the default.
/// The set stands where the later of the two stood.
absl::Status merge(VersionSets& sets, const Request::MergeSets& request) {
    const auto primary = find_build(sets, request.primary_set_build_id());
    if (!primary) return missing("primary version", request.primary_set_build_id());
    const auto secondary = find_build(sets, request.secondary_set_build_id());
    if (!secondary) return missing("secondary version", request.secondary_set_build_id());
    if (primary->set == secondary->set) return absl::OkStatus();

    VersionSet merged = sets.sets(secondary->set);
    merged.mutable_build_ids()->MergeFrom(sets.sets(primary->set).build_ids());
    const auto [earlier, later] = std::minmax(primary->set, secondary->set);
    *merged.mutable_became_default() = sets.sets(later).became_default();
    *sets.mutable_sets(later) = std::move(merged);
    sets.mutable_sets()->DeleteSubrange(earlier, 1);
    return absl::OkStatus();
}

absl::Status apply(VersionSets& sets, const Request& request, Timestamp now) {
    switch (request.operation_case()) {
        case Request::kAddNewBuildIdInNewDefaultSet:
            return add_default_set(sets, request.add_new_build_id_in_new_default_set(), now);
        case Request::kAddNewCompatibleBuildId:
            return add_compatible(sets, request.add_new_compatible_build_id(), now);
        case Request::kPromoteSetByBuildId:
            return promote_set(sets, request.promote_set_by_build_id(), now);
        case Request::kPromoteBuildIdWithinSet:
            return promote_build(sets, request.promote_build_id_within_set());
        case Request::kMergeSets: return merge(sets, request.merge_sets());
        case Request::OPERATION_NOT_SET: break;
    }
    return invalid_argument("an operation to be specified");
}

absl::Status check_limits(const VersionSets& sets, const VersionSetLimits& limits) {
    const auto count = static_cast<std::size_t>(sets.sets_size());
    if (limits.sets > 0 && count > limits.sets) {
        return failed_precondition(
            fmt::format("update would exceed number of compatible version sets permitted in "
                        "namespace dynamic config ({}/{})",
                        count, limits.sets));
    }
    std::size_t builds = 0;
    for (const VersionSet& set : sets.sets()) {
        builds += static_cast<std::size_t>(set.build_ids_size());
    }
    if (limits.build_ids > 0 && builds > limits.build_ids) {
        return failed_precondition(
            fmt::format("update would exceed number of build IDs permitted in namespace dynamic "
                        "config ({}/{})",
                        builds, limits.build_ids));
    }
    return absl::OkStatus();
}

}  // namespace

std::optional<BuildPlace> find_build(const VersionSets& sets, const std::string& build_id) {
    for (int set = 0; set < sets.sets_size(); ++set) {
        const auto& builds = sets.sets(set).build_ids();
        for (int build = 0; build < builds.size(); ++build) {
            if (builds[build] == build_id) return BuildPlace{set, build};
        }
    }
    return std::nullopt;
}

absl::Status change_version_sets(VersionSets& sets, const Request& request, Timestamp now,
                                 const VersionSetLimits& limits) {
    STELE_RETURN_IF_ERROR(apply(sets, request, now));
    return check_limits(sets, limits);
}

}  // namespace stele::frontend
