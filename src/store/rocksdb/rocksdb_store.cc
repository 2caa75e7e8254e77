#include "store/rocksdb/rocksdb_store.h"

#include "store/format.h"
#include "store/keys.h"
#include "store/rocksdb/key_order.h"
#include "store/rocksdb/key_prefix.h"
#include "store/rocksdb/log_check.h"
#include "store/rocksdb/log_file.h"
#include "store/rocksdb/private_files.h"
#include "store/rocksdb/rocksdb_directory.h"
#include "store/rocksdb/whole_reads.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

namespace stele::store {
namespace {

/// Ranges up to this many rows are erased row by row: a range tombstone slows every later scan.
constexpr std::size_t kErasedRowsMax = 4096;

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

/// Tells at the beginning of a write whether all before it have been synced. Thread safe; of writes
/// that overlap it says no.
class SyncTracker {
public:
    struct Write {
        std::uint64_t number = 0;
        bool alone = false;
        bool all_before_synced = false;
    };

    Write begin() {
        Write write;
        write.alone = under_way_.fetch_add(1) == 0;
        write.number = begun_.fetch_add(1) + 1;
        write.all_before_synced = write.alone && synced_.load() == write.number - 1;
        return write;
    }
    void end(const Write& write, bool synced) {
        // Nobody has begun before it and ended during it, or begun during it.
        if (synced && write.alone && begun_.load() == write.number) synced_ = write.number;
        under_way_.fetch_sub(1);
    }

private:
    std::atomic<int> under_way_ = 0;
    std::atomic<std::uint64_t> begun_ = 0;
    std::atomic<std::uint64_t> synced_ = 0;  // up to this one all are
};

class RocksDbCursor final : public Cursor {
public:
    enum class Direction { kForward, kReverse };

    RocksDbCursor(rocksdb::DB& db, const std::string& directory, std::string begin, std::string end,
                  Direction direction)
        : directory_(directory),
          begin_(std::move(begin)),
          end_(std::move(end)),
          begin_slice_(begin_),
          end_slice_(end_),
          direction_(direction) {
        if (begin_ >= end_) return;
        rocksdb::ReadOptions options;
        options.iterate_lower_bound = &begin_slice_;
        options.iterate_upper_bound = &end_slice_;
        // Backwards RocksDB does not ask the filters.
        options.prefix_same_as_start =
            direction_ == Direction::kForward && is_range_of_one_run(begin_, end_);
        options.total_order_seek = !options.prefix_same_as_start;
        iterator_.reset(db.NewIterator(options));
        if (direction_ == Direction::kForward) {
            iterator_->Seek(begin_slice_);
        } else {
            iterator_->SeekToLast();
        }
    }

    bool valid() const override { return iterator_ != nullptr && iterator_->Valid(); }
    std::string_view key() const override { return view(iterator_->key()); }
    std::string_view value() const override { return view(iterator_->value()); }

    void next() override {
        if (direction_ == Direction::kForward) {
            iterator_->Next();
        } else {
            iterator_->Prev();
        }
    }

    absl::Status status() const override {
        if (iterator_ == nullptr) return absl::OkStatus();
        return from_rocksdb(iterator_->status(), directory_);
    }

private:
    const std::string& directory_;
    const std::string begin_;
    const std::string end_;
    const rocksdb::Slice begin_slice_;
    const rocksdb::Slice end_slice_;
    const Direction direction_;
    std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksDbStore final : public Store {
public:
    RocksDbStore(std::string directory, std::unique_ptr<rocksdb::Env> environment,
                 std::unique_ptr<rocksdb::DB> db)
        : directory_(std::move(directory)),
          environment_(std::move(environment)),
          db_(std::move(db)) {
        // An empty name only makes the notes in the log say less.
        db_->GetDbSessionId(opening_).PermitUncheckedError();
    }

    absl::Status write(const WriteBatch& batch, Sync sync) override;
    absl::StatusOr<std::optional<std::string>> get(std::string_view key) override;

    std::unique_ptr<Cursor> scan(std::string begin, std::string end) override {
        return std::make_unique<RocksDbCursor>(*db_, directory_, std::move(begin), std::move(end),
                                               RocksDbCursor::Direction::kForward);
    }

    std::unique_ptr<Cursor> scan_reverse(std::string begin, std::string end) override {
        return std::make_unique<RocksDbCursor>(*db_, directory_, std::move(begin), std::move(end),
                                               RocksDbCursor::Direction::kReverse);
    }

private:
    absl::Status write_numbered(const WriteBatch& batch, Sync sync, bool all_before_synced);
    absl::Status translate(const WriteBatch& batch, rocksdb::WriteBatch& result);
    absl::Status erase_range(const WriteBatch& batch, std::size_t index,
                             rocksdb::WriteBatch& result);

    const std::string directory_;
    const std::unique_ptr<rocksdb::Env> environment_;
    const std::unique_ptr<rocksdb::DB> db_;
    std::string opening_;
    SyncTracker tracker_;
};

absl::Status RocksDbStore::write(const WriteBatch& batch, Sync sync) {
    const SyncTracker::Write number = tracker_.begin();
    const absl::Status written = write_numbered(batch, sync, number.all_before_synced);
    tracker_.end(number, written.ok() && sync == Sync::kYes);
    return written;
}

absl::Status RocksDbStore::write_numbered(const WriteBatch& batch, Sync sync,
                                          bool all_before_synced) {
    if (batch.empty()) {
        // RocksDB has nothing to log for an empty batch; what came before must be synced still.
        return sync == Sync::kYes ? from_rocksdb(db_->SyncWAL(), directory_) : absl::OkStatus();
    }
    constexpr std::size_t kOverheadPerOperation = 12;
    const std::string note = log_note(opening_, all_before_synced);
    rocksdb::WriteBatch changes(batch.bytes() + note.size() +
                                kOverheadPerOperation * (batch.operations().size() + 2));
    STELE_RETURN_IF_ERROR(from_rocksdb(changes.PutLogData(note), directory_));
    STELE_RETURN_IF_ERROR(translate(batch, changes));
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::kYes;
    return from_rocksdb(db_->Write(options, &changes), directory_);
}

absl::Status RocksDbStore::translate(const WriteBatch& batch, rocksdb::WriteBatch& result) {
    for (std::size_t index = 0; index < batch.operations().size(); ++index) {
        const WriteBatch::Operation& operation = batch.operations()[index];
        rocksdb::Status added;
        switch (operation.kind) {
            case WriteBatch::Operation::Kind::kPut:
                added = result.Put(operation.key, operation.value);
                break;
            case WriteBatch::Operation::Kind::kErase: added = result.Delete(operation.key); break;
            case WriteBatch::Operation::Kind::kEraseRange:
                STELE_RETURN_IF_ERROR(erase_range(batch, index, result));
                break;
        }
        STELE_RETURN_IF_ERROR(from_rocksdb(added, directory_));
    }
    return absl::OkStatus();
}

absl::Status RocksDbStore::erase_range(const WriteBatch& batch, std::size_t index,
                                       rocksdb::WriteBatch& result) {
    const WriteBatch::Operation& range = batch.operations()[index];
    if (range.key >= range.value) return absl::OkStatus();
    std::vector<std::string> keys;
    // What this batch itself has put into the range is not in the database yet.
    for (std::size_t earlier = 0; earlier < index; ++earlier) {
        const WriteBatch::Operation& operation = batch.operations()[earlier];
        if (operation.kind == WriteBatch::Operation::Kind::kPut && operation.key >= range.key &&
            operation.key < range.value) {
            keys.push_back(operation.key);
        }
    }
    const auto rows = scan(range.key, range.value);
    const bool by_row = has_insertion_hint(range.key);
    for (; rows->valid() && (by_row || keys.size() <= kErasedRowsMax); rows->next()) {
        keys.emplace_back(rows->key());
    }
    STELE_RETURN_IF_ERROR(rows->status());
    if (!by_row && keys.size() > kErasedRowsMax) {
        return from_rocksdb(result.DeleteRange(range.key, range.value), directory_);
    }
    for (const std::string& key : keys) {
        STELE_RETURN_IF_ERROR(from_rocksdb(result.Delete(key), directory_));
    }
    return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> RocksDbStore::get(std::string_view key) {
    std::string value;
    const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    STELE_RETURN_IF_ERROR(from_rocksdb(status, directory_));
    return std::optional<std::string>(std::move(value));
}

rocksdb::BlockBasedTableOptions table_options(const RocksDbOptions& limits) {
    constexpr int kBloomBitsPerKey = 10;
    constexpr int kCacheShardBits = 2;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(limits.block_cache_bytes, kCacheShardBits);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
    table.whole_key_filtering = false;  // what key_prefix() makes of the keys
    // Index and filter blocks count against the cache, so the cache bounds all memory of reads.
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    table.block_size = 16U << 10;
    table.format_version = 5;
    return table;
}

rocksdb::Options database_options(const RocksDbOptions& limits) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.comparator = &key_order();
    options.prefix_extractor = key_prefix();
    options.write_buffer_size = limits.write_buffer_bytes;
    options.max_write_buffer_number = 2;
    options.max_total_wal_size = limits.wal_bytes_max;
    options.max_open_files = limits.open_files_max;
    options.max_background_jobs = 2;
    options.target_file_size_base = 16U << 20;
    // The files of a memory table reach over all keys, so each merge of them writes the whole first level again. Twice
    // as many at a time for a level twice as large are a quarter less of that work (ADR 20).
    options.level0_file_num_compaction_trigger = 8;
    options.max_bytes_for_level_base = 128U << 20;
    // A store must open in every build of RocksDB, whatever it was linked with.
    options.compression = rocksdb::kNoCompression;
    options.bottommost_compression = rocksdb::kNoCompression;
    // After a power loss the log ends in the middle of what was never synced: keep the prefix.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    // There is one writer, the committer: waiting by spinning would only burn the other cores.
    options.enable_write_thread_adaptive_yield = false;
    options.allow_concurrent_memtable_write = false;
    options.memtable_insert_with_hint_prefix_extractor = insertion_hint();
    // After an error of the disk the store takes no more writes, and the process ends: what a sync
    // has once failed to write is not there, whatever a second sync says.
    options.max_bgerror_resume_count = 0;
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    options.keep_log_file_num = 2;
    options.max_log_file_size = 1U << 20;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(limits)));
    return options;
}

/// RocksDB tells of a damaged table as if the manifest were damaged that names it: the file that is
/// meant, or nothing when all tables are whole.
std::string damaged_table(const rocksdb::Options& database, const std::string& directory) {
    std::vector<std::string> files;
    if (!database.env->GetChildren(directory, &files).ok()) return {};
    for (const std::string& file : files) {
        if (!file.ends_with(".sst")) continue;
        rocksdb::SstFileReader table(database);
        rocksdb::Status status = table.Open(directory + "/" + file);
        if (status.ok()) status = table.VerifyChecksum();
        if (status.IsCorruption()) return directory + "/" + file;
    }
    return {};
}

/// The manifest in force when tables stand in the directory, or nothing.
std::string manifest_of_tables(rocksdb::Env& environment, const std::string& directory) {
    std::vector<std::string> files;
    std::string current;
    if (!environment.GetChildren(directory, &files).ok()) return {};
    const bool has_tables = std::any_of(
        files.begin(), files.end(), [](const std::string& file) { return file.ends_with(".sst"); });
    if (!has_tables) return {};
    const rocksdb::Status read =
        rocksdb::ReadFileToString(&environment, directory + "/CURRENT", &current);
    if (!read.ok()) return {};
    return directory + "/" + current.substr(0, current.find('\n'));
}

/// Looks into the logs unless another process writes them; then opening fails for that reason.
absl::Status check_logs_locked(rocksdb::Env& environment, const std::filesystem::path& directory) {
    rocksdb::FileLock* lock = nullptr;
    if (!environment.LockFile((directory / "LOCK").string(), &lock).ok()) return absl::OkStatus();
    absl::Status checked = check_logs(environment, directory.string());
    STELE_RETURN_IF_ERROR(from_rocksdb(environment.UnlockFile(lock), directory.string()));
    return checked;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> open_rocksdb_store(const std::filesystem::path& directory,
                                                          const RocksDbOptions& options) {
    STELE_RETURN_IF_ERROR(make_directory(directory));
    return open_rocksdb_store_in(
        rocksdb::NewCompositeEnv(with_whole_reads(with_logs_zeroed_ahead(make_private_files()))),
        directory, options);
}

absl::StatusOr<std::unique_ptr<Store>> open_rocksdb_store_in(
    std::unique_ptr<rocksdb::Env> environment, const std::filesystem::path& directory,
    const RocksDbOptions& options) {
    STELE_RETURN_IF_ERROR(check_logs_locked(*environment, directory));
    const std::string manifest = manifest_of_tables(*environment, directory.string());
    rocksdb::Options database = database_options(options);
    database.env = environment.get();
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(database, directory.string(), &opened);
    if (is_lock_refusal(status)) return locked_by_other(directory, status);
    if (status.IsCorruption()) {
        const std::string table = damaged_table(database, directory.string());
        if (!table.empty()) {
            return make_error(absl::StatusCode::kDataLoss,
                              table + " is damaged: " + status.ToString());
        }
    }
    STELE_RETURN_IF_ERROR(from_rocksdb(status, directory.string()));
    auto store = std::make_unique<RocksDbStore>(directory.string(), std::move(environment),
                                                std::unique_ptr<rocksdb::DB>(opened));
    if (!manifest.empty()) {
        // A manifest that was cut short is a shorter manifest to RocksDB. The mark is written before
        // anything can get into a table, so a store with tables and no mark has lost some.
        STELE_ASSIGN_OR_RETURN(const auto mark, store->get(meta_key("format")));
        if (!mark) {
            return make_error(absl::StatusCode::kDataLoss,
                              manifest +
                                  " does not name the tables of the store: it is damaged, or "
                                  "this is not a Stele store");
        }
    }
    STELE_RETURN_IF_ERROR(
        check_format(*store, "data directory " + directory.string(), options.notice));
    return store;
}

}  // namespace stele::store
