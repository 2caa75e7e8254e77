#include "history/rule_condition.h"

#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <utility>

namespace stele::history {
namespace {

constexpr int kMaximumDepth = 50;

bool is_space(char letter) { return letter == ' ' || letter == '\t' || letter == '\n'; }
bool is_word(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '-' || letter == '.';
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& letter : result) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    return result;
}

struct Token {
    enum class Kind { kEnd, kWord, kText, kSymbol } kind = Kind::kEnd;
    std::string text;
};

/// Cuts the condition into words, quoted texts, and the symbols between them.
class Lexer {
public:
    explicit Lexer(std::string_view text) : rest_(text) {}

    absl::StatusOr<Token> next() {
        while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
        if (rest_.empty()) return Token{};
        const char first = rest_.front();
        if (first == '\'' || first == '"') return quoted(first);
        if (is_word(first)) return Token{Token::Kind::kWord, take_while(is_word)};
        static constexpr std::string_view kSymbols[] = {"!=", "<>", "<=", ">=", "=", "<", ">", "(", ")"};
        for (const std::string_view symbol : kSymbols) {
            if (!rest_.starts_with(symbol)) continue;
            rest_.remove_prefix(symbol.size());
            return Token{Token::Kind::kSymbol, std::string(symbol)};
        }
        return invalid_argument("unexpected '" + std::string(1, first) + "' in a condition");
    }

private:
    absl::StatusOr<Token> quoted(char quote) {
        const std::size_t end = rest_.find(quote, 1);
        if (end == std::string_view::npos) return invalid_argument("a text has no closing quote");
        Token token{Token::Kind::kText, std::string(rest_.substr(1, end - 1))};
        rest_.remove_prefix(end + 1);
        return token;
    }
    std::string take_while(bool (*accepts)(char)) {
        std::size_t length = 0;
        while (length < rest_.size() && accepts(rest_[length])) ++length;
        std::string word(rest_.substr(0, length));
        rest_.remove_prefix(length);
        return word;
    }

    std::string_view rest_;
};

template <typename T>
absl::StatusOr<bool> compare_ordered(const T& value, const std::string& op, const T& constant) {
    if (op == "=") return value == constant;
    if (op == "!=" || op == "<>") return value != constant;
    if (op == "<") return value < constant;
    if (op == "<=") return value <= constant;
    if (op == ">") return value > constant;
    if (op == ">=") return value >= constant;
    return invalid_argument("the operator " + op + " can not compare these");
}

absl::StatusOr<bool> compare_text(const std::string& value, const std::string& op,
                                  const std::string& constant) {
    if (op == "starts_with") return value.starts_with(constant);
    if (op == "not starts_with") return !value.starts_with(constant);
    if (op == "contains") return value.find(constant) != std::string::npos;
    if (op == "not contains") return value.find(constant) == std::string::npos;
    if (op == "=") return value == constant;
    if (op == "!=" || op == "<>") return value != constant;
    return invalid_argument("the operator " + op + " can not compare texts");
}

absl::StatusOr<std::int64_t> number_of(const Token& token) {
    std::int64_t number = 0;
    const char* end = token.text.data() + token.text.size();
    const auto [stopped, error] = std::from_chars(token.text.data(), end, number);
    if (token.kind != Token::Kind::kWord || error != std::errc() || stopped != end) {
        return invalid_argument("not a number: " + token.text);
    }
    return number;
}

absl::StatusOr<Timestamp> time_of(const Token& token) {
    google::protobuf::Timestamp time;
    if (!google::protobuf::util::TimeUtil::FromString(token.text, &time)) {
        return invalid_argument("not a time: " + token.text);
    }
    return from_proto(time);
}

/// Reads and evaluates in one go, by recursive descent.
class Evaluation {
public:
    Evaluation(std::string_view text, const RuleFields& fields) : lexer_(text), fields_(fields) {}

    absl::StatusOr<bool> run() {
        STELE_RETURN_IF_ERROR(advance());
        if (is_keyword("where")) STELE_RETURN_IF_ERROR(advance());
        STELE_ASSIGN_OR_RETURN(const bool holds, any_of(0));
        if (token_.kind != Token::Kind::kEnd) return unexpected();
        return holds;
    }

private:
    absl::Status advance() {
        STELE_ASSIGN_OR_RETURN(token_, lexer_.next());
        return absl::OkStatus();
    }
    bool is_keyword(std::string_view word) const {
        return token_.kind == Token::Kind::kWord && lower(token_.text) == word;
    }
    bool is_symbol(std::string_view symbol) const {
        return token_.kind == Token::Kind::kSymbol && token_.text == symbol;
    }
    absl::Status unexpected() const {
        return token_.kind == Token::Kind::kEnd
                   ? invalid_argument("a condition is not complete")
                   : invalid_argument("unexpected '" + token_.text + "' in a condition");
    }

    absl::StatusOr<bool> any_of(int depth) {
        STELE_ASSIGN_OR_RETURN(bool holds, all_of(depth));
        while (is_keyword("or")) {
            STELE_RETURN_IF_ERROR(advance());
            STELE_ASSIGN_OR_RETURN(const bool other, all_of(depth));
            holds = holds || other;
        }
        return holds;
    }
    absl::StatusOr<bool> all_of(int depth) {
        STELE_ASSIGN_OR_RETURN(bool holds, single(depth));
        while (is_keyword("and")) {
            STELE_RETURN_IF_ERROR(advance());
            STELE_ASSIGN_OR_RETURN(const bool other, single(depth));
            holds = holds && other;
        }
        return holds;
    }
    absl::StatusOr<bool> single(int depth) {
        if (depth > kMaximumDepth) return invalid_argument("a condition is nested too deeply");
        if (!is_symbol("(")) return comparison();
        STELE_RETURN_IF_ERROR(advance());
        STELE_ASSIGN_OR_RETURN(const bool holds, any_of(depth + 1));
        if (!is_symbol(")")) return unexpected();
        STELE_RETURN_IF_ERROR(advance());
        return holds;
    }

    absl::StatusOr<bool> comparison() {
        if (token_.kind != Token::Kind::kWord) return unexpected();
        const std::optional<RuleValue> value = fields_(token_.text);
        if (!value) return invalid_argument("no such field: " + token_.text);
        STELE_RETURN_IF_ERROR(advance());
        STELE_ASSIGN_OR_RETURN(const std::string op, take_operator());
        if (op == "between" || op == "not between") return range(*value, op == "between");
        STELE_ASSIGN_OR_RETURN(const bool holds, compare(*value, op));
        STELE_RETURN_IF_ERROR(advance());
        return holds;
    }
    /// A symbol, or a word with or without "not" before it.
    absl::StatusOr<std::string> take_operator() {
        std::string op;
        if (is_keyword("not")) {
            op = "not ";
            STELE_RETURN_IF_ERROR(advance());
        }
        if (token_.kind != Token::Kind::kSymbol && token_.kind != Token::Kind::kWord) {
            return unexpected();
        }
        op += lower(token_.text);
        STELE_RETURN_IF_ERROR(advance());
        return op;
    }
    absl::StatusOr<bool> range(const RuleValue& value, bool inside) {
        STELE_ASSIGN_OR_RETURN(const bool above, compare(value, ">="));
        STELE_RETURN_IF_ERROR(advance());
        if (!is_keyword("and")) return unexpected();
        STELE_RETURN_IF_ERROR(advance());
        STELE_ASSIGN_OR_RETURN(const bool below, compare(value, "<="));
        STELE_RETURN_IF_ERROR(advance());
        return (above && below) == inside;
    }
    /// The value with the constant that is the current token.
    absl::StatusOr<bool> compare(const RuleValue& value, const std::string& op) {
        if (token_.kind != Token::Kind::kWord && token_.kind != Token::Kind::kText) {
            return unexpected();
        }
        if (const auto* text = std::get_if<std::string>(&value)) {
            if (token_.kind != Token::Kind::kText) return unexpected();
            return compare_text(*text, op, token_.text);
        }
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            STELE_ASSIGN_OR_RETURN(const std::int64_t constant, number_of(token_));
            return compare_ordered(*number, op, constant);
        }
        if (const auto* time = std::get_if<Timestamp>(&value)) {
            STELE_ASSIGN_OR_RETURN(const Timestamp constant, time_of(token_));
            return compare_ordered(*time, op, constant);
        }
        return false;
    }

    Lexer lexer_;
    const RuleFields& fields_;
    Token token_;
};

}  // namespace

absl::StatusOr<bool> evaluate_condition(std::string_view condition, const RuleFields& fields) {
    return Evaluation(condition, fields).run();
}

}  // namespace stele::history
