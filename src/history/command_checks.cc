#include "history/command_checks.h"

namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

constexpr char kReservedPrefix[] = "/_sys/";
constexpr char kInternalPrefix[] = "temporal-sys-per-ns-";

}  // namespace

absl::Status validate_user_task_queue(api::taskqueue::v1::TaskQueue& queue,
                                      const std::string& otherwise, const std::string& own,
                                      const Limits& limits) {
    if (queue.kind() == enums::TASK_QUEUE_KIND_UNSPECIFIED) {
        queue.set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    }
    if (queue.name().empty()) queue.set_name(otherwise);
    if (queue.name().empty()) return invalid_argument("missing task queue name");
    if (queue.name().size() > limits.id_length) {
        return invalid_argument("taskQueue length exceeds limit");
    }
    if (queue.name().starts_with(kReservedPrefix)) {
        return invalid_argument(std::string("task queue name cannot start with reserved prefix ") +
                                kReservedPrefix);
    }
    if (queue.name().starts_with(kInternalPrefix) && !own.starts_with(kInternalPrefix)) {
        return invalid_argument("cannot use internal per-namespace task queue:" + queue.name() +
                                " (in parent component task queue: " + own + ")");
    }
    return absl::OkStatus();
}

CommandResult check_pending(std::size_t pending, std::size_t limit, const std::string& what,
                            WorkflowTaskFailedCause cause) {
    if (pending < limit) return std::nullopt;
    return refuse(cause, "the number of " + what + ", " + std::to_string(pending) +
                             ", has reached the per-workflow limit of " + std::to_string(limit));
}

absl::StatusOr<TargetNamespace> target_namespace(const std::string& name_space,
                                                 const Builder& builder) {
    const Context& context = builder.context();
    if (name_space.empty() || name_space == builder.info().namespace_()) {
        return TargetNamespace{builder.info().namespace_id(), context.search_attributes, nullptr};
    }
    if (!context.limits->cross_namespace_commands) {
        return invalid_argument("cross namespace commands are not allowed");
    }
    std::optional<OtherNamespace> other;
    if (context.find_namespace) other = context.find_namespace(name_space);
    if (!other) return invalid_argument("Namespace " + name_space + " is not found.");
    const SearchAttributeSchema* const schema = other->search_attributes.get();
    return TargetNamespace{std::move(other->id), schema, std::move(other->search_attributes)};
}

std::string describe(const api::taskqueue::v1::TaskQueue& queue) {
    return "name:\"" + queue.name() + "\"  kind:" + enums::TaskQueueKind_Name(queue.kind());
}

}  // namespace stele::history
