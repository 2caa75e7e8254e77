#include "store/format.h"

#include "store/keys.h"
#include "store/upgrade.h"

#include <string>

namespace stele::store {
namespace {

constexpr char kMark[] = "stele";
constexpr std::uint8_t kFirstFormat = 1;

std::string mark(std::uint8_t version) {
    return std::string(1, static_cast<char>(version)) + kMark;
}

absl::StatusOr<bool> is_empty(Store& store) {
    const auto any = store.scan(std::string(1, '\0'), "\xff");
    STELE_RETURN_IF_ERROR(any->status());
    return !any->valid();
}

/// Marks the store as new and unfinished in one write, so that a build that knows the old layout only refuses what an
/// interruption leaves behind.
absl::Status begin_upgrade(Store& store) {
    WriteBatch batch;
    batch.put(meta_key("format"), mark(kStoreFormat));
    batch.put(meta_key("upgrade"), mark(kFirstFormat));
    return store.write(batch, Sync::kYes);
}

absl::Status finish_upgrade(Store& store, std::string_view where, const OpeningNotice& notice) {
    STELE_ASSIGN_OR_RETURN(const std::optional<std::string> from, store.get(meta_key("upgrade")));
    if (!from) return absl::OkStatus();
    if (*from != mark(kFirstFormat)) {
        return make_error(absl::StatusCode::kDataLoss, "the mark of an upgrade is damaged");
    }
    if (notice) {
        notice(std::string(where) + " is brought from format version " +
               std::to_string(kFirstFormat) + " to " + std::to_string(kStoreFormat) +
               ", which takes about a minute for a million workflows");
    }
    STELE_RETURN_IF_ERROR(upgrade_from_layout_1(store));
    WriteBatch batch;
    batch.erase(meta_key("upgrade"));
    return store.write(batch, Sync::kYes);
}

}  // namespace

absl::Status check_format(Store& store, std::string_view where, const OpeningNotice& notice) {
    STELE_ASSIGN_OR_RETURN(const std::optional<std::string> found, store.get(meta_key("format")));
    if (!found) {
        STELE_ASSIGN_OR_RETURN(const bool empty, is_empty(store));
        if (!empty) {
            return failed_precondition(
                std::string(where) + " holds data but no format mark, so it is not a Stele store");
        }
        WriteBatch batch;
        batch.put(meta_key("format"), mark(kStoreFormat));
        return store.write(batch, Sync::kYes);
    }
    if (*found == mark(kFirstFormat)) STELE_RETURN_IF_ERROR(begin_upgrade(store));
    if (*found == mark(kFirstFormat) || *found == mark(kStoreFormat))
        return finish_upgrade(store, where, notice);
    if (found->empty() || found->substr(1) != kMark) {
        return failed_precondition(std::string(where) + " has a damaged format mark");
    }
    return failed_precondition(std::string(where) + " has format version " +
                               std::to_string(static_cast<unsigned char>(found->front())) +
                               ", and this build of Stele reads versions " +
                               std::to_string(kFirstFormat) + " to " +
                               std::to_string(kStoreFormat));
}

}  // namespace stele::store
