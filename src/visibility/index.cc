#include "visibility/index.h"

#include "base/check.h"
#include "base/time.h"
#include "visibility/filter/sql.h"
#include "visibility/index_schema.h"
#include "visibility/order_range.h"
#include "visibility/page_checksums.h"
#include "visibility/run_info.h"

#include <array>
#include <bit>
#include <span>
#include <utility>

namespace stele::visibility {
namespace {

namespace enums = temporal::api::enums::v1;

constexpr char kDivision[] = "TemporalNamespaceDivision";
/// Run keys stay below 2^51: that many runs of one shard would take a thousand years.
constexpr int kSlotBits = std::bit_width(kSlotCount - 1U);

/// The order of lists; the size of the page follows.
const std::string kOrder = " ORDER BY order_time DESC, start_time DESC, run_id LIMIT ";
constexpr char kWorkflowId[] = "WorkflowId";

/// As `column_of`, but the workflow id as a value, which no index serves.
const char* column_without_index(const filter::Attribute& attribute) {
    return attribute.name == kWorkflowId ? "+workflow_id" : column_of(attribute);
}

std::int64_t number_of(RunPlace place) { return (place.key.value() << kSlotBits) | place.slot; }

/// Runs a statement that returns one number; 0, which is no row's, when it met no row.
absl::StatusOr<std::int64_t> returned(Statement& statement) {
    const absl::StatusOr<bool> stepped = statement.step();
    const std::int64_t number = stepped.ok() && *stepped ? statement.integer(0) : 0;
    statement.reset();
    STELE_RETURN_IF_ERROR(stepped.status());
    return number;
}

std::int64_t nanoseconds(const google::protobuf::Timestamp& time) {
    return from_proto(time).time_since_epoch().count();
}

/// Binds the parameters of a statement one after the other.
class Binder {
public:
    explicit Binder(Statement& statement) : statement_(statement) {}

    Binder& integer(std::int64_t value) {
        statement_.bind(++last_, value);
        return *this;
    }
    Binder& text(std::string_view value) {
        statement_.bind_text(++last_, value);
        return *this;
    }
    Binder& text_or_null(std::string_view value) {
        if (!value.empty()) return text(value);
        return null();
    }
    Binder& bytes(std::string_view value) {
        statement_.bind_bytes(++last_, value);
        return *this;
    }
    Binder& null() {
        statement_.bind_null(++last_);
        return *this;
    }
    Binder& value(const filter::Value& value) {
        statement_.bind(++last_, value);
        return *this;
    }

private:
    Statement& statement_;
    int last_ = 0;
};

void bind_close(Binder& binder, const storage::HeaderRow& header) {
    if (is_open_status(header.status())) {
        for (int i = 0; i < 5; ++i) binder.null();
        return;
    }
    const std::int64_t closed = nanoseconds(header.close_time());
    binder.integer(closed)
        .integer(closed - nanoseconds(header.execution_time()))
        .integer(header.next_event_id() - 1)
        .integer(header.history_size_bytes())
        .integer(header.state_transition_count());
}

std::string division_of(const storage::AttributesRow& attributes) {
    const auto& fields = attributes.search_attributes().indexed_fields();
    const auto found = fields.find(kDivision);
    if (found == fields.end()) return {};
    const auto values = history::decode_attribute(found->second, enums::INDEXED_VALUE_TYPE_KEYWORD);
    if (!values.ok() || values->empty()) return {};
    return std::get<std::string>(values->front());
}

}  // namespace

struct Index::Statements {
    Statement put_new;
    Statement change;
    Statement erase;
    Statement put_value;
    Statement erase_values;
    Statement put_progress;
    Statement put_meta;
    Statement put_space;
    Statement put_name;
};

Index::Index(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Index::~Index() = default;

absl::StatusOr<std::unique_ptr<Index>> Index::open(const std::optional<std::string>& path,
                                                   const std::string& store_id) {
    // What is damaged, or of another version or store, is removed, once: the store has everything.
    for (const bool last_try : {false, true}) {
        absl::StatusOr<std::unique_ptr<Database>> database = Database::open(path);
        absl::Status status = database.status();
        if (status.ok()) {
            std::unique_ptr<Index> index(new Index(*std::move(database)));
            status = index->load(store_id);
            if (status.ok()) return index;
        }
        if (last_try || !path) return status;
        remove_database(*path);
    }
    return unavailable("the visibility index can not be opened");
}

absl::Status Index::create(const std::string& store_id) {
    STELE_RETURN_IF_ERROR(database_->execute("BEGIN"));
    STELE_RETURN_IF_ERROR(database_->execute(kCreateTables));
    STELE_RETURN_IF_ERROR(database_->execute(kDescribeIndexes));
    STELE_ASSIGN_OR_RETURN(Statement put, database_->prepare("INSERT INTO meta VALUES (?, ?)"));
    Binder(put).text("version").integer(kIndexVersion);
    STELE_RETURN_IF_ERROR(put.run());
    Binder(put).text("store").text(store_id);
    STELE_RETURN_IF_ERROR(put.run());
    return database_->execute("COMMIT");
}

absl::Status Index::load(const std::string& store_id) {
    STELE_ASSIGN_OR_RETURN(
        Statement tables,
        database_->prepare("SELECT count(*) FROM sqlite_master WHERE name = 'meta'"));
    STELE_RETURN_IF_ERROR(tables.step().status());
    const bool made = tables.integer(0) != 0;
    tables.reset();
    STELE_RETURN_IF_ERROR(made ? read_meta(store_id) : create(store_id));
    const auto prepare = [&](const char* sql) { return database_->prepare(sql); };
    // Most runs are seen for the first time when they have closed, and put once.
    STELE_ASSIGN_OR_RETURN(
        Statement put_new,
        prepare("INSERT INTO runs VALUES "
                "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
                "?19, ?20, ?21) ON CONFLICT (run) DO NOTHING"));
    // The same parameters. What is indexed and never changes is left out: it costs as much as new.
    STELE_ASSIGN_OR_RETURN(
        Statement change,
        prepare("UPDATE runs SET order_time = ?3, task_queue = ?8, status = ?9, "
                "execution_time = ?10, close_time = ?11, execution_duration = ?12, "
                "history_length = ?13, history_size_bytes = ?14, state_transition_count = ?15, "
                "division = ?20, info = ?21 WHERE run = ?1"));
    STELE_ASSIGN_OR_RETURN(Statement erase, prepare("DELETE FROM runs WHERE run = ?"));
    STELE_ASSIGN_OR_RETURN(Statement put_value,
                           prepare("INSERT OR IGNORE INTO attribute VALUES (?, ?, ?)"));
    STELE_ASSIGN_OR_RETURN(Statement erase_values, prepare("DELETE FROM attribute WHERE run = ?"));
    STELE_ASSIGN_OR_RETURN(Statement progress,
                           prepare("INSERT OR REPLACE INTO feed VALUES (?, ?)"));
    STELE_ASSIGN_OR_RETURN(Statement meta, prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)"));
    STELE_ASSIGN_OR_RETURN(Statement space,
                           prepare("INSERT INTO space VALUES (NULL, ?) RETURNING id"));
    STELE_ASSIGN_OR_RETURN(Statement name,
                           prepare("INSERT INTO name VALUES (NULL, ?, ?, ?) RETURNING id"));
    statements_ = std::make_unique<Statements>(
        Statements{std::move(put_new), std::move(change), std::move(erase), std::move(put_value),
                   std::move(erase_values), std::move(progress), std::move(meta), std::move(space),
                   std::move(name)});

    STELE_ASSIGN_OR_RETURN(Statement feeds, prepare("SELECT slot, sequence FROM feed"));
    for (;;) {
        STELE_ASSIGN_OR_RETURN(const bool row, feeds.step());
        if (!row) break;
        progress_[static_cast<Slot>(feeds.integer(0))] = feeds.integer(1);
    }
    return load_numbers();
}

absl::Status Index::read_meta(const std::string& store_id) {
    STELE_ASSIGN_OR_RETURN(Statement meta, database_->prepare("SELECT name, value FROM meta"));
    bool same_version = false;
    bool same_store = false;
    for (;;) {
        STELE_ASSIGN_OR_RETURN(const bool row, meta.step());
        if (!row) break;
        if (meta.text(0) == "version") same_version = meta.integer(1) == kIndexVersion;
        if (meta.text(0) == "store") same_store = meta.text(1) == store_id;
        if (meta.text(0) == "complete") complete_ = meta.integer(1) != 0;
    }
    if (same_version && same_store) return absl::OkStatus();
    return failed_precondition("the visibility index is of another version or another store");
}

absl::Status Index::load_numbers() {
    spaces_.clear();
    names_.clear();
    STELE_ASSIGN_OR_RETURN(Statement spaces,
                           database_->prepare("SELECT namespace_id, id FROM space"));
    for (;;) {
        STELE_ASSIGN_OR_RETURN(const bool row, spaces.step());
        if (!row) break;
        spaces_[std::string(spaces.text(0))] = spaces.integer(1);
    }
    STELE_ASSIGN_OR_RETURN(Statement names,
                           database_->prepare("SELECT space, name, type, id FROM name"));
    for (;;) {
        STELE_ASSIGN_OR_RETURN(const bool row, names.step());
        if (!row) break;
        names_[{names.integer(0), std::string(names.text(1)), static_cast<int>(names.integer(2))}] =
            names.integer(3);
    }
    return absl::OkStatus();
}

// ---- Changes ---------------------------------------------------------------------------------

absl::Status Index::clear() {
    STELE_RETURN_IF_ERROR(begin());
    STELE_RETURN_IF_ERROR(
        database_->execute("DELETE FROM runs; DELETE FROM attribute;"
                           "DELETE FROM feed;"));
    return commit({}, /*complete=*/false);
}

absl::Status Index::begin() { return database_->execute("BEGIN"); }

void Index::roll_back() {
    // It fails only where there is nothing to undo.
    static_cast<void>(database_->execute("ROLLBACK"));
    // Numbers given out since `begin` are gone with it. If they can not be read, the next change
    // meets the same error and says so.
    static_cast<void>(load_numbers());
}

absl::Status Index::commit(const Progress& progress, bool complete) {
    for (const auto& [slot, sequence] : progress) {
        const auto known = progress_.find(slot);
        if (known != progress_.end() && known->second == sequence) continue;
        Binder(statements_->put_progress).integer(slot).integer(sequence);
        STELE_RETURN_IF_ERROR(statements_->put_progress.run());
    }
    Binder(statements_->put_meta).text("complete").integer(complete ? 1 : 0);
    STELE_RETURN_IF_ERROR(statements_->put_meta.run());
    STELE_RETURN_IF_ERROR(database_->execute("COMMIT"));
    complete_ = complete;
    progress_ = progress;
    return absl::OkStatus();
}

absl::StatusOr<std::int64_t> Index::space_of(const std::string& namespace_id) {
    const auto found = spaces_.find(namespace_id);
    if (found != spaces_.end()) return found->second;
    Binder(statements_->put_space).text(namespace_id);
    STELE_ASSIGN_OR_RETURN(const std::int64_t id, returned(statements_->put_space));
    spaces_[namespace_id] = id;
    return id;
}

std::optional<std::int64_t> Index::find_name(std::int64_t space, const std::string& name,
                                             history::AttributeType type) const {
    const auto found = names_.find({space, name, type});
    if (found == names_.end()) return std::nullopt;
    return found->second;
}

absl::StatusOr<std::int64_t> Index::name_of(std::int64_t space, const std::string& name,
                                            history::AttributeType type) {
    if (const auto known = find_name(space, name, type)) return *known;
    Binder(statements_->put_name).integer(space).text(name).integer(type);
    STELE_ASSIGN_OR_RETURN(const std::int64_t id, returned(statements_->put_name));
    names_[{space, name, type}] = id;
    return id;
}

absl::Status Index::put(RunPlace place, const storage::InfoRow& info,
                        const storage::HeaderRow& header, const storage::AttributesRow& attributes,
                        const history::SearchAttributeSchema* schema) {
    STELE_ASSIGN_OR_RETURN(const std::int64_t space, space_of(info.namespace_id()));
    const std::int64_t run = number_of(place);
    const std::string division = division_of(attributes);
    const std::string shown = make_run_info(info, header, attributes, schema).SerializeAsString();
    const auto run_with = [&](Statement& statement) {
        Binder binder(statement);
        binder.integer(run)
            .integer(space)
            .integer(is_open_status(header.status()) ? kEndOfTime
                                                     : nanoseconds(header.close_time()))
            .integer(nanoseconds(info.start_time()))
            .text(info.run_id())
            .text(info.workflow_id())
            .text(info.workflow_type())
            .text(info.task_queue())
            .integer(header.status())
            .integer(nanoseconds(header.execution_time()));
        bind_close(binder, header);
        binder.text_or_null(info.parent().workflow_id())
            .text_or_null(info.parent().run_id())
            .text_or_null(info.root().workflow_id())
            .text_or_null(info.root().run_id())
            .text_or_null(division)
            .bytes(shown);
        return statement.run();
    };
    STELE_RETURN_IF_ERROR(run_with(statements_->put_new));
    if (database_->changes() == 0) {
        STELE_RETURN_IF_ERROR(run_with(statements_->change));
        STELE_RETURN_IF_ERROR(erase_values(run));
    }
    return put_values(run, space, attributes, schema);
}

absl::Status Index::put_values(std::int64_t run, std::int64_t space,
                               const storage::AttributesRow& attributes,
                               const history::SearchAttributeSchema* schema) {
    for (const auto& [name, payload] : attributes.search_attributes().indexed_fields()) {
        const auto type = schema == nullptr ? std::nullopt : schema->settable(name);
        if (!type || name == kDivision) continue;
        // A value that does not fit was checked against another type; it is not found by this one.
        absl::StatusOr<std::vector<filter::Value>> values =
            history::decode_attribute(payload, *type);
        if (!values.ok()) continue;
        STELE_ASSIGN_OR_RETURN(const std::int64_t id, name_of(space, name, *type));
        if (*type == enums::INDEXED_VALUE_TYPE_TEXT && !values->empty()) {
            *values = words_in(*values);
        }
        for (const filter::Value& value : *values) {
            Binder(statements_->put_value).integer(id).value(value).integer(run);
            STELE_RETURN_IF_ERROR(statements_->put_value.run());
        }
    }
    return absl::OkStatus();
}

absl::Status Index::erase_values(std::int64_t run) {
    statements_->erase_values.bind(1, run);
    return statements_->erase_values.run();
}

absl::Status Index::erase(RunPlace place) {
    const std::int64_t run = number_of(place);
    statements_->erase.bind(1, run);
    STELE_RETURN_IF_ERROR(statements_->erase.run());
    return erase_values(run);
}

// ---- Questions -------------------------------------------------------------------------------

/// Whether so many workflow ids begin with a wanted prefix that a page is full sooner when runs are
/// looked at in the order of lists than when all of these are found and sorted.
absl::StatusOr<bool> Index::has_wide_prefix(std::int64_t space, const filter::Node& where,
                                            const filter::Layout& layout) {
    constexpr const char* kMore = " LIMIT 1 OFFSET 1000";
    const std::span<const filter::Node> wanted =
        where.kind == filter::Node::Kind::kAnd ? where.children : std::span(&where, 1);
    for (const filter::Node& node : wanted) {
        if (node.kind != filter::Node::Kind::kCondition ||
            node.condition.op != filter::Operator::kStartsWith ||
            node.condition.attribute.name != kWorkflowId) {
            continue;
        }
        const filter::Sql prefix = filter::print(node, layout);
        STELE_ASSIGN_OR_RETURN(
            Statement probe,
            database_->prepare("SELECT 1 FROM runs WHERE space = ? AND " + prefix.text + kMore));
        Binder binder(probe);
        binder.integer(space);
        for (const filter::Value& value : prefix.parameters) binder.value(value);
        STELE_ASSIGN_OR_RETURN(const bool more, probe.step());
        // A narrower prefix beside it would serve; nobody asks for two.
        if (more) return true;
    }
    return false;
}

absl::StatusOr<std::string> Index::plan_of(const ListQuery& query) {
    STELE_ASSIGN_OR_RETURN(Statement steps,
                           select("EXPLAIN QUERY PLAN ", "info", query.namespace_id, query.filter,
                                  query.after, kOrder + "1"));
    std::string plan;
    for (;;) {
        STELE_ASSIGN_OR_RETURN(const bool row, steps.step());
        if (!row) return plan;
        plan += std::string(steps.text(3)) + "\n";
    }
}

absl::StatusOr<Statement> Index::select(const std::string& before, const std::string& columns,
                                        const std::string& namespace_id,
                                        const filter::Filter& filter,
                                        const std::optional<PageKey>& after,
                                        const std::string& end) {
    // Namespaces and attributes that no run has ever had have no number; none has this one.
    constexpr std::int64_t kNobody = -1;
    const auto found = spaces_.find(namespace_id);
    const std::int64_t space = found == spaces_.end() ? kNobody : found->second;
    std::string sql = before + "SELECT " + columns + " FROM runs WHERE space = ?";
    if (!filter::mentions(filter, kDivision)) sql += " AND division IS NULL";
    filter::Sql condition;
    if (filter.where) {
        filter::Layout layout{
            column_of, [&](const filter::Attribute& attribute) {
                return find_name(space, attribute.name, attribute.type).value_or(kNobody);
            }};
        if (end.starts_with(kOrder)) {  // a count looks at all of them in any case
            STELE_ASSIGN_OR_RETURN(const bool wide, has_wide_prefix(space, *filter.where, layout));
            if (wide) layout.column = column_without_index;
        }
        condition = filter::print(*filter.where, layout);
        sql += " AND " + condition.text;
        const OrderRange range = order_range(*filter.where);
        if (range != OrderRange()) {
            // As bounds also where they are one place: SQLite takes few runs to stand at one.
            sql += " AND order_time >= ? AND order_time <= ?";
            condition.parameters.insert(condition.parameters.end(), {range.first, range.last});
        }
    }
    if (after) {
        sql +=
            " AND order_time <= ? AND (order_time < ? OR start_time < ? OR "
            "(start_time = ? AND run_id > ?))";
    }
    STELE_ASSIGN_OR_RETURN(Statement statement, database_->prepare(sql + end));
    Binder binder(statement);
    binder.integer(space);
    for (const filter::Value& value : condition.parameters) binder.value(value);
    if (after) {
        binder.integer(after->order_time)
            .integer(after->order_time)
            .integer(after->start_time)
            .integer(after->start_time)
            .text(after->run_id);
    }
    return statement;
}

absl::StatusOr<ListPage> Index::list(const ListQuery& query) {
    STELE_ASSIGN_OR_RETURN(Statement rows, select("", "info, order_time, start_time, run_id",
                                                  query.namespace_id, query.filter, query.after,
                                                  kOrder + std::to_string(query.page_size)));
    ListPage page;
    PageKey last;
    for (;;) {
        STELE_ASSIGN_OR_RETURN(const bool row, rows.step());
        if (!row) break;
        page.runs.emplace_back(rows.bytes(0));
        last = {rows.integer(1), rows.integer(2), std::string(rows.text(3))};
    }
    if (static_cast<std::int64_t>(page.runs.size()) == query.page_size) page.next = std::move(last);
    return page;
}

absl::StatusOr<CountResult> Index::count(const CountQuery& query) {
    CountResult result;
    if (!query.filter.group_by) {
        STELE_ASSIGN_OR_RETURN(Statement rows, select("", "count(*)", query.namespace_id,
                                                      query.filter, std::nullopt, ""));
        STELE_RETURN_IF_ERROR(rows.step().status());
        result.count = rows.integer(0);
        return result;
    }
    const char* column = column_of(*query.filter.group_by);
    STELE_CHECK(column != nullptr, "runs are grouped by an attribute that has no column");
    const std::string by = column;
    STELE_ASSIGN_OR_RETURN(Statement rows,
                           select("", by + ", count(*)", query.namespace_id, query.filter,
                                  std::nullopt, " GROUP BY " + by + " ORDER BY " + by));
    for (;;) {
        STELE_ASSIGN_OR_RETURN(const bool row, rows.step());
        if (!row) break;
        CountResult::Group group;
        group.value = by == "status" ? filter::status_name(static_cast<int>(rows.integer(0)))
                                     : std::string(rows.text(0));
        group.count = rows.integer(1);
        result.count += group.count;
        result.groups.push_back(std::move(group));
    }
    return result;
}

}  // namespace stele::visibility
