#pragma once

#include "cli/json.h"

#include <ostream>
#include <string>
#include <utility>
#include <vector>

// What commands say: cards and tables for people, JSON for programs. A command calls what it has to
// say in both ways, and the chosen format picks.
namespace stele::cli {

enum class OutputFormat { kText, kJson, kJsonLines, kNone };

/// Not thread safe.
class Printer {
public:
    using Fields = std::vector<std::pair<std::string, std::string>>;
    struct Column {
        std::string title;
        std::size_t width;  // longer values simply take more
        bool align_right = false;
    };
    enum class Color { kRed, kGreen, kYellow, kBlue, kMagenta };

    Printer(std::ostream& stream, OutputFormat format, bool has_color)
        : stream_(stream), format_(format), has_color_(has_color) {}

    bool is_text() const { return format_ == OutputFormat::kText; }
    bool is_json() const {
        return format_ == OutputFormat::kJson || format_ == OutputFormat::kJsonLines;
    }

    // Text only: nothing happens in the other formats.
    void line(const std::string& text = "");
    void heading(const std::string& text);
    /// One field per line; fields without a value are left out.
    void card(const Fields& fields);
    void table_header(const std::vector<Column>& columns);
    void table_row(const std::vector<Column>& columns, const std::vector<std::string>& values);
    /// As wide as the values ask for.
    void table(const std::vector<std::string>& titles,
               const std::vector<std::vector<std::string>>& rows);
    std::string colored(Color color, const std::string& text) const;

    // JSON only.
    void json(const Json& value);
    /// Between the two, `json` writes the elements of a list; one per line with kJsonLines.
    void start_list();
    void end_list();

    /// Shows what has been written so far.
    void flush() { stream_.flush(); }

private:
    std::ostream& stream_;
    OutputFormat format_;
    bool has_color_;
    bool in_list_ = false;
    bool list_is_empty_ = true;
};

}  // namespace stele::cli
