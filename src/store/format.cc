#include "store/format.h"

#include "store/keys.h"

#include <string>

namespace stele::store {
namespace {

constexpr char kMark[] = "stele";

std::string mark() { return std::string(1, static_cast<char>(kStoreFormat)) + kMark; }

absl::StatusOr<bool> is_empty(Store& store) {
    const auto any = store.scan(std::string(1, '\0'), "\xff");
    STELE_RETURN_IF_ERROR(any->status());
    return !any->valid();
}

}  // namespace

absl::Status check_format(Store& store, std::string_view where) {
    STELE_ASSIGN_OR_RETURN(const std::optional<std::string> found, store.get(meta_key("format")));
    if (!found) {
        STELE_ASSIGN_OR_RETURN(const bool empty, is_empty(store));
        if (!empty) {
            return failed_precondition(
                std::string(where) + " holds data but no format mark, so it is not a Stele store");
        }
        WriteBatch batch;
        batch.put(meta_key("format"), mark());
        return store.write(batch, Sync::kYes);
    }
    if (*found == mark()) return absl::OkStatus();
    if (found->empty() || found->substr(1) != kMark) {
        return failed_precondition(std::string(where) + " has a damaged format mark");
    }
    return failed_precondition(std::string(where) + " has format version " +
                               std::to_string(static_cast<unsigned char>(found->front())) +
                               ", and this build of Stele reads version " +
                               std::to_string(kStoreFormat));
}

}  // namespace stele::store
