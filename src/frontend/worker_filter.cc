#include "frontend/worker_filter.h"

#include "base/enum_name.h"
#include "base/time.h"
#include "visibility/filter/evaluate.h"
#include "visibility/filter/filter.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

namespace stele::frontend {
namespace {

namespace enums = temporal::api::enums::v1;
namespace filter = visibility::filter;

/// What a filter can ask of a worker. A text that is not set is empty, a time that is not set is no
/// value.
struct Field {
    filter::AttributeType type;
    std::function<std::vector<filter::Value>(const WorkerHeartbeat&)> values;
};
using Fields = std::map<std::string, Field, std::less<>>;

Field text_field(std::function<std::string(const WorkerHeartbeat&)> text) {
    return {enums::INDEXED_VALUE_TYPE_KEYWORD,
            [text = std::move(text)](const WorkerHeartbeat& worker) {
                return std::vector<filter::Value>{text(worker)};
            }};
}

Field time_field(bool (WorkerHeartbeat::*has)() const,
                 const google::protobuf::Timestamp& (WorkerHeartbeat::*time)() const) {
    return {enums::INDEXED_VALUE_TYPE_DATETIME, [has, time](const WorkerHeartbeat& worker) {
                std::vector<filter::Value> values;
                if ((worker.*has)()) values.emplace_back(from_proto((worker.*time)()));
                return values;
            }};
}

const Fields& fields() {
    using Worker = WorkerHeartbeat;
    static const Field status = text_field([](const Worker& worker) {
        return short_enum_name(enums::WorkerStatus_Name(worker.status()), "WORKER_STATUS_");
    });
    static const Fields all = {
        {"WorkerInstanceKey",
         text_field([](const Worker& worker) { return worker.worker_instance_key(); })},
        {"WorkerIdentity",
         text_field([](const Worker& worker) { return worker.worker_identity(); })},
        {"HostName",
         text_field([](const Worker& worker) { return worker.host_info().host_name(); })},
        {"TaskQueue", text_field([](const Worker& worker) { return worker.task_queue(); })},
        {"DeploymentName", text_field([](const Worker& worker) {
             return worker.deployment_version().deployment_name();
         })},
        {"BuildId",
         text_field([](const Worker& worker) { return worker.deployment_version().build_id(); })},
        {"SdkName", text_field([](const Worker& worker) { return worker.sdk_name(); })},
        {"SdkVersion", text_field([](const Worker& worker) { return worker.sdk_version(); })},
        {"StartTime", time_field(&Worker::has_start_time, &Worker::start_time)},
        {"HeartbeatTime", time_field(&Worker::has_heartbeat_time, &Worker::heartbeat_time)},
        {"WorkerStatus", status},
        {"Status", status},
        {"status", status},
    };
    return all;
}

std::optional<filter::Attribute> resolve(std::string_view name) {
    const auto found = fields().find(name);
    // A name that means nothing is no error: it may be a field that a later server knows.
    return filter::Attribute{
        std::string(name),
        {},
        found == fields().end() ? enums::INDEXED_VALUE_TYPE_KEYWORD : found->second.type};
}

std::vector<filter::Value> values_of(const WorkerHeartbeat& worker,
                                     const filter::Attribute& attribute) {
    const auto found = fields().find(attribute.name);
    return found == fields().end() ? std::vector<filter::Value>() : found->second.values(worker);
}

bool has_empty_text(const filter::Condition& condition) {
    return std::any_of(condition.values.begin(), condition.values.end(),
                       [](const filter::Value& value) {
                           const auto* text = std::get_if<std::string>(&value);
                           return text != nullptr && text->empty();
                       });
}

/// Of workers an empty text stands for no value, unlike in lists of runs: a worker without a host
/// name is not one of "HostName = 'a'", but it is one of "HostName != 'a'".
void adapt(filter::Condition& condition) {
    const bool is_null = condition.op == filter::Operator::kIsNull;
    const bool is_null_test = is_null || condition.op == filter::Operator::kIsNotNull;
    const bool known = fields().contains(condition.attribute.name);
    if (!known || has_empty_text(condition)) {
        // Holds for no worker.
        condition = {{}, filter::Operator::kIsNotNull, {}};
    } else if (is_null_test && condition.attribute.type == enums::INDEXED_VALUE_TYPE_KEYWORD) {
        condition.op = is_null ? filter::Operator::kEqual : filter::Operator::kNotEqual;
        condition.values = {std::string()};
    }
}

void adapt(filter::Node& node) {
    if (node.kind == filter::Node::Kind::kCondition) return adapt(node.condition);
    for (filter::Node& child : node.children) adapt(child);
}

absl::Status error_of(const absl::Status& status) {
    constexpr std::string_view kRuns = "malformed SQL query: ";
    const std::string message = message_of(status);
    if (!message.starts_with(kRuns)) return status;
    return invalid_argument("malformed query: " + message.substr(kRuns.size()));
}

}  // namespace

absl::StatusOr<WorkerFilter> parse_worker_filter(const std::string& text) {
    absl::StatusOr<filter::Filter> parsed = filter::parse(text, resolve);
    if (!parsed.ok()) return error_of(parsed.status());
    if (parsed->where) adapt(*parsed->where);
    return [shared = std::make_shared<const filter::Filter>(*std::move(parsed))](
               const WorkerHeartbeat& worker) {
        return filter::matches(*shared, [&worker](const filter::Attribute& attribute) {
            return values_of(worker, attribute);
        });
    };
}

}  // namespace stele::frontend
