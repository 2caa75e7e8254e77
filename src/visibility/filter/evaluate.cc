#include "visibility/filter/evaluate.h"

#include <algorithm>
#include <compare>

namespace stele::visibility::filter {
namespace {

namespace enums = temporal::api::enums::v1;

/// Numbers of different kinds compare by what they stand for. A long double holds both exactly.
bool as_number(const Value& value, long double& number) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) number = *integer;
    if (const auto* real = std::get_if<double>(&value)) number = *real;
    return value.index() == 1 || value.index() == 2;
}

std::partial_ordering compare(const Value& a, const Value& b) {
    long double left = 0;
    long double right = 0;
    if (as_number(a, left) && as_number(b, right)) return left <=> right;
    if (a.index() != b.index()) return std::partial_ordering::unordered;
    if (const auto* text = std::get_if<std::string>(&a)) {
        return text->compare(std::get<std::string>(b)) <=> 0;
    }
    if (const auto* time = std::get_if<Timestamp>(&a)) return *time <=> std::get<Timestamp>(b);
    return std::get<bool>(a) <=> std::get<bool>(b);
}

bool is_one_of(const Value& value, const std::vector<Value>& wanted) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](const Value& one) { return compare(value, one) == 0; });
}

bool has_prefix(const Value& value, const Value& prefix) {
    return std::get<std::string>(value).starts_with(std::get<std::string>(prefix));
}

bool holds(const Value& value, Operator op, const std::vector<Value>& wanted) {
    switch (op) {
        case Operator::kEqual: return compare(value, wanted[0]) == 0;
        case Operator::kNotEqual: return compare(value, wanted[0]) != 0;
        case Operator::kLess: return compare(value, wanted[0]) < 0;
        case Operator::kGreaterEqual: return compare(value, wanted[0]) >= 0;
        case Operator::kGreater: return compare(value, wanted[0]) > 0;
        case Operator::kLessEqual: return compare(value, wanted[0]) <= 0;
        case Operator::kIn: return is_one_of(value, wanted);
        case Operator::kNotIn: return !is_one_of(value, wanted);
        case Operator::kBetween:
            return compare(value, wanted[0]) >= 0 && compare(value, wanted[1]) <= 0;
        case Operator::kNotBetween:
            return compare(value, wanted[0]) < 0 || compare(value, wanted[1]) > 0;
        case Operator::kStartsWith: return has_prefix(value, wanted[0]);
        case Operator::kNotStartsWith: return !has_prefix(value, wanted[0]);
        case Operator::kIsNull:
        case Operator::kIsNotNull: return op == Operator::kIsNotNull;
    }
    return false;
}

std::vector<Value> all_words(const std::vector<Value>& texts) {
    std::vector<Value> words;
    for (const Value& text : texts) {
        for (std::string& word : words_of(std::get<std::string>(text))) {
            words.emplace_back(std::move(word));
        }
    }
    return words;
}

bool matches_condition(const Condition& condition, const Record& record) {
    const std::vector<Value> values = record(condition.attribute);
    if (condition.op == Operator::kIsNull) return values.empty();
    if (condition.op == Operator::kIsNotNull) return !values.empty();
    const bool is_text = condition.attribute.type == enums::INDEXED_VALUE_TYPE_TEXT;
    const bool is_list = condition.attribute.type == enums::INDEXED_VALUE_TYPE_KEYWORD_LIST;
    if (is_text || is_list) {
        const std::vector<Value> words = is_text ? all_words(values) : values;
        const std::vector<Value> wanted = is_text ? all_words(condition.values) : condition.values;
        const bool found = std::any_of(words.begin(), words.end(),
                                       [&](const Value& word) { return is_one_of(word, wanted); });
        const bool positive = condition.op == Operator::kEqual || condition.op == Operator::kIn;
        return found == positive;
    }
    return std::any_of(values.begin(), values.end(), [&](const Value& value) {
        return holds(value, condition.op, condition.values);
    });
}

bool matches_node(const Node& node, const Record& record) {
    const auto child_matches = [&](const Node& child) { return matches_node(child, record); };
    switch (node.kind) {
        case Node::Kind::kAnd:
            return std::all_of(node.children.begin(), node.children.end(), child_matches);
        case Node::Kind::kOr:
            return std::any_of(node.children.begin(), node.children.end(), child_matches);
        case Node::Kind::kCondition: return matches_condition(node.condition, record);
    }
    return false;
}

}  // namespace

bool matches(const Filter& filter, const Record& record) {
    return !filter.where || matches_node(*filter.where, record);
}

}  // namespace stele::visibility::filter
