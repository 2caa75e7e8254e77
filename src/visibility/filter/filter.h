#pragma once

#include "base/status.h"
#include "history/search_attributes.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The language in which lists and counts say what they want, such as
//
//     WorkflowType = "order" AND (ExecutionStatus = "Running" OR CloseTime > "2026-01-01T00:00:00Z")
//
// It is the condition of an SQL query. A text is parsed once, against the attributes that may be
// named in it, to a tree; the tree is then evaluated on a record (evaluate.h) or printed for a
// database (sql.h). Pure and thread safe.
namespace stele::visibility::filter {

using history::AttributeType;
using Value = history::AttributeValue;

/// What a condition is about.
struct Attribute {
    std::string name;   // as records know it, which a filter may call differently
    std::string alias;  // as the filter called it, for messages
    AttributeType type{};
};

enum class Operator {
    kEqual,
    kNotEqual,
    kLess,
    kGreaterEqual,
    kGreater,
    kLessEqual,
    kIn,
    kNotIn,
    kBetween,
    kNotBetween,
    kStartsWith,
    kNotStartsWith,
    kIsNull,
    kIsNotNull,
};

/// The operator that holds where this one does not, between values that are there.
Operator opposite(Operator op);

/// A comparison. Of an attribute that has no value only kIsNull holds; but a KeywordList and a Text
/// are compared as sets of words, and a set that is empty does not hold any word.
struct Condition {
    Attribute attribute;
    Operator op{};
    /// In the type of the attribute: none for the null tests, two for ranges, any number for kIn and
    /// kNotIn, else one. Int and Double may be compared with each other.
    std::vector<Value> values;
};

/// There is no negation in the tree: NOT is carried down to the conditions, so that what a database
/// makes of missing values never matters.
struct Node {
    enum class Kind { kAnd, kOr, kCondition };
    Kind kind = Kind::kCondition;
    std::vector<Node> children;  // of kAnd and kOr; two or more
    Condition condition;         // of kCondition
};

/// One node that says what `parts`, of which there is at least one, say together; `kind` is kAnd or
/// kOr.
Node joined(Node::Kind kind, std::vector<Node> parts);

struct Filter {
    std::optional<Node> where;  // none: everything
    std::optional<Attribute> group_by;
    /// Attributes by which the result is to be ordered, in the order of their mention.
    std::vector<Attribute> order_by;
};

/// Whether a filter mentions an attribute, by its name in records.
bool mentions(const Filter& filter, std::string_view name);

/// Finds what a name in a filter means; nullopt where it means nothing.
using Resolver = std::function<std::optional<Attribute>(std::string_view)>;

struct Limits {
    std::size_t bytes = 64 * 1024;
    std::size_t values = 10'000;  // all together
    int depth = 64;               // of parentheses and negations
};

/// INVALID_ARGUMENT with the texts that users of Temporal know, without the words "invalid query"
/// in front.
absl::StatusOr<Filter> parse(std::string_view text, const Resolver& resolver,
                             const Limits& limits = {});

/// The name of a temporal.api.enums.v1.WorkflowExecutionStatus as filters and counts use it, such as
/// "Running".
std::string status_name(int status);

/// The words of a Text attribute or of a value that it is compared with, in lower case.
std::vector<std::string> words_of(std::string_view text);

}  // namespace stele::visibility::filter
