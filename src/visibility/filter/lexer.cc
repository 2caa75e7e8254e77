#include "visibility/filter/lexer.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <array>

namespace stele::visibility::filter {
namespace {

/// Positions in messages count from the beginning of the query that users of Temporal know.
constexpr std::string_view kQueryBegin = "select * from table1 where ";

constexpr std::array<std::string_view, 12> kReserved = {
    "AND", "BETWEEN", "BY", "GROUP", "IN", "IS", "LIKE", "NOT", "OR", "ORDER", "REGEXP", "RLIKE"};
constexpr std::array<std::string_view, 4> kTwoByteSymbols = {"<=", ">=", "<>", "!="};
constexpr std::string_view kOneByteSymbols = "=<>(),-+*/%;";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool begins_name(char c) {
    // Bytes of letters beyond ASCII too.
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) { return begins_name(c) || is_digit(c) || c == '$' || c == '.'; }

/// What a backslash and this byte stand for in a string.
char unescaped(char c) {
    switch (c) {
        case '0': return '\0';
        case 'b': return '\b';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'Z': return '\x1a';
        default: return c;
    }
}

}  // namespace

bool Token::is_keyword(std::string_view keyword) const {
    return kind == Kind::kName &&
           std::equal(text.begin(), text.end(), keyword.begin(), keyword.end(), [](char a, char b) {
               return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
           });
}

bool Token::is_reserved() const {
    return std::any_of(kReserved.begin(), kReserved.end(),
                       [this](std::string_view word) { return is_keyword(word); });
}

/// Temporal's parser names the words that stop it, keywords in lower case, but no symbols.
absl::Status syntax_error(const Token& token) {
    std::string message = "malformed SQL query: syntax error at position " +
                          std::to_string(kQueryBegin.size() + token.end + 1);
    if (token.kind != Token::Kind::kEnd && token.kind != Token::Kind::kSymbol) {
        message += " near '" +
                   (token.is_reserved() ? absl::AsciiStrToLower(token.text) : token.text) + "'";
    }
    return invalid_argument(std::move(message));
}

/// Without the space at its end, which counts in no position.
std::string_view Lexer::without_end(std::string_view text) {
    return text.substr(0, text.find_last_not_of(" \t\n\r") + 1);
}

absl::StatusOr<Token> Lexer::next() {
    while (is_space(at(position_))) ++position_;
    if (position_ >= text_.size()) return Token{Token::Kind::kEnd, "", text_.size()};
    const char c = text_[position_];
    if (begins_name(c)) return name();
    if (is_digit(c) || (c == '.' && is_digit(at(position_ + 1)))) return number();
    if (c == '\'' || c == '"' || c == '`') return quoted(c);
    return symbol();
}

Token Lexer::name() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && continues_name(text_[position_])) ++position_;
    return {Token::Kind::kName, std::string(text_.substr(begin, position_ - begin)), position_};
}

Token Lexer::number() {
    const std::size_t begin = position_;
    Token::Kind kind = Token::Kind::kInteger;
    while (is_digit(at(position_))) ++position_;
    if (at(position_) == '.') {
        kind = Token::Kind::kFloat;
        ++position_;
        while (is_digit(at(position_))) ++position_;
    }
    const char e = at(position_);
    const char sign = at(position_ + 1);
    const bool is_signed = sign == '+' || sign == '-';
    if ((e == 'e' || e == 'E') && (is_digit(sign) || (is_signed && is_digit(at(position_ + 2))))) {
        kind = Token::Kind::kFloat;
        position_ += 2;
        while (is_digit(at(position_))) ++position_;
    }
    return {kind, std::string(text_.substr(begin, position_ - begin)), position_};
}

absl::StatusOr<Token> Lexer::quoted(char quote) {
    Token token{quote == '`' ? Token::Kind::kQuoted : Token::Kind::kString, "", 0};
    for (++position_; position_ < text_.size(); ++position_) {
        const char c = text_[position_];
        if (c == quote && at(position_ + 1) == quote) {
            token.text += quote;  // doubled, it stands for itself
            ++position_;
        } else if (c == quote) {
            token.end = ++position_;
            return token;
        } else if (c == '\\' && quote != '`' && position_ + 1 < text_.size()) {
            token.text += unescaped(text_[++position_]);
        } else {
            token.text += c;
        }
    }
    token.end = text_.size();
    return syntax_error(token);
}

absl::StatusOr<Token> Lexer::symbol() {
    Token token{Token::Kind::kSymbol, "", 0};
    const std::string_view two = text_.substr(position_, 2);
    const bool is_two =
        std::find(kTwoByteSymbols.begin(), kTwoByteSymbols.end(), two) != kTwoByteSymbols.end();
    token.text = std::string(is_two ? two : two.substr(0, 1));
    token.end = position_ += token.text.size();
    if (!is_two && kOneByteSymbols.find(token.text) == std::string_view::npos) {
        return syntax_error(token);
    }
    return token;
}

}  // namespace stele::visibility::filter
