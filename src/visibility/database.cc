#include "visibility/database.h"

#include "visibility/page_checksums.h"

#include <sqlite3.h>

#include <sys/stat.h>

#include <utility>

namespace stele::visibility {
namespace {

/// While another process looks at the file.
constexpr int kBusyMilliseconds = 5'000;

bool tells_of_damage(int code) {
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB ||
           code == SQLITE_IOERR_DATA;
}

absl::Status error_of(sqlite3* handle) {
    if (handle == nullptr) return unavailable("the visibility index: out of memory");
    const char* const file = sqlite3_db_filename(handle, "main");
    std::string text = "the visibility index";
    if (file != nullptr && *file != '\0') text += std::string(" ") + file;
    text += std::string(": ") + sqlite3_errmsg(handle);
    if (tells_of_damage(sqlite3_extended_errcode(handle))) {
        return make_error(absl::StatusCode::kDataLoss, text + ": it is damaged");
    }
    return unavailable(text);
}

struct BindValue {
    Statement& statement;
    int parameter;

    void operator()(bool value) const { statement.bind(parameter, std::int64_t{value}); }
    void operator()(std::int64_t value) const { statement.bind(parameter, value); }
    void operator()(double value) const { statement.bind(parameter, value); }
    void operator()(Timestamp value) const {
        statement.bind(parameter, std::int64_t{value.time_since_epoch().count()});
    }
    void operator()(const std::string& value) const { statement.bind_text(parameter, value); }
};

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::bind(int parameter, std::int64_t value) {
    sqlite3_bind_int64(statement_.get(), parameter, value);
}
void Statement::bind(int parameter, double value) {
    sqlite3_bind_double(statement_.get(), parameter, value);
}
void Statement::bind_text(int parameter, std::string_view value) {
    sqlite3_bind_text64(statement_.get(), parameter, value.data(), value.size(), SQLITE_TRANSIENT,
                        SQLITE_UTF8);
}
void Statement::bind_bytes(int parameter, std::string_view value) {
    sqlite3_bind_blob64(statement_.get(), parameter, value.data(), value.size(), SQLITE_TRANSIENT);
}
void Statement::bind_null(int parameter) { sqlite3_bind_null(statement_.get(), parameter); }
void Statement::bind(int parameter, const history::AttributeValue& value) {
    std::visit(BindValue{*this, parameter}, value);
}

absl::StatusOr<bool> Statement::step() {
    switch (sqlite3_step(statement_.get())) {
        case SQLITE_ROW: return true;
        case SQLITE_DONE: return false;
        default: return error_of(sqlite3_db_handle(statement_.get()));
    }
}

absl::Status Statement::run() {
    const absl::StatusOr<bool> stepped = step();
    reset();
    return stepped.status();
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}
std::string_view Statement::text(int column) const {
    const auto* data = sqlite3_column_text(statement_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return {reinterpret_cast<const char*>(data), data == nullptr ? 0 : size};
}
std::string_view Statement::bytes(int column) const {
    const auto* data = sqlite3_column_blob(statement_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return {static_cast<const char*>(data), data == nullptr ? 0 : size};
}
bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<Database>> Database::open(const std::optional<std::string>& path) {
    sqlite3* handle = nullptr;
    // One thread uses it; it is the same one for its whole life.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                      SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
    STELE_ASSIGN_OR_RETURN(const char* const checked, checked_files());
    const int opened = sqlite3_open_v2(path ? path->c_str() : ":memory:", &handle, flags,
                                       path ? checked : nullptr);
    std::unique_ptr<Database> database(new Database(handle));
    if (opened != SQLITE_OK) return error_of(handle);
    if (path) chmod(path->c_str(), S_IRUSR | S_IWUSR);
    sqlite3_busy_timeout(handle, kBusyMilliseconds);
    if (path) STELE_RETURN_IF_ERROR(reserve_checksums(handle));
    // A filter can nest no deeper than its own limits; what is beyond them is refused by SQLite too.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // With a log, a commit needs no sync: the feed says from where on to repeat what was lost.
    STELE_RETURN_IF_ERROR(database->execute(
        "PRAGMA page_size = 4096; "
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 0"));
    return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

absl::StatusOr<Statement> Database::prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int prepared =
        sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (prepared != SQLITE_OK) return error();
    return Statement(statement);
}

absl::Status Database::execute(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return absl::OkStatus();
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }

absl::Status Database::checkpoint() {
    const int done =
        sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    return done == SQLITE_OK ? absl::OkStatus() : error();
}

absl::Status Database::error() const { return error_of(handle_); }

}  // namespace stele::visibility
