#include "visibility/filter/sql.h"

#include <algorithm>
#include <span>
#include <utility>

namespace stele::visibility::filter {
namespace {

namespace enums = temporal::api::enums::v1;

class Printer {
public:
    explicit Printer(const Layout& layout) : layout_(layout) {}

    void print(const Node& node) {
        switch (node.kind) {
            case Node::Kind::kAnd: return print_all(node.children, " AND ");
            case Node::Kind::kOr: return print_all(node.children, " OR ");
            case Node::Kind::kCondition: return print(node.condition);
        }
    }

    Sql take() { return std::move(sql_); }

private:
    void print_all(std::span<const Node> nodes, const char* between) {
        if (nodes.size() == 1) return print(nodes.front());
        const std::size_t half = nodes.size() / 2;
        add("(");
        print_all(nodes.first(half), between);
        add(between);
        print_all(nodes.subspan(half), between);
        add(")");
    }

    void print(const Condition& condition) {
        if (const char* column = layout_.column(condition.attribute)) {
            return print_comparison(column, condition.op, condition.values);
        }
        switch (condition.attribute.type) {
            case enums::INDEXED_VALUE_TYPE_TEXT: return print_words(condition);
            case enums::INDEXED_VALUE_TYPE_KEYWORD_LIST: return print_list(condition);
            default: return print_scalar(condition);
        }
    }

    void print_scalar(const Condition& condition) {
        if (is_null_test(condition.op)) return print_null_test(condition);
        begin_rows(condition.attribute, "run IN ");
        add(" AND ");
        print_comparison("value", condition.op, condition.values);
        add(")");
    }

    void print_list(const Condition& condition) {
        if (is_null_test(condition.op)) return print_null_test(condition);
        const bool positive = condition.op == Operator::kEqual || condition.op == Operator::kIn;
        begin_rows(condition.attribute, positive ? "run IN " : "run NOT IN ");
        add(" AND ");
        print_comparison("value", Operator::kIn, condition.values);
        add(")");
    }

    void print_words(const Condition& condition) {
        if (is_null_test(condition.op)) return print_null_test(condition);
        std::vector<Value> words;
        for (std::string& word : words_of(std::get<std::string>(condition.values.front()))) {
            words.emplace_back(std::move(word));
        }
        const bool positive = condition.op == Operator::kEqual;
        if (words.empty()) return add(positive ? "0" : "1");
        begin_rows(condition.attribute, positive ? "run IN " : "run NOT IN ");
        add(" AND ");
        print_comparison("value", Operator::kIn, words);
        add(")");
    }

    void print_null_test(const Condition& condition) {
        begin_rows(condition.attribute,
                   condition.op == Operator::kIsNull ? "run NOT IN " : "run IN ");
        add(")");
    }

    /// The runs that have a value; more conditions and the closing parenthesis follow.
    void begin_rows(const Attribute& attribute, const char* test) {
        add(test);
        add("(SELECT run FROM attribute WHERE name = ");
        parameter(layout_.name(attribute));
    }

    void print_comparison(const char* what, Operator op, const std::vector<Value>& values) {
        switch (op) {
            case Operator::kEqual: return compare(what, " = ", values[0]);
            case Operator::kNotEqual: return compare(what, " <> ", values[0]);
            case Operator::kLess: return compare(what, " < ", values[0]);
            case Operator::kLessEqual: return compare(what, " <= ", values[0]);
            case Operator::kGreater: return compare(what, " > ", values[0]);
            case Operator::kGreaterEqual: return compare(what, " >= ", values[0]);
            case Operator::kIn: return print_in(what, " IN (", values);
            case Operator::kNotIn: return print_in(what, " NOT IN (", values);
            case Operator::kBetween: return print_between(what, " BETWEEN ", values);
            case Operator::kNotBetween: return print_between(what, " NOT BETWEEN ", values);
            case Operator::kStartsWith:
            case Operator::kNotStartsWith:
                return print_prefix(what, op == Operator::kStartsWith,
                                    std::get<std::string>(values[0]));
            case Operator::kIsNull: return add(std::string(what) + " IS NULL");
            case Operator::kIsNotNull: return add(std::string(what) + " IS NOT NULL");
        }
    }

    void compare(const char* what, const char* op, Value value) {
        add(what);
        add(op);
        parameter(std::move(value));
    }

    void print_in(const char* what, const char* op, const std::vector<Value>& values) {
        add(what);
        add(op);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i > 0) add(", ");
            parameter(values[i]);
        }
        add(")");
    }

    void print_between(const char* what, const char* op, const std::vector<Value>& values) {
        add(what);
        add(op);
        parameter(values[0]);
        add(" AND ");
        parameter(values[1]);
    }

    /// As a range, which an index serves: from the prefix to the first text that is greater than
    /// everything which begins with it.
    void print_prefix(const char* what, bool positive, const std::string& prefix) {
        std::string end = prefix;
        while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
        add("(");
        compare(what, positive ? " >= " : " < ", prefix);
        if (!end.empty()) {
            end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
            add(positive ? " AND " : " OR ");
            compare(what, positive ? " < " : " >= ", end);
        }
        add(")");
    }

    static bool is_null_test(Operator op) {
        return op == Operator::kIsNull || op == Operator::kIsNotNull;
    }

    void add(const std::string& text) { sql_.text += text; }
    void parameter(Value value) {
        sql_.text += "?";
        sql_.parameters.push_back(std::move(value));
    }

    const Layout& layout_;
    Sql sql_;
};

}  // namespace

Sql print(const Node& node, const Layout& layout) {
    Printer printer(layout);
    printer.print(node);
    return printer.take();
}

}  // namespace stele::visibility::filter
