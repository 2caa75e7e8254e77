#pragma once

#include "store/faults/fault_disk.h"

#include <rocksdb/file_system.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stele::store {

/// The files of a FaultDisk as RocksDB sees them; what a cut leaves and how operations fail is said
/// there. All names stand in one table: a directory is what comes before the last slash. Thread safe.
class FaultFiles final : public rocksdb::FileSystem {
public:
    using IOStatus = rocksdb::IOStatus;

    /// The content of a file, apart from its names.
    struct Inode {
        struct Change {
            std::uint64_t operation;
            bool truncates;
            std::uint64_t offset;  // or the new size
            std::string data;
        };
        std::string visible;
        std::string durable;
        std::vector<Change> pending;  // in order; `durable` with all of them is `visible`
    };
    using InodePtr = std::shared_ptr<Inode>;

    // The disk's side.
    void cut_at(std::uint64_t number);
    void fail_at(std::uint64_t number, Failure failure, bool for_ever);
    void fail_read_at(std::uint64_t number, ReadFailure failure, bool for_ever);
    void heal();
    void cut();
    bool has_power() const;
    bool has_failed() const;
    void restore(Remains remains, std::uint64_t choice);
    std::uint64_t operations() const;
    FaultDisk::Operation operation(std::uint64_t number) const;
    std::vector<std::string> reads() const;
    bool is_busy() const { return busy_; }
    FaultDisk::Contents contents() const;
    void load(const FaultDisk::Contents& contents);

    // The side of open files.
    IOStatus write(const std::string& file, Inode& inode, std::uint64_t offset,
                   const rocksdb::Slice& data);
    IOStatus truncate(const std::string& file, Inode& inode, std::uint64_t size);
    IOStatus sync(const std::string& file, Inode& inode);
    IOStatus sync_directory(const std::string& directory);
    IOStatus read(const std::string& file, const Inode& inode, std::uint64_t offset,
                  std::size_t size, rocksdb::Slice* result, char* scratch);
    std::uint64_t size_of(const Inode& inode) const;

    // RocksDB's side.
    const char* Name() const override { return "stele fault files"; }
    IOStatus NewSequentialFile(const std::string& file, const rocksdb::FileOptions& options,
                               std::unique_ptr<rocksdb::FSSequentialFile>* result,
                               rocksdb::IODebugContext* debug) override;
    IOStatus NewRandomAccessFile(const std::string& file, const rocksdb::FileOptions& options,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                 rocksdb::IODebugContext* debug) override;
    IOStatus NewWritableFile(const std::string& file, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             rocksdb::IODebugContext* debug) override;
    IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                          std::unique_ptr<rocksdb::FSDirectory>* result,
                          rocksdb::IODebugContext* debug) override;
    IOStatus FileExists(const std::string& file, const rocksdb::IOOptions& options,
                        rocksdb::IODebugContext* debug) override;
    IOStatus GetChildren(const std::string& directory, const rocksdb::IOOptions& options,
                         std::vector<std::string>* result, rocksdb::IODebugContext* debug) override;
    IOStatus DeleteFile(const std::string& file, const rocksdb::IOOptions& options,
                        rocksdb::IODebugContext* debug) override;
    IOStatus CreateDir(const std::string& directory, const rocksdb::IOOptions& options,
                       rocksdb::IODebugContext* debug) override;
    IOStatus CreateDirIfMissing(const std::string& directory, const rocksdb::IOOptions& options,
                                rocksdb::IODebugContext* debug) override;
    IOStatus DeleteDir(const std::string& directory, const rocksdb::IOOptions& options,
                       rocksdb::IODebugContext* debug) override;
    IOStatus GetFileSize(const std::string& file, const rocksdb::IOOptions& options,
                         std::uint64_t* size, rocksdb::IODebugContext* debug) override;
    IOStatus GetFileModificationTime(const std::string& file, const rocksdb::IOOptions& options,
                                     std::uint64_t* time, rocksdb::IODebugContext* debug) override;
    IOStatus RenameFile(const std::string& from, const std::string& to,
                        const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
    IOStatus LockFile(const std::string& file, const rocksdb::IOOptions& options,
                      rocksdb::FileLock** lock, rocksdb::IODebugContext* debug) override;
    IOStatus UnlockFile(rocksdb::FileLock* lock, const rocksdb::IOOptions& options,
                        rocksdb::IODebugContext* debug) override;
    IOStatus GetTestDirectory(const rocksdb::IOOptions& options, std::string* path,
                              rocksdb::IODebugContext* debug) override;
    IOStatus NewLogger(const std::string& file, const rocksdb::IOOptions& options,
                       std::shared_ptr<rocksdb::Logger>* result,
                       rocksdb::IODebugContext* debug) override;
    IOStatus GetAbsolutePath(const std::string& path, const rocksdb::IOOptions& options,
                             std::string* result, rocksdb::IODebugContext* debug) override;
    IOStatus IsDirectory(const std::string& path, const rocksdb::IOOptions& options, bool* is,
                         rocksdb::IODebugContext* debug) override;

private:
    /// Holds the lock, and says so.
    class Turn {
    public:
        explicit Turn(const FaultFiles& files) : lock_(files.mutex_), busy_(files.busy_) {
            busy_ = true;
        }
        ~Turn() { busy_ = false; }
        Turn(const Turn&) = delete;

    private:
        const std::lock_guard<std::mutex> lock_;
        std::atomic<bool>& busy_;
    };

    using Names = std::map<std::string, InodePtr>;
    using Entry = Names::value_type;
    /// Entries of a directory that change together; nullptr takes an entry away.
    struct NameChange {
        std::uint64_t operation;
        std::vector<Entry> entries;
    };
    /// What becomes of an operation.
    struct Verdict {
        std::optional<Failure> failure;
        bool cut = false;
        IOStatus status;  // of the operation; OK unless it fails or is cut
    };

    Verdict count(FileOperation kind, const std::string& file);
    void change_names(std::vector<Entry> entries);
    InodePtr find(const std::string& file) const;
    IOStatus not_found(const std::string& file) const;
    std::uint64_t end_of_prefix(std::uint64_t choice) const;
    std::vector<InodePtr> inodes() const;

    mutable std::mutex mutex_;
    mutable std::atomic<bool> busy_ = false;
    Names visible_;
    Names durable_;
    std::vector<NameChange> pending_;
    std::set<std::string> locked_;
    std::vector<FaultDisk::Operation> done_;
    bool power_ = true;
    bool failed_ = false;
    std::uint64_t cut_at_ = 0;  // 0: never
    std::uint64_t fail_at_ = 0;
    Failure failure_ = Failure::kIoError;
    bool for_ever_ = false;
    std::vector<std::string> reads_;
    std::uint64_t fail_read_at_ = 0;
    ReadFailure read_failure_ = ReadFailure::kIoError;
    bool reads_fail_for_ever_ = false;
};

}  // namespace stele::store
