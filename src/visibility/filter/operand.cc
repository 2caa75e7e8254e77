#include "visibility/filter/operand.h"

#include "temporal/api/enums/v1/workflow.pb.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace stele::visibility::filter {
namespace {

namespace enums = temporal::api::enums::v1;
using Kind = Operand::Kind;

constexpr std::string_view kStatus = "ExecutionStatus";
constexpr std::string_view kDuration = "ExecutionDuration";

absl::Status invalid(std::string message) {
    return invalid_argument("invalid expression: " + std::move(message));
}
absl::Status unsupported(std::string message) {
    return invalid_argument("operation is not supported: " + std::move(message));
}

/// How messages call what was written.
std::string node_name(Kind kind) {
    switch (kind) {
        case Kind::kName: return "*sqlparser.ColName";
        case Kind::kString:
        case Kind::kInteger:
        case Kind::kFloat: return "*sqlparser.SQLVal";
        case Kind::kBool: return "sqlparser.BoolVal";
        case Kind::kNull: return "*sqlparser.NullVal";
        case Kind::kList: return "sqlparser.ValTuple";
        case Kind::kParenthesised: return "*sqlparser.ParenExpr";
        case Kind::kFunction: return "*sqlparser.FuncExpr";
    }
    return "";
}

/// A literal before it is known what it is compared with.
using Literal = std::variant<bool, std::int64_t, double, std::string>;

absl::StatusOr<Literal> literal_of(const Operand& operand) {
    if (operand.kind == Kind::kString) return Literal(operand.text);
    if (operand.kind == Kind::kBool) return Literal(operand.boolean);
    const char* begin = operand.text.data();
    const char* end = begin + operand.text.size();
    std::int64_t integer = 0;
    if (operand.kind == Kind::kInteger) {
        const auto parsed = std::from_chars(begin, end, integer);
        if (parsed.ec == std::errc() && parsed.ptr == end) return Literal(integer);
    }
    double number = 0;
    const auto parsed = std::from_chars(begin, end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) return Literal(number);
    return invalid("unable to parse value \"" + operand.text + "\"");
}

/// The value and its type, as messages show them.
std::string describe(const Literal& literal) {
    if (const auto* boolean = std::get_if<bool>(&literal)) {
        return std::string(*boolean ? "true" : "false") + " (type: bool)";
    }
    if (const auto* integer = std::get_if<std::int64_t>(&literal)) {
        return std::to_string(*integer) + " (type: int64)";
    }
    if (const auto* number = std::get_if<double>(&literal)) {
        std::array<char, 64> buffer;
        const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *number);
        return std::string(buffer.data(), end.ptr) + " (type: float64)";
    }
    return "\"" + std::get<std::string>(literal) + "\" (type: string)";
}

std::string type_of(const Literal& literal) {
    constexpr std::array<const char*, 4> kNames = {"bool", "int64", "float64", "string"};
    return kNames[literal.index()];
}

absl::StatusOr<Value> status_value(const Literal& literal) {
    if (const auto* number = std::get_if<std::int64_t>(&literal)) {
        if (*number >= 0 && *number <= std::numeric_limits<int>::max() &&
            enums::WorkflowExecutionStatus_IsValid(static_cast<int>(*number))) {
            return Value(*number);
        }
        return invalid("invalid ExecutionStatus value " + std::to_string(*number));
    }
    const auto* name = std::get_if<std::string>(&literal);
    if (name == nullptr) {
        return invalid("unexpected value type " + type_of(literal) +
                       " for search attribute ExecutionStatus");
    }
    for (int i = 0; i < enums::WorkflowExecutionStatus_ARRAYSIZE; ++i) {
        if (!enums::WorkflowExecutionStatus_IsValid(i)) continue;
        const auto status = static_cast<enums::WorkflowExecutionStatus>(i);
        if (*name == enums::WorkflowExecutionStatus_Name(status) || *name == status_name(i)) {
            return Value(std::int64_t{i});
        }
    }
    return invalid("invalid ExecutionStatus value '" + *name + "'");
}

absl::StatusOr<Value> duration_value(const Literal& literal) {
    if (const auto* nanoseconds = std::get_if<std::int64_t>(&literal)) return Value(*nanoseconds);
    const auto* text = std::get_if<std::string>(&literal);
    if (text == nullptr) {
        return invalid("unexpected value type " + type_of(literal) +
                       " for search attribute ExecutionDuration");
    }
    const std::optional<std::int64_t> parsed = parse_duration(*text);
    if (!parsed) {
        return invalid("invalid duration value for search attribute ExecutionDuration: " + *text);
    }
    return Value(*parsed);
}

absl::StatusOr<Value> time_value(const Literal& literal, const absl::Status& mismatch) {
    if (const auto* nanoseconds = std::get_if<std::int64_t>(&literal)) {
        return Value(Timestamp(Duration(*nanoseconds)));
    }
    const auto* text = std::get_if<std::string>(&literal);
    if (text == nullptr) return mismatch;
    const std::optional<Timestamp> time = history::parse_time(*text);
    if (!time) return invalid("unable to parse datetime '" + *text + "'");
    return Value(*time);
}

absl::StatusOr<Value> text_value(const Literal& literal, const Attribute& attribute,
                                 const absl::Status& mismatch) {
    const auto* text = std::get_if<std::string>(&literal);
    if (text == nullptr) return mismatch;
    if (attribute.type == enums::INDEXED_VALUE_TYPE_TEXT &&
        text->find_first_not_of(" \t\n\r\v\f") == std::string::npos) {
        return invalid("no tokens found filtering on Text type search attribute " +
                       attribute.alias);
    }
    return Value(*text);
}

absl::StatusOr<Value> value_of(const Literal& literal, const Attribute& attribute) {
    if (attribute.name == kStatus) return status_value(literal);
    if (attribute.name == kDuration) return duration_value(literal);
    const absl::Status mismatch =
        invalid("invalid value type for search attribute " + attribute.alias + " of type " +
                history::type_name(attribute.type) + ": " + describe(literal));
    switch (attribute.type) {
        case enums::INDEXED_VALUE_TYPE_INT:
        case enums::INDEXED_VALUE_TYPE_DOUBLE:
            if (const auto* integer = std::get_if<std::int64_t>(&literal)) return Value(*integer);
            if (const auto* number = std::get_if<double>(&literal)) return Value(*number);
            return mismatch;
        case enums::INDEXED_VALUE_TYPE_BOOL:
            if (const auto* boolean = std::get_if<bool>(&literal)) return Value(*boolean);
            return mismatch;
        case enums::INDEXED_VALUE_TYPE_DATETIME: return time_value(literal, mismatch);
        case enums::INDEXED_VALUE_TYPE_KEYWORD:
        case enums::INDEXED_VALUE_TYPE_KEYWORD_LIST:
        case enums::INDEXED_VALUE_TYPE_TEXT: return text_value(literal, attribute, mismatch);
        default:
            return invalid("unknown search attribute type " + history::type_name(attribute.type) +
                           " for " + attribute.alias);
    }
}

/// Nanoseconds of a unit of time; 0 for an unknown one.
double unit_of(std::string_view unit) {
    if (unit == "ns") return 1;
    if (unit == "us" || unit == "\u00b5s" || unit == "\u03bcs") return 1e3;
    if (unit == "ms") return 1e6;
    if (unit == "s") return 1e9;
    if (unit == "m") return 60e9;
    if (unit == "h") return 3600e9;
    if (unit == "d") return 24 * 3600e9;
    return 0;
}

std::optional<std::int64_t> to_nanoseconds(double value) {
    if (!(std::fabs(value) < 9.2e18)) return std::nullopt;
    return static_cast<std::int64_t>(std::llround(value));
}

/// "1h30m", "-1.5h", "2d".
std::optional<std::int64_t> parse_units(std::string_view text) {
    double sign = 1;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        sign = text.front() == '-' ? -1 : 1;
        text.remove_prefix(1);
    }
    if (text.empty()) return std::nullopt;
    double sum = 0;
    while (!text.empty()) {
        double count = 0;
        const auto number = std::from_chars(text.data(), text.data() + text.size(), count,
                                            std::chars_format::fixed);
        if (number.ec != std::errc() || text.front() == '-') return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(number.ptr - text.data()));
        const std::size_t length = std::min(text.find_first_of("0123456789.-+"), text.size());
        const double unit = unit_of(text.substr(0, length));
        if (unit == 0) return std::nullopt;
        text.remove_prefix(length);
        sum += count * unit;
    }
    return to_nanoseconds(sign * sum);
}

/// "10:30:00".
std::optional<std::int64_t> parse_clock(std::string_view text) {
    std::array<std::int64_t, 3> parts{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), parts[i]);
        if (parsed.ec != std::errc() || parts[i] < 0 || parts[i] > 1'000'000) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
        if (i == parts.size() - 1) break;
        if (text.empty() || text.front() != ':') return std::nullopt;
        text.remove_prefix(1);
    }
    if (!text.empty() || parts[1] > 59 || parts[2] > 59) return std::nullopt;
    return (parts[0] * 3600 + parts[1] * 60 + parts[2]) * 1'000'000'000;
}

}  // namespace

std::string status_name(int status) {
    constexpr std::array<const char*, 9> kNames = {"Unspecified",    "Running",  "Completed",
                                                   "Failed",         "Canceled", "Terminated",
                                                   "ContinuedAsNew", "TimedOut", "Paused"};
    if (status < 0 || static_cast<std::size_t>(status) >= kNames.size()) return "";
    return kNames[static_cast<std::size_t>(status)];
}

absl::StatusOr<Attribute> resolve(const Operand& operand, const Resolver& resolver) {
    if (operand.kind != Kind::kName) {
        return invalid("must be a column name but was " + node_name(operand.kind));
    }
    std::optional<Attribute> attribute = resolver(operand.text);
    if (!attribute) return invalid_argument("invalid search attribute: " + operand.text);
    attribute->alias = operand.text;
    return *std::move(attribute);
}

absl::StatusOr<std::vector<Value>> values_of(const Operand& operand, const Attribute& attribute) {
    switch (operand.kind) {
        case Kind::kList: {
            std::vector<Value> values;
            for (const Operand& item : operand.list) {
                if (item.kind == Kind::kList) return invalid("a list within a list");
                STELE_ASSIGN_OR_RETURN(const std::vector<Value> one, values_of(item, attribute));
                values.push_back(one.front());
            }
            return values;
        }
        case Kind::kName:
            return unsupported(
                "column name on the right side of comparison expression (did you forget to quote "
                "\"" +
                operand.text + "\"?)");
        case Kind::kFunction: return unsupported("nested func");
        case Kind::kNull:
        case Kind::kParenthesised:
            return invalid("unexpected value type " + node_name(operand.kind));
        default: break;
    }
    STELE_ASSIGN_OR_RETURN(const Literal literal, literal_of(operand));
    STELE_ASSIGN_OR_RETURN(Value value, value_of(literal, attribute));
    return std::vector<Value>{std::move(value)};
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
    std::int64_t nanoseconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), nanoseconds);
    if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return nanoseconds;
    if (const auto units = parse_units(text)) return units;
    return parse_clock(text);
}

}  // namespace stele::visibility::filter
