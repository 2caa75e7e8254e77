#pragma once

#include "base/status.h"
#include "history/search_attributes.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

// SQLite in our words: owners for its handles, and its errors as statuses.
namespace stele::visibility {

/// A prepared statement. Not thread safe; must not outlive its database.
class Statement {
public:
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

    // Parameters count from 1 in the order of the question marks.
    void bind(int parameter, std::int64_t value);
    void bind(int parameter, double value);
    void bind_text(int parameter, std::string_view value);
    void bind_bytes(int parameter, std::string_view value);
    void bind_null(int parameter);
    void bind(int parameter, const history::AttributeValue& value);

    /// True when there is a row, false at the end.
    absl::StatusOr<bool> step();
    /// Runs a statement that gives no rows, and makes it ready to be bound anew.
    absl::Status run();
    /// Makes it ready to be bound anew.
    void reset();

    // Columns of the row count from 0. Views are valid until the next step.
    std::int64_t integer(int column) const;
    std::string_view text(int column) const;
    std::string_view bytes(int column) const;
    bool is_null(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A connection. Not thread safe.
class Database {
public:
    /// The database in a file, which is made with mode 0600 if it is not there; without a path one in
    /// memory.
    static absl::StatusOr<std::unique_ptr<Database>> open(const std::optional<std::string>& path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    absl::StatusOr<Statement> prepare(const std::string& sql);
    /// Runs statements that take and give nothing.
    absl::Status execute(const char* sql);
    /// How many rows the last statement that was run has put, changed or removed.
    std::int64_t changes() const;
    /// Everything that was committed is on stable storage when this returns OK.
    absl::Status checkpoint();

private:
    explicit Database(sqlite3* handle) : handle_(handle) {}
    absl::Status error() const;

    sqlite3* handle_;
};

}  // namespace stele::visibility
