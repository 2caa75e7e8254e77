#pragma once

#include "base/call.h"
#include "env/env.h"
#include "env/mutex.h"
#include "store/committer.h"
#include "store/keys.h"
#include "store/store.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// A small table of the cluster that is kept in memory as a whole. Changes go through one executor,
// and show once they are durable.
namespace stele::store {

/// `Row` is the message that the table's values are. Reads are thread safe; changes reply once
/// durable.
template <typename Row>
class DurableTable {
public:
    /// Changes a row through a function that may refuse. It gets nothing where there is no row, and
    /// the row is erased where it leaves nothing.
    using Change = std::function<absl::Status(std::optional<Row>&)>;

    /// All arguments must outlive the object.
    DurableTable(env::Env& env, Store& store, Committer& committer, Table table)
        : store_(store),
          committer_(committer),
          table_(table),
          executor_(env.make_executor(table_name(table))) {}
    ~DurableTable() {
        executor_->stop();
        committer_.forget(*executor_);
    }

    /// Reads what the store holds. Call once, before anything else.
    absl::Status load() {
        const KeyRange range = table_range(table_);
        const auto cursor = store_.scan(range.begin, range.end);
        for (; cursor->valid(); cursor->next()) {
            STELE_RETURN_IF_ERROR(
                unwrap_message(table_, cursor->value(), latest_[std::string(cursor->key())]));
        }
        STELE_RETURN_IF_ERROR(cursor->status());
        const env::MutexLock lock(mutex_);
        durable_ = latest_;
        return absl::OkStatus();
    }

    std::optional<Row> find(const std::string& key) const {
        const env::MutexLock lock(mutex_);
        const auto found = durable_.find(key);
        if (found == durable_.end()) return std::nullopt;
        return found->second;
    }

    /// The rows of a range with their keys, in the order of the keys.
    std::vector<std::pair<std::string, Row>> rows(const KeyRange& range) const {
        const env::MutexLock lock(mutex_);
        return {durable_.lower_bound(range.begin), durable_.lower_bound(range.end)};
    }

    /// Replies with what became of the row. Changes of a row happen in the order of the calls.
    void change(std::string key, Change change, Reply<std::optional<Row>> reply) {
        executor_->post([this, key = std::move(key), change = std::move(change),
                         reply = std::move(reply)]() mutable {
            const auto found = latest_.find(key);
            std::optional<Row> row;
            if (found != latest_.end()) row = found->second;
            if (absl::Status status = change(row); !status.ok()) return reply(std::move(status));
            save(std::move(key), std::move(row), std::move(reply));
        });
    }

private:
    using Rows = std::map<std::string, Row>;

    static void put(Rows& rows, const std::string& key, const std::optional<Row>& row) {
        if (row) {
            rows[key] = *row;
        } else {
            rows.erase(key);
        }
    }

    void save(std::string key, std::optional<Row> row, Reply<std::optional<Row>> reply) {
        put(latest_, key, row);
        WriteBatch batch;
        if (row) {
            batch.put(key, wrap_message(table_, *row));
        } else {
            batch.erase(key);
        }
        const Position position = committer_.submit(std::move(batch), Urgency::kSynced);
        committer_.when_durable(
            position, *executor_,
            [this, key = std::move(key), row = std::move(row), reply = std::move(reply)]() mutable {
                {
                    const env::MutexLock lock(mutex_);
                    put(durable_, key, row);
                }
                reply(std::move(row));
            });
    }

    Store& store_;
    Committer& committer_;
    const Table table_;
    mutable env::Mutex mutex_;
    Rows durable_ STELE_GUARDED_BY(mutex_);
    Rows latest_;  // what will be durable; only on the executor
    std::unique_ptr<env::Executor> executor_;
};

}  // namespace stele::store
