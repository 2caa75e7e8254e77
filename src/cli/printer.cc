#include "cli/printer.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::cli {
namespace {

constexpr char kIndent[] = "  ";

std::string dump(const Json& value, int indent) {
    return value.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string padded(const std::string& text, const Printer::Column& column) {
    return column.align_right ? fmt::format("{:>{}}", text, column.width)
                              : fmt::format("{:<{}}", text, column.width);
}

std::string without_trailing_spaces(std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

}  // namespace

void Printer::line(const std::string& text) {
    if (is_text()) stream_ << text << "\n";
}

void Printer::heading(const std::string& text) { line(colored(Color::kMagenta, text)); }

void Printer::card(const Fields& fields) {
    std::size_t width = 0;
    for (const auto& [name, value] : fields) {
        if (!value.empty()) width = std::max(width, name.size());
    }
    for (const auto& [name, value] : fields) {
        if (!value.empty()) line(fmt::format("{}{:<{}}  {}", kIndent, name, width, value));
    }
}

void Printer::table_header(const std::vector<Column>& columns) {
    std::vector<std::string> titles;
    for (const Column& column : columns) titles.push_back(column.title);
    table_row(columns, titles);
}

void Printer::table_row(const std::vector<Column>& columns,
                        const std::vector<std::string>& values) {
    std::string row;
    for (std::size_t i = 0; i < columns.size(); ++i) row += kIndent + padded(values[i], columns[i]);
    line(without_trailing_spaces(std::move(row)));
}

void Printer::table(const std::vector<std::string>& titles,
                    const std::vector<std::vector<std::string>>& rows) {
    std::vector<Column> columns;
    for (std::size_t i = 0; i < titles.size(); ++i) {
        Column column{titles[i], titles[i].size()};
        for (const auto& row : rows) column.width = std::max(column.width, row[i].size());
        columns.push_back(column);
    }
    table_header(columns);
    for (const auto& row : rows) table_row(columns, row);
}

std::string Printer::colored(Color color, const std::string& text) const {
    if (!has_color_) return text;
    int code = 0;
    switch (color) {
        case Color::kRed: code = 31; break;
        case Color::kGreen: code = 32; break;
        case Color::kYellow: code = 33; break;
        case Color::kBlue: code = 34; break;
        case Color::kMagenta: code = 35; break;
    }
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void Printer::json(const Json& value) {
    if (!is_json()) return;
    if (in_list_ && format_ == OutputFormat::kJson) stream_ << (list_is_empty_ ? "" : ",\n");
    list_is_empty_ = false;
    stream_ << dump(value, format_ == OutputFormat::kJson ? 2 : -1);
    if (!in_list_ || format_ == OutputFormat::kJsonLines) stream_ << "\n";
}

void Printer::start_list() {
    in_list_ = true;
    list_is_empty_ = true;
    if (format_ == OutputFormat::kJson) stream_ << "[\n";
}

void Printer::end_list() {
    in_list_ = false;
    if (format_ == OutputFormat::kJson) stream_ << (list_is_empty_ ? "]\n" : "\n]\n");
}

}  // namespace stele::cli
