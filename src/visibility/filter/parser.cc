#include "visibility/filter/filter.h"
#include "visibility/filter/lexer.h"
#include "visibility/filter/operand.h"

#include <algorithm>
#include <utility>

// Recursive descent over
//
//     filter     = [or] [GROUP BY name {, name}] [ORDER BY name [ASC|DESC] {, ...}]
//     or         = and {OR and}
//     and        = not {AND not}
//     not        = NOT not | "(" or ")" | comparison
//     comparison = operand operator operand | operand [NOT] IN list | operand [NOT] BETWEEN a AND b
//                | operand IS [NOT] NULL
//
// A negation is handed down as a flag: it swaps AND with OR and every operator with its opposite.
namespace stele::visibility::filter {
namespace {

namespace enums = temporal::api::enums::v1;

bool is_word_type(AttributeType type) {
    return type == enums::INDEXED_VALUE_TYPE_KEYWORD_LIST || type == enums::INDEXED_VALUE_TYPE_TEXT;
}

bool is_supported(AttributeType type, Operator op) {
    switch (op) {
        case Operator::kEqual:
        case Operator::kNotEqual: return true;
        case Operator::kIn:
        case Operator::kNotIn: return type != enums::INDEXED_VALUE_TYPE_TEXT;
        case Operator::kStartsWith:
        case Operator::kNotStartsWith: return type == enums::INDEXED_VALUE_TYPE_KEYWORD;
        default: return !is_word_type(type);
    }
}

bool has_range(AttributeType type) {
    return type == enums::INDEXED_VALUE_TYPE_DATETIME || type == enums::INDEXED_VALUE_TYPE_DOUBLE ||
           type == enums::INDEXED_VALUE_TYPE_INT || type == enums::INDEXED_VALUE_TYPE_KEYWORD;
}

absl::Status unsupported(std::string message) {
    return invalid_argument("operation is not supported: " + std::move(message));
}

class Parser {
public:
    Parser(std::string_view text, const Resolver& resolver, const Limits& limits)
        : lexer_(text), resolver_(resolver), limits_(limits) {}

    absl::StatusOr<Filter> parse();

private:
    absl::Status advance();
    absl::Status expect_symbol(std::string_view symbol);
    absl::Status expect_keyword(std::string_view keyword);

    absl::StatusOr<Node> disjunction(bool negated);
    absl::StatusOr<Node> conjunction(bool negated);
    absl::StatusOr<Node> negation(bool negated);
    absl::StatusOr<Node> parenthesised(bool negated);
    absl::StatusOr<Node> comparison(bool negated);
    absl::StatusOr<Node> comparison_with(const Operand& left, std::string written, Operator op,
                                         bool negated);
    absl::StatusOr<Node> range(const Operand& left, bool negated);
    absl::StatusOr<Node> null_test(const Operand& left, bool negated);

    absl::StatusOr<Operand> operand();
    absl::StatusOr<Operand> list();
    absl::Status count_value();

    absl::Status group_by(Filter& filter);
    absl::Status order_by(Filter& filter);

    static Node condition(Attribute attribute, Operator op, std::vector<Value> values,
                          bool negated);

    Lexer lexer_;
    Token token_;
    const Resolver& resolver_;
    const Limits& limits_;
    int depth_ = 0;
    std::size_t values_ = 0;
};

absl::Status Parser::advance() {
    STELE_ASSIGN_OR_RETURN(token_, lexer_.next());
    return absl::OkStatus();
}

absl::Status Parser::expect_symbol(std::string_view symbol) {
    if (!token_.is_symbol(symbol)) return syntax_error(token_);
    return advance();
}

absl::Status Parser::expect_keyword(std::string_view keyword) {
    if (!token_.is_keyword(keyword)) return syntax_error(token_);
    return advance();
}

absl::Status Parser::count_value() {
    if (++values_ > limits_.values) {
        return invalid_argument("malformed SQL query: more than " + std::to_string(limits_.values) +
                                " values");
    }
    return absl::OkStatus();
}

Node Parser::condition(Attribute attribute, Operator op, std::vector<Value> values, bool negated) {
    Node node;
    node.condition = {std::move(attribute), negated ? opposite(op) : op, std::move(values)};
    return node;
}

absl::StatusOr<Node> Parser::disjunction(bool negated) {
    std::vector<Node> parts;
    for (;;) {
        STELE_ASSIGN_OR_RETURN(Node part, conjunction(negated));
        parts.push_back(std::move(part));
        if (!token_.is_keyword("OR")) break;
        STELE_RETURN_IF_ERROR(advance());
    }
    return joined(negated ? Node::Kind::kAnd : Node::Kind::kOr, std::move(parts));
}

absl::StatusOr<Node> Parser::conjunction(bool negated) {
    std::vector<Node> parts;
    for (;;) {
        STELE_ASSIGN_OR_RETURN(Node part, negation(negated));
        parts.push_back(std::move(part));
        if (!token_.is_keyword("AND")) break;
        STELE_RETURN_IF_ERROR(advance());
    }
    return joined(negated ? Node::Kind::kOr : Node::Kind::kAnd, std::move(parts));
}

absl::StatusOr<Node> Parser::negation(bool negated) {
    const bool is_not = token_.is_keyword("NOT");
    if (!is_not && !token_.is_symbol("(")) return comparison(negated);
    if (++depth_ > limits_.depth) {
        return invalid_argument("malformed SQL query: nested deeper than " +
                                std::to_string(limits_.depth) + " levels");
    }
    STELE_RETURN_IF_ERROR(advance());
    absl::StatusOr<Node> node = is_not ? negation(!negated) : parenthesised(negated);
    --depth_;
    return node;
}

absl::StatusOr<Node> Parser::parenthesised(bool negated) {
    STELE_ASSIGN_OR_RETURN(Node node, disjunction(negated));
    STELE_RETURN_IF_ERROR(expect_symbol(")"));
    return node;
}

absl::StatusOr<Node> Parser::comparison(bool negated) {
    static const std::vector<std::pair<std::string_view, Operator>> kSymbols = {
        {"=", Operator::kEqual},        {"!=", Operator::kNotEqual},  {"<>", Operator::kNotEqual},
        {"<", Operator::kLess},         {"<=", Operator::kLessEqual}, {">", Operator::kGreater},
        {">=", Operator::kGreaterEqual}};
    STELE_ASSIGN_OR_RETURN(const Operand left, operand());
    for (const auto& [symbol, op] : kSymbols) {
        if (!token_.is_symbol(symbol)) continue;
        STELE_RETURN_IF_ERROR(advance());
        return comparison_with(left, std::string(symbol), op, negated);
    }
    if (token_.is_keyword("IS")) return null_test(left, negated);
    bool is_not = false;
    if (token_.is_keyword("NOT")) {
        is_not = true;
        STELE_RETURN_IF_ERROR(advance());
    }
    const std::string prefix = is_not ? "NOT " : "";
    if (token_.is_keyword("IN")) {
        STELE_RETURN_IF_ERROR(advance());
        return comparison_with(left, prefix + "IN", is_not ? Operator::kNotIn : Operator::kIn,
                               negated);
    }
    if (token_.is_keyword("STARTS_WITH")) {
        STELE_RETURN_IF_ERROR(advance());
        return comparison_with(left, prefix + "STARTS_WITH",
                               is_not ? Operator::kNotStartsWith : Operator::kStartsWith, negated);
    }
    if (token_.is_keyword("BETWEEN")) {
        STELE_RETURN_IF_ERROR(advance());
        return range(left, negated != is_not);
    }
    if (token_.is_keyword("LIKE") || token_.is_keyword("REGEXP") || token_.is_keyword("RLIKE")) {
        STELE_ASSIGN_OR_RETURN(const Attribute attribute, resolve(left, resolver_));
        return unsupported("operator '" + prefix + (token_.is_keyword("LIKE") ? "LIKE" : "REGEXP") +
                           "' not supported for " + history::type_name(attribute.type) +
                           " type search attribute '" + attribute.alias + "'");
    }
    if (is_not) return syntax_error(token_);
    // Nothing is compared. A text that goes on is no filter at all.
    const bool ends = token_.kind == Token::Kind::kEnd || token_.is_symbol(")") ||
                      token_.is_keyword("AND") || token_.is_keyword("OR") ||
                      token_.is_keyword("GROUP") || token_.is_keyword("ORDER");
    if (!ends) return syntax_error(token_);
    if (left.kind == Operand::Kind::kName) {
        return invalid_argument("invalid expression: incomplete expression");
    }
    if (left.kind == Operand::Kind::kFunction) return unsupported("function expression");
    return unsupported("expression of type *sqlparser.SQLVal");
}

absl::StatusOr<Node> Parser::comparison_with(const Operand& left, std::string written, Operator op,
                                             bool negated) {
    const bool takes_list = op == Operator::kIn || op == Operator::kNotIn;
    if (takes_list && !token_.is_symbol("(")) return syntax_error(token_);
    STELE_ASSIGN_OR_RETURN(Operand right, takes_list ? list() : operand());
    STELE_ASSIGN_OR_RETURN(Attribute attribute, resolve(left, resolver_));
    STELE_ASSIGN_OR_RETURN(std::vector<Value> values, values_of(right, attribute));
    if (!is_supported(attribute.type, op)) {
        return unsupported("operator '" + written + "' not supported for " +
                           history::type_name(attribute.type) + " type search attribute '" +
                           attribute.alias + "'");
    }
    if (!takes_list && values.size() != 1) {
        return invalid_argument("invalid expression: operator '" + written +
                                "' compares with one value, not with a list");
    }
    const bool is_prefix = op == Operator::kStartsWith || op == Operator::kNotStartsWith;
    if (is_prefix && !std::holds_alternative<std::string>(values.front())) {
        return invalid_argument(
            "invalid expression: right-hand side of \"" +
            std::string(op == Operator::kStartsWith ? "starts_with" : "not starts_with") +
            "\" operator must be a literal string (got: " + right.text + ")");
    }
    return condition(std::move(attribute), op, std::move(values), negated);
}

absl::StatusOr<Node> Parser::range(const Operand& left, bool negated) {
    STELE_ASSIGN_OR_RETURN(const Operand from, operand());
    STELE_RETURN_IF_ERROR(expect_keyword("AND"));
    STELE_ASSIGN_OR_RETURN(const Operand to, operand());
    STELE_ASSIGN_OR_RETURN(Attribute attribute, resolve(left, resolver_));
    if (!has_range(attribute.type)) {
        return invalid_argument(
            "invalid expression: cannot do range condition on search attribute '" +
            attribute.alias + "' of type " + history::type_name(attribute.type));
    }
    STELE_ASSIGN_OR_RETURN(std::vector<Value> values, values_of(from, attribute));
    STELE_ASSIGN_OR_RETURN(const std::vector<Value> end, values_of(to, attribute));
    if (values.size() != 1 || end.size() != 1) {
        return invalid_argument("invalid expression: the end of a range is one value, not a list");
    }
    values.push_back(end.front());
    return condition(std::move(attribute), Operator::kBetween, std::move(values), negated);
}

absl::StatusOr<Node> Parser::null_test(const Operand& left, bool negated) {
    STELE_RETURN_IF_ERROR(advance());
    bool is_not = false;
    if (token_.is_keyword("NOT")) {
        is_not = true;
        STELE_RETURN_IF_ERROR(advance());
    }
    const bool is_truth = token_.is_keyword("TRUE") || token_.is_keyword("FALSE");
    if (!is_truth && !token_.is_keyword("NULL")) return syntax_error(token_);
    STELE_ASSIGN_OR_RETURN(Attribute attribute, resolve(left, resolver_));
    if (is_truth) {
        return invalid_argument(
            "invalid expression: 'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'");
    }
    STELE_RETURN_IF_ERROR(advance());
    return condition(std::move(attribute), is_not ? Operator::kIsNotNull : Operator::kIsNull, {},
                     negated);
}

absl::StatusOr<Operand> Parser::operand() {
    STELE_RETURN_IF_ERROR(count_value());
    Operand operand;
    operand.text = token_.text;
    switch (token_.kind) {
        case Token::Kind::kString: operand.kind = Operand::Kind::kString; break;
        case Token::Kind::kInteger: operand.kind = Operand::Kind::kInteger; break;
        case Token::Kind::kFloat: operand.kind = Operand::Kind::kFloat; break;
        case Token::Kind::kQuoted: operand.kind = Operand::Kind::kName; break;
        case Token::Kind::kName:
            if (token_.is_reserved()) return syntax_error(token_);
            if (token_.is_keyword("NULL")) {
                operand.kind = Operand::Kind::kNull;
            } else if (token_.is_keyword("TRUE") || token_.is_keyword("FALSE")) {
                operand.kind = Operand::Kind::kBool;
                operand.boolean = token_.is_keyword("TRUE");
            } else {
                operand.kind = Operand::Kind::kName;
            }
            break;
        case Token::Kind::kSymbol: {
            if (token_.is_symbol("(")) return list();
            const bool minus = token_.is_symbol("-");
            if (!minus && !token_.is_symbol("+")) return syntax_error(token_);
            STELE_RETURN_IF_ERROR(advance());
            if (token_.kind != Token::Kind::kInteger && token_.kind != Token::Kind::kFloat) {
                return syntax_error(token_);
            }
            operand.kind = token_.kind == Token::Kind::kInteger ? Operand::Kind::kInteger
                                                                : Operand::Kind::kFloat;
            operand.text = (minus ? "-" : "") + token_.text;
            break;
        }
        case Token::Kind::kEnd: return syntax_error(token_);
    }
    const bool may_call = operand.kind == Operand::Kind::kName && token_.kind == Token::Kind::kName;
    STELE_RETURN_IF_ERROR(advance());
    if (may_call && token_.is_symbol("(")) {
        STELE_ASSIGN_OR_RETURN(operand, list());
        operand.kind = Operand::Kind::kFunction;
    }
    return operand;
}

absl::StatusOr<Operand> Parser::list() {
    if (++depth_ > limits_.depth) {
        return invalid_argument("malformed SQL query: nested deeper than " +
                                std::to_string(limits_.depth) + " levels");
    }
    Operand list;
    list.kind = Operand::Kind::kList;
    do {
        STELE_RETURN_IF_ERROR(advance());
        STELE_ASSIGN_OR_RETURN(Operand item, operand());
        list.list.push_back(std::move(item));
    } while (token_.is_symbol(","));
    STELE_RETURN_IF_ERROR(expect_symbol(")"));
    --depth_;
    return list;
}

absl::Status Parser::group_by(Filter& filter) {
    STELE_RETURN_IF_ERROR(advance());
    STELE_RETURN_IF_ERROR(expect_keyword("BY"));
    STELE_ASSIGN_OR_RETURN(const Operand first, operand());
    if (token_.is_symbol(",")) {
        return unsupported("'GROUP BY' clause supports only a single field");
    }
    STELE_ASSIGN_OR_RETURN(filter.group_by, resolve(first, resolver_));
    return absl::OkStatus();
}

absl::Status Parser::order_by(Filter& filter) {
    STELE_RETURN_IF_ERROR(advance());
    STELE_RETURN_IF_ERROR(expect_keyword("BY"));
    for (;;) {
        STELE_ASSIGN_OR_RETURN(const Operand name, operand());
        STELE_ASSIGN_OR_RETURN(Attribute attribute, resolve(name, resolver_));
        filter.order_by.push_back(std::move(attribute));
        if (token_.is_keyword("ASC") || token_.is_keyword("DESC")) STELE_RETURN_IF_ERROR(advance());
        if (!token_.is_symbol(",")) return absl::OkStatus();
        STELE_RETURN_IF_ERROR(advance());
    }
}

absl::StatusOr<Filter> Parser::parse() {
    Filter filter;
    STELE_RETURN_IF_ERROR(advance());
    const bool has_condition = token_.kind != Token::Kind::kEnd && !token_.is_keyword("GROUP") &&
                               !token_.is_keyword("ORDER") && !token_.is_keyword("LIMIT");
    if (has_condition) {
        STELE_ASSIGN_OR_RETURN(filter.where, disjunction(/*negated=*/false));
    }
    if (token_.is_keyword("GROUP")) STELE_RETURN_IF_ERROR(group_by(filter));
    if (token_.is_keyword("ORDER")) STELE_RETURN_IF_ERROR(order_by(filter));
    if (token_.is_keyword("LIMIT")) return unsupported("'LIMIT' clause");
    if (token_.kind != Token::Kind::kEnd) return syntax_error(token_);
    return filter;
}

bool mentions_in(const Node& node, std::string_view name) {
    if (node.kind == Node::Kind::kCondition) return node.condition.attribute.name == name;
    return std::any_of(node.children.begin(), node.children.end(),
                       [&](const Node& child) { return mentions_in(child, name); });
}

}  // namespace

Operator opposite(Operator op) {
    // They are declared in pairs.
    return static_cast<Operator>(static_cast<int>(op) ^ 1);
}

Node joined(Node::Kind kind, std::vector<Node> parts) {
    if (parts.size() == 1) return std::move(parts.front());
    Node node;
    node.kind = kind;
    node.children = std::move(parts);
    return node;
}

bool mentions(const Filter& filter, std::string_view name) {
    if (filter.group_by && filter.group_by->name == name) return true;
    return filter.where && mentions_in(*filter.where, name);
}

absl::StatusOr<Filter> parse(std::string_view text, const Resolver& resolver,
                             const Limits& limits) {
    if (text.size() > limits.bytes) {
        return invalid_argument("malformed SQL query: longer than " + std::to_string(limits.bytes) +
                                " bytes");
    }
    return Parser(text, resolver, limits).parse();
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    const auto end_word = [&] {
        if (!word.empty()) words.push_back(std::exchange(word, {}));
    };
    for (const char c : text) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        const bool in_word = is_upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                             static_cast<unsigned char>(c) >= 0x80;
        if (!in_word) {
            end_word();
        } else {
            word += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    end_word();
    return words;
}

}  // namespace stele::visibility::filter
