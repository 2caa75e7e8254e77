#pragma once

#include "base/ids.h"
#include "history/search_attributes.h"
#include "stele/internal/rows.pb.h"
#include "visibility/database.h"
#include "visibility/filter/filter.h"
#include "visibility/filter/sql.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The table of runs that lists and counts are answered from, in SQLite. What it holds follows from
// the rows of the runs; how far it has followed stands beside it and changes in the same
// transaction. Its schema stands in index_schema.h and may change at any time: an index of another
// version is thrown away and made anew.
namespace stele::visibility {

/// A run by its place in the store. Their order is the one in which the index has them.
struct RunPlace {
    Slot slot = 0;
    RunKey key;
    bool operator==(const RunPlace&) const = default;
    auto operator<=>(const RunPlace& other) const {
        return std::pair(key, slot) <=> std::pair(other.key, other.slot);
    }
};

/// Where a page ends: in the order of lists, which is open runs first, then those that closed last,
/// among them those that started last, then by run id.
struct PageKey {
    std::int64_t order_time = 0;
    std::int64_t start_time = 0;
    std::string run_id;
};

struct ListQuery {
    std::string namespace_id;
    filter::Filter filter;
    std::int64_t page_size = 1000;
    std::optional<PageKey> after;
};
struct ListPage {
    /// Each a serialised temporal.api.workflow.v1.WorkflowExecutionInfo.
    std::vector<std::string> runs;
    std::optional<PageKey> next;  // set when the page is full
};

struct CountQuery {
    std::string namespace_id;
    filter::Filter filter;
};
struct CountResult {
    struct Group {
        std::string value;  // of a status its name
        std::int64_t count = 0;
    };
    std::int64_t count = 0;
    std::vector<Group> groups;  // only with GROUP BY, in the order of their values
};

/// How far each feed of the store has been followed.
using Progress = std::map<Slot, std::int64_t>;

/// Not thread safe. Errors are UNAVAILABLE, and leave what was there; or DATA_LOSS, which names the file,
/// when that is damaged: then it is of no use any more.
class Index {
public:
    /// Opens the index of the store with this id; one of another store or another version, or one
    /// that is damaged, is removed and begun anew. Without a path it is in memory.
    static absl::StatusOr<std::unique_ptr<Index>> open(const std::optional<std::string>& path,
                                                       const std::string& store_id);
    ~Index();

    /// Whether it holds all runs up to its progress; false in an empty one until `complete`.
    bool is_complete() const { return complete_; }
    const Progress& progress() const { return progress_; }
    /// Forgets all runs.
    absl::Status clear();

    // Changes stand between `begin` and `commit`; `roll_back` undoes them.
    absl::Status begin();
    absl::Status put(RunPlace place, const storage::InfoRow& info, const storage::HeaderRow& header,
                     const storage::AttributesRow& attributes,
                     const history::SearchAttributeSchema* schema);
    absl::Status erase(RunPlace place);
    /// Makes the changes since `begin` those of the index, with how far it has come. `complete`:
    /// from now on it holds all runs.
    absl::Status commit(const Progress& progress, bool complete);
    void roll_back();
    /// What was committed is on stable storage when this returns OK.
    absl::Status checkpoint() { return database_->checkpoint(); }

    absl::StatusOr<ListPage> list(const ListQuery& query);
    absl::StatusOr<CountResult> count(const CountQuery& query);
    /// How a list is made, in SQLite's words: for tests.
    absl::StatusOr<std::string> plan_of(const ListQuery& query);

private:
    struct Statements;
    explicit Index(std::unique_ptr<Database> database);

    absl::Status load(const std::string& store_id);
    absl::Status create(const std::string& store_id);
    absl::Status read_meta(const std::string& store_id);
    absl::Status load_numbers();
    absl::StatusOr<std::int64_t> space_of(const std::string& namespace_id);
    absl::StatusOr<std::int64_t> name_of(std::int64_t space, const std::string& name,
                                         history::AttributeType type);
    std::optional<std::int64_t> find_name(std::int64_t space, const std::string& name,
                                          history::AttributeType type) const;
    absl::Status put_values(std::int64_t run, std::int64_t space,
                            const storage::AttributesRow& attributes,
                            const history::SearchAttributeSchema* schema);
    absl::Status erase_values(std::int64_t run);
    absl::StatusOr<bool> has_wide_prefix(std::int64_t space, const filter::Node& where,
                                         const filter::Layout& layout);
    absl::StatusOr<Statement> select(const std::string& before, const std::string& columns,
                                     const std::string& namespace_id, const filter::Filter& filter,
                                     const std::optional<PageKey>& after, const std::string& end);

    std::unique_ptr<Database> database_;
    std::unique_ptr<Statements> statements_;
    bool complete_ = false;
    Progress progress_;
    // Numbers that stand for namespaces, and for attributes of a namespace and a type.
    struct Name {
        std::int64_t space;
        std::string name;
        int type;
        auto operator<=>(const Name&) const = default;
    };
    std::map<std::string, std::int64_t> spaces_;
    std::map<Name, std::int64_t> names_;
};

}  // namespace stele::visibility
