#include "config/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <utility>

namespace stele::config {
namespace {

std::string unknown_key(std::string_view place, std::string_view key) {
    return fmt::format("{}: {} is not a setting of this server, so it has no effect", place, key);
}

/// Deeper is no setting, and an anchor may stand inside of what it stands for.
constexpr int kMaximumDepth = 32;
/// Of one file, each alias with all that it stands for.
constexpr int kMaximumNodes = 100'000;

/// A scalar in quotes is text; any other is what JSON takes it for, or else text.
Value scalar_value(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!") return text;
    Value value = Value::parse(text, nullptr, /*allow_exceptions=*/false);
    const bool structured = value.is_structured() || value.is_string() || value.is_discarded();
    return structured ? Value(text) : value;
}

/// Reads one document; every error tells where.
class Reader {
public:
    Reader(const Registry& registry, const std::string& name) : registry_(registry), name_(name) {}

    absl::StatusOr<Parsed> read(const YAML::Node& document) {
        if (document.IsNull()) return Parsed();
        if (!document.IsMap()) return error(document, "", "the file must hold keys");
        for (const auto& entry : document) {
            STELE_RETURN_IF_ERROR(read_setting(entry.first, entry.second));
        }
        return std::move(parsed_);
    }

private:
    absl::StatusOr<Value> value_of(const std::string& key, const YAML::Node& node, int depth = 0) {
        if (depth > kMaximumDepth) {
            return error(node, key, fmt::format("nested deeper than {} levels", kMaximumDepth));
        }
        if (++nodes_ > kMaximumNodes) {
            return error(node, key, fmt::format("the file has over {} values", kMaximumNodes));
        }
        if (node.IsScalar()) return scalar_value(node);
        if (node.IsSequence()) {
            Value list = Value::array();
            for (const YAML::Node& item : node) {
                STELE_ASSIGN_OR_RETURN(Value value, value_of(key, item, depth + 1));
                list.push_back(std::move(value));
            }
            return list;
        }
        if (!node.IsMap()) return Value();
        Value object = Value::object();
        for (const auto& entry : node) {
            STELE_ASSIGN_OR_RETURN(Value value, value_of(key, entry.second, depth + 1));
            object[entry.first.Scalar()] = std::move(value);
        }
        return object;
    }

    std::string place(const YAML::Node& node) const {
        return fmt::format("{}:{}", name_, node.Mark().line + 1);
    }
    absl::Status error(const YAML::Node& node, const std::string& key,
                       std::string_view what) const {
        return invalid_argument(key.empty() ? fmt::format("{}: {}", place(node), what)
                                            : fmt::format("{}: {}: {}", place(node), key, what));
    }

    absl::Status read_setting(const YAML::Node& key, const YAML::Node& values) {
        if (!key.IsScalar()) return error(key, "", "a key must be text");
        const std::string name = key.Scalar();
        if (!values.IsSequence()) {
            return error(values, name, "expected a list of values, each as `- value: …`");
        }
        if (!registry_.knows(name)) parsed_.warnings.push_back(unknown_key(place(key), name));
        std::vector<ConstrainedValue> read;
        for (const YAML::Node& item : values) {
            STELE_ASSIGN_OR_RETURN(ConstrainedValue value, read_value(name, item));
            read.push_back(std::move(value));
        }
        parsed_.values.add(name, std::move(read));
        return absl::OkStatus();
    }

    absl::StatusOr<ConstrainedValue> read_value(const std::string& key, const YAML::Node& item) {
        if (!item.IsMap()) return error(item, key, "expected `value` and perhaps `constraints`");
        ConstrainedValue result;
        bool has_value = false;
        for (const auto& entry : item) {
            const std::string part = lower_case(entry.first.Scalar());
            if (part == "value") {
                has_value = true;
                STELE_ASSIGN_OR_RETURN(result.value, value_of(key, entry.second));
                const absl::Status status = registry_.check_value(key, result.value);
                if (!status.ok()) return error(entry.second, key, message_of(status));
            } else if (part == "constraints") {
                STELE_RETURN_IF_ERROR(read_constraints(key, entry.second, result.constraints));
            } else {
                return error(entry.first, key, "unknown field " + entry.first.Scalar());
            }
        }
        if (!has_value) return error(item, key, "the value is missing");
        return result;
    }

    absl::Status read_constraints(const std::string& key, const YAML::Node& node,
                                  Constraints& constraints) {
        if (node.IsNull()) return absl::OkStatus();
        if (!node.IsMap()) return error(node, key, "constraints must be a map");
        for (const auto& entry : node) {
            const std::string name = lower_case(entry.first.Scalar());
            if (!entry.second.IsScalar()) return error(entry.second, key, name + " must be text");
            const std::string text = entry.second.Scalar();
            if (name == "namespace") {
                constraints.namespace_name = text;
            } else if (name == "taskqueuename") {
                constraints.task_queue = text;
            } else if (name == "destination") {
                constraints.destination = text;
            } else if (name == "taskqueuetype" || name == "tasktype") {
                STELE_RETURN_IF_ERROR(read_queue_type(key, entry.second, constraints));
            } else {
                return error(entry.first, key, "unknown constraint " + entry.first.Scalar());
            }
        }
        return absl::OkStatus();
    }

    absl::Status read_queue_type(const std::string& key, const YAML::Node& node,
                                 Constraints& constraints) {
        static const std::map<std::string, int> types = {
            {"workflow", 1}, {"1", 1}, {"activity", 2}, {"2", 2}, {"nexus", 3}, {"3", 3}};
        const auto type = types.find(lower_case(node.Scalar()));
        if (type == types.end()) {
            return error(node, key, "a task queue's type is Workflow, Activity or Nexus");
        }
        constraints.task_queue_type = type->second;
        return absl::OkStatus();
    }

    const Registry& registry_;
    const std::string& name_;
    Parsed parsed_;
    int nodes_ = 0;
};

}  // namespace

absl::StatusOr<Parsed> parse_yaml(const Registry& registry, const std::string& name,
                                  const std::string& text) {
    // The parser reports by exceptions, which must not leave this file.
    try {
        return Reader(registry, name).read(YAML::Load(text));
    } catch (const YAML::Exception& exception) {
        return invalid_argument(
            fmt::format("{}:{}: {}", name, exception.mark.line + 1, exception.msg));
    }
}

absl::StatusOr<Parsed> parse_assignments(const Registry& registry,
                                         const std::vector<std::string>& texts) {
    Parsed parsed;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return invalid_argument(fmt::format("{} is not of the form KEY=JSON", text));
        }
        const std::string key = text.substr(0, equals);
        const std::string written = text.substr(equals + 1);
        Value value = Value::parse(written, nullptr, /*allow_exceptions=*/false);
        if (value.is_discarded()) value = written;
        if (absl::Status status = registry.check_value(key, value); !status.ok()) {
            return invalid_argument(fmt::format("{}: {}", key, message_of(status)));
        }
        if (!registry.knows(key)) parsed.warnings.push_back(unknown_key(text, key));
        parsed.values.add(key, {{Constraints(), std::move(value)}});
    }
    return parsed;
}

}  // namespace stele::config
