#include "frontend/task_queue_names.h"

#include "frontend/namespaces.h"

#include <charconv>
#include <string_view>

namespace stele::frontend {
namespace {

constexpr std::string_view kPartitionPrefix = "/_sys/";

}  // namespace

absl::StatusOr<PartitionName> parse_partition(const std::string& name) {
    if (!name.starts_with(kPartitionPrefix)) return PartitionName{name, 0};
    const std::size_t slash = name.rfind('/');
    if (slash <= kPartitionPrefix.size()) {
        return invalid_argument("invalid task queue partition name " + name);
    }
    PartitionName result;
    result.queue = name.substr(kPartitionPrefix.size(), slash - kPartitionPrefix.size());
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + slash + 1, end, result.partition);
    if (parsed.ec != std::errc() || parsed.ptr != end || result.partition <= 0) {
        return invalid_argument("invalid task queue partition name " + name);
    }
    if (result.queue.starts_with(kPartitionPrefix)) {
        return invalid_argument("task queue family name cannot have prefix /_sys/ " + result.queue);
    }
    return result;
}

absl::StatusOr<PartitionName> validate_partition(bool set, api::taskqueue::v1::TaskQueue& queue) {
    if (!set) return invalid_argument("taskQueue is not set");
    if (queue.kind() == api::enums::v1::TASK_QUEUE_KIND_UNSPECIFIED) {
        queue.set_kind(api::enums::v1::TASK_QUEUE_KIND_NORMAL);
    }
    if (queue.name().empty()) return invalid_argument("missing task queue name");
    for (const std::string* name : {&queue.name(), &queue.normal_name()}) {
        if (name->size() > kMaximumNameBytes) {
            return invalid_argument("taskQueue length exceeds limit");
        }
    }
    return parse_partition(queue.name());
}

}  // namespace stele::frontend
