#include "visibility/index_schema.h"

#include <map>
#include <string_view>

namespace stele::visibility {

// runs.run is the run's place in the store, its run key before its slot: runs that begin together lie
// together, and new ones behind all others.
// runs.order_time is the time of the close, and the end of time for a run that is open.
// runs.info is the serialised WorkflowExecutionInfo, as lists show it.
// attribute has a row for each value of an attribute, and for each word of a Text.
const char* const kCreateTables = R"(
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE feed (slot INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);
    CREATE TABLE space (id INTEGER PRIMARY KEY, namespace_id TEXT NOT NULL UNIQUE);
    CREATE TABLE name (
        id INTEGER PRIMARY KEY, space INTEGER NOT NULL, name TEXT NOT NULL, type INTEGER NOT NULL,
        UNIQUE (space, name, type)
    );
    CREATE TABLE runs (
        run INTEGER PRIMARY KEY,
        space INTEGER NOT NULL,
        order_time INTEGER NOT NULL,
        start_time INTEGER NOT NULL,
        run_id TEXT NOT NULL,
        workflow_id TEXT NOT NULL,
        workflow_type TEXT NOT NULL,
        task_queue TEXT NOT NULL,
        status INTEGER NOT NULL,
        execution_time INTEGER NOT NULL,
        close_time INTEGER,
        execution_duration INTEGER,
        history_length INTEGER,
        history_size_bytes INTEGER,
        state_transition_count INTEGER,
        parent_workflow_id TEXT,
        parent_run_id TEXT,
        root_workflow_id TEXT,
        root_run_id TEXT,
        division TEXT,
        info BLOB NOT NULL
    );
    CREATE INDEX runs_in_order ON runs (space, order_time DESC, start_time DESC, run_id);
    CREATE INDEX runs_of_workflow ON runs (space, workflow_id);
    CREATE TABLE attribute (
        name INTEGER NOT NULL, value NOT NULL, run INTEGER NOT NULL,
        PRIMARY KEY (name, value, run)
    ) WITHOUT ROWID;
    CREATE INDEX attribute_of_run ON attribute (run);
)";

// SQLite would read a whole namespace in the order of lists to find one workflow id: it takes every
// index for equally useful until it is told what one finds. (Figures as of ANALYZE: rows, and rows
// that have the same first column, the same first two, and so on.) What `attribute` finds depends on
// the attribute, so nothing is said of it.
const char* const kDescribeIndexes = R"(
    ANALYZE sqlite_schema;
    DELETE FROM sqlite_stat1;
    INSERT INTO sqlite_stat1 VALUES
        ('runs', 'runs_in_order', '1000000 1000000 2 1 1'),
        ('runs', 'runs_of_workflow', '1000000 1000000 2');
    ANALYZE sqlite_schema;
)";

const char* column_of(const filter::Attribute& attribute) {
    static const std::map<std::string_view, const char*> columns = {
        {"WorkflowId", "workflow_id"},
        {"RunId", "run_id"},
        {"WorkflowType", "workflow_type"},
        {"StartTime", "start_time"},
        {"ExecutionTime", "execution_time"},
        {"CloseTime", "close_time"},
        {"ExecutionStatus", "status"},
        {"ExecutionDuration", "execution_duration"},
        {"TaskQueue", "task_queue"},
        {"HistoryLength", "history_length"},
        {"HistorySizeBytes", "history_size_bytes"},
        {"StateTransitionCount", "state_transition_count"},
        {"ParentWorkflowId", "parent_workflow_id"},
        {"ParentRunId", "parent_run_id"},
        {"RootWorkflowId", "root_workflow_id"},
        {"RootRunId", "root_run_id"},
        {"TemporalNamespaceDivision", "division"},
    };
    const auto found = columns.find(attribute.name);
    return found == columns.end() ? nullptr : found->second;
}

}  // namespace stele::visibility
