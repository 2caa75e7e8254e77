#pragma once

#include "base/status.h"

#include <string>
#include <string_view>

// A filter cut into words.
namespace stele::visibility::filter {

struct Token {
    enum class Kind {
        kEnd,
        kName,    // not quoted; may be a keyword
        kQuoted,  // a name in backquotes
        kString,
        kInteger,
        kFloat,
        kSymbol,
    };
    Kind kind = Kind::kEnd;
    std::string text;     // of a string or quoted name: what is between the quotes
    std::size_t end = 0;  // behind its last byte

    bool is_symbol(std::string_view symbol) const {
        return kind == Kind::kSymbol && text == symbol;
    }
    /// Keywords are told in upper case and may be written in any.
    bool is_keyword(std::string_view keyword) const;
    /// A keyword that can not be the name of an attribute, unless it is in backquotes.
    bool is_reserved() const;
};

/// Not thread safe. `text` must outlive it.
class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(without_end(text)) {}

    /// The next token; kEnd at the end, again and again. An error for a byte that begins no token or
    /// a quote that does not end.
    absl::StatusOr<Token> next();

private:
    static std::string_view without_end(std::string_view text);
    Token name();
    Token number();
    absl::StatusOr<Token> quoted(char quote);
    absl::StatusOr<Token> symbol();
    char at(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }

    std::string_view text_;
    std::size_t position_ = 0;
};

/// The error for a text that is no filter, at a token.
absl::Status syntax_error(const Token& token);

}  // namespace stele::visibility::filter
