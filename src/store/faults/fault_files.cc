#include "store/faults/fault_files.h"

#include "base/check.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace stele::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSDirectory;
using rocksdb::FSRandomAccessFile;
using rocksdb::FSSequentialFile;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

using Inode = FaultFiles::Inode;
using InodePtr = FaultFiles::InodePtr;

constexpr char kGarbage = '\xa5';

void perform(const Inode::Change& change, std::string& content) {
    if (change.truncates) return content.resize(change.offset, '\0');
    if (content.size() < change.offset + change.data.size()) {
        content.resize(change.offset + change.data.size(), '\0');
    }
    content.replace(change.offset, change.data.size(), change.data);
}

bool is_data(const Inode::Change& change) {
    return !change.truncates && change.data.find_first_not_of('\0') != std::string::npos;
}

/// One write of those that were not synced arrives in part. Behind the end that the file had, the
/// rest is missing, because a file system makes a file longer only when the blocks are written; over
/// what stood there, the rest is what was there before, or garbage.
void tear(Inode& inode, std::uint64_t choice) {
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < inode.pending.size(); ++i) {
        if (is_data(inode.pending[i])) candidates.push_back(i);
    }
    const std::size_t torn =
        candidates.empty() ? inode.pending.size() : candidates[choice % candidates.size()];
    for (std::size_t i = 0; i < inode.pending.size(); ++i) {
        Inode::Change change = inode.pending[i];
        if (i != torn) {
            // What would make the file longer behind a hole is missing, too.
            if (i < torn || change.truncates || change.offset <= inode.durable.size()) {
                perform(change, inode.durable);
            }
            continue;
        }
        const std::size_t whole = change.data.size();
        const std::size_t arrived = choice / 7 % whole;
        const std::size_t old_end = inode.durable.size();
        change.data.resize(arrived);
        if (choice / 3 % 2 == 0) change.data.resize(whole, kGarbage);
        if (change.offset >= old_end) {
            change.data.resize(arrived);
        } else {
            change.data.resize(std::min(change.data.size(), old_end - change.offset));
        }
        perform(change, inode.durable);
    }
}

class SequentialFile final : public FSSequentialFile {
public:
    SequentialFile(FaultFiles& files, std::string file, InodePtr inode)
        : files_(files), file_(std::move(file)), inode_(std::move(inode)) {}

    IOStatus Read(std::size_t size, const IOOptions&, Slice* result, char* scratch,
                  IODebugContext*) override {
        const IOStatus read = files_.read(file_, *inode_, at_, size, result, scratch);
        at_ += result->size();
        return read;
    }
    IOStatus Skip(std::uint64_t size) override {
        at_ += size;
        return IOStatus::OK();
    }

private:
    FaultFiles& files_;
    const std::string file_;
    const InodePtr inode_;
    std::uint64_t at_ = 0;
};

class RandomAccessFile final : public FSRandomAccessFile {
public:
    RandomAccessFile(FaultFiles& files, std::string file, InodePtr inode)
        : files_(files), file_(std::move(file)), inode_(std::move(inode)) {}

    IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* result,
                  char* scratch, IODebugContext*) const override {
        return files_.read(file_, *inode_, offset, size, result, scratch);
    }
    IOStatus Prefetch(std::uint64_t, std::size_t, const IOOptions&, IODebugContext*) override {
        return IOStatus::OK();
    }

private:
    FaultFiles& files_;
    const std::string file_;
    const InodePtr inode_;
};

class WritableFile final : public FSWritableFile {
public:
    WritableFile(FaultFiles& files, std::string file, InodePtr inode)
        : files_(files), file_(std::move(file)), inode_(std::move(inode)) {}

    using FSWritableFile::Append;
    using FSWritableFile::PositionedAppend;
    IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
        const IOStatus written = files_.write(file_, *inode_, end_, data);
        if (written.ok()) end_ += data.size();
        return written;
    }
    IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions&,
                              IODebugContext*) override {
        return files_.write(file_, *inode_, offset, data);
    }
    IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
        return files_.truncate(file_, *inode_, size);
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Sync(const IOOptions&, IODebugContext*) override {
        return files_.sync(file_, *inode_);
    }
    bool IsSyncThreadSafe() const override { return true; }
    std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
        return files_.size_of(*inode_);
    }

private:
    FaultFiles& files_;
    const std::string file_;
    const InodePtr inode_;
    std::uint64_t end_ = 0;
};

class Directory final : public FSDirectory {
public:
    Directory(FaultFiles& files, std::string name) : files_(files), name_(std::move(name)) {}
    IOStatus Fsync(const IOOptions&, IODebugContext*) override {
        return files_.sync_directory(name_);
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

private:
    FaultFiles& files_;
    const std::string name_;
};

class Lock final : public rocksdb::FileLock {
public:
    explicit Lock(std::string locked) : file(std::move(locked)) {}
    const std::string file;
};

/// RocksDB's own diary is nobody's data.
class NoLogger final : public rocksdb::Logger {
public:
    NoLogger() : Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
    using Logger::Logv;
    void Logv(const char*, va_list) override {}
    std::size_t GetLogFileSize() const override { return 0; }
};

std::string directory_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

std::string without_slash(std::string name) {
    while (name.size() > 1 && name.back() == '/') name.pop_back();
    return name;
}

}  // namespace

void FaultFiles::cut_at(std::uint64_t number) {
    const Turn turn(*this);
    cut_at_ = number;
}

void FaultFiles::fail_at(std::uint64_t number, Failure failure, bool for_ever) {
    const Turn turn(*this);
    fail_at_ = number;
    failure_ = failure;
    for_ever_ = for_ever;
    failed_ = false;
}

void FaultFiles::fail_read_at(std::uint64_t number, ReadFailure failure, bool for_ever) {
    const Turn turn(*this);
    fail_read_at_ = number;
    read_failure_ = failure;
    reads_fail_for_ever_ = for_ever;
}

void FaultFiles::heal() {
    const Turn turn(*this);
    fail_at_ = 0;
    fail_read_at_ = 0;
}

void FaultFiles::cut() {
    const Turn turn(*this);
    power_ = false;
}

bool FaultFiles::has_power() const {
    const Turn turn(*this);
    return power_;
}

bool FaultFiles::has_failed() const {
    const Turn turn(*this);
    return failed_;
}

std::uint64_t FaultFiles::operations() const {
    const Turn turn(*this);
    return done_.size();
}

FaultDisk::Operation FaultFiles::operation(std::uint64_t number) const {
    const Turn turn(*this);
    return done_.at(number - 1);
}

std::vector<std::string> FaultFiles::reads() const {
    const Turn turn(*this);
    return reads_;
}

FaultDisk::Contents FaultFiles::contents() const {
    const Turn turn(*this);
    FaultDisk::Contents contents;
    for (const auto& [file, inode] : visible_) contents[file] = inode->visible;
    return contents;
}

void FaultFiles::load(const FaultDisk::Contents& contents) {
    const Turn turn(*this);
    visible_.clear();
    for (const auto& [file, content] : contents) {
        visible_[file] = std::make_shared<Inode>(Inode{content, content, {}});
    }
    durable_ = visible_;
    pending_.clear();
    locked_.clear();
}

std::vector<InodePtr> FaultFiles::inodes() const {
    std::set<InodePtr> all;
    for (const auto& [file, inode] : visible_) all.insert(inode);
    for (const auto& [file, inode] : durable_) all.insert(inode);
    for (const NameChange& change : pending_) {
        for (const auto& [file, inode] : change.entries) {
            if (inode != nullptr) all.insert(inode);
        }
    }
    return {all.begin(), all.end()};
}

/// The last operation of a prefix: one of those that wait, but not the last if there are several.
std::uint64_t FaultFiles::end_of_prefix(std::uint64_t choice) const {
    std::set<std::uint64_t> waiting;
    for (const InodePtr& inode : inodes()) {
        for (const Inode::Change& change : inode->pending) waiting.insert(change.operation);
    }
    for (const NameChange& change : pending_) waiting.insert(change.operation);
    if (waiting.size() < 2) return 0;
    return *std::next(waiting.begin(), static_cast<std::ptrdiff_t>(choice % (waiting.size() - 1)));
}

void FaultFiles::restore(Remains remains, std::uint64_t choice) {
    const Turn turn(*this);
    const std::uint64_t prefix = end_of_prefix(choice);
    const auto stays = [remains, prefix](std::uint64_t operation) {
        return remains == Remains::kKept || remains == Remains::kTorn ||
               (remains == Remains::kPrefix && operation <= prefix);
    };
    for (const InodePtr& inode : inodes()) {
        if (remains == Remains::kTorn) {
            tear(*inode, choice);
        } else {
            for (const Inode::Change& change : inode->pending) {
                if (stays(change.operation)) perform(change, inode->durable);
            }
        }
        inode->pending.clear();
        inode->visible = inode->durable;
    }
    for (const NameChange& change : pending_) {
        if (!stays(change.operation)) continue;
        for (const auto& [file, inode] : change.entries) {
            if (inode == nullptr) {
                durable_.erase(file);
            } else {
                durable_[file] = inode;
            }
        }
    }
    pending_.clear();
    visible_ = durable_;
    locked_.clear();
    power_ = true;
}

FaultFiles::Verdict FaultFiles::count(FileOperation kind, const std::string& file) {
    Verdict verdict;
    if (!power_) {
        verdict.cut = true;
        verdict.status = IOStatus::IOError("the power is off", file);
        verdict.failure = Failure::kIoError;
        return verdict;
    }
    done_.push_back({kind, file});
    if (done_.size() == cut_at_) {
        power_ = false;
        verdict.cut = true;
        verdict.status = IOStatus::IOError("the power was cut", file);
        return verdict;
    }
    const bool due =
        fail_at_ != 0 && (done_.size() == fail_at_ || (for_ever_ && done_.size() > fail_at_));
    if (!due || !can_fail(kind, failure_)) return verdict;
    failed_ = true;
    verdict.failure = failure_;
    if (failure_ == Failure::kDiskFull) {
        // As RocksDB's own files report it.
        verdict.status = IOStatus::NoSpace("planted: no space left on device", file);
        verdict.status.SetRetryable(true);
    } else {
        verdict.status = IOStatus::IOError(
            std::string("planted: ") + name_of(failure_) + " in " + name_of(kind), file);
    }
    return verdict;
}

IOStatus FaultFiles::write(const std::string& file, Inode& inode, std::uint64_t offset,
                           const Slice& data) {
    const Turn turn(*this);
    const Verdict verdict = count(FileOperation::kWrite, file);
    std::size_t size = data.size();
    if (verdict.failure) size = *verdict.failure == Failure::kShortWrite ? size / 2 : 0;
    if (size > 0) {
        Inode::Change change{done_.size(), false, offset, std::string(data.data(), size)};
        perform(change, inode.visible);
        inode.pending.push_back(std::move(change));
    }
    return verdict.status;
}

IOStatus FaultFiles::truncate(const std::string& file, Inode& inode, std::uint64_t size) {
    const Turn turn(*this);
    const Verdict verdict = count(FileOperation::kTruncate, file);
    if (verdict.failure) return verdict.status;
    Inode::Change change{done_.size(), true, size, {}};
    perform(change, inode.visible);
    inode.pending.push_back(std::move(change));
    return verdict.status;
}

IOStatus FaultFiles::sync(const std::string& file, Inode& inode) {
    const Turn turn(*this);
    const Verdict verdict = count(FileOperation::kSync, file);
    if (verdict.cut) return verdict.status;
    if (!verdict.failure) {
        for (const Inode::Change& change : inode.pending) perform(change, inode.durable);
    }
    // After an error a system takes its pages for clean: nobody will write them any more.
    inode.pending.clear();
    return verdict.status;
}

IOStatus FaultFiles::sync_directory(const std::string& directory) {
    const Turn turn(*this);
    const Verdict verdict = count(FileOperation::kSyncDirectory, directory);
    if (verdict.cut || verdict.failure) return verdict.status;
    for (const NameChange& change : pending_) {
        for (const auto& [file, inode] : change.entries) {
            STELE_CHECK(directory_of(file) == directory, "there is one directory");
            if (inode == nullptr) {
                durable_.erase(file);
            } else {
                durable_[file] = inode;
            }
        }
    }
    pending_.clear();
    return verdict.status;
}

IOStatus FaultFiles::read(const std::string& file, const Inode& inode, std::uint64_t offset,
                          std::size_t size, Slice* result, char* scratch) {
    const Turn turn(*this);
    reads_.push_back(file);
    const bool due =
        fail_read_at_ != 0 &&
        (reads_.size() == fail_read_at_ || (reads_fail_for_ever_ && reads_.size() > fail_read_at_));
    failed_ = failed_ || due;
    *result = Slice(scratch, 0);
    if (due && read_failure_ == ReadFailure::kIoError) {
        return IOStatus::IOError("planted: a read fails", file);
    }
    const std::uint64_t end = inode.visible.size();
    std::size_t found = offset >= end ? 0 : std::min<std::uint64_t>(size, end - offset);
    if (due) found /= 2;
    if (found > 0) std::memcpy(scratch, inode.visible.data() + offset, found);
    *result = Slice(scratch, found);
    return IOStatus::OK();
}

std::uint64_t FaultFiles::size_of(const Inode& inode) const {
    const Turn turn(*this);
    return inode.visible.size();
}

void FaultFiles::change_names(std::vector<Entry> entries) {
    for (const auto& [file, inode] : entries) {
        if (inode == nullptr) {
            visible_.erase(file);
        } else {
            visible_[file] = inode;
        }
    }
    pending_.push_back({done_.size(), std::move(entries)});
}

InodePtr FaultFiles::find(const std::string& file) const {
    const auto found = visible_.find(file);
    return found == visible_.end() ? nullptr : found->second;
}

IOStatus FaultFiles::not_found(const std::string& file) const {
    return IOStatus::PathNotFound("no such file", file);
}

IOStatus FaultFiles::NewSequentialFile(const std::string& file, const FileOptions&,
                                       std::unique_ptr<FSSequentialFile>* result, IODebugContext*) {
    const Turn turn(*this);
    const InodePtr inode = find(file);
    if (inode == nullptr) return not_found(file);
    *result = std::make_unique<SequentialFile>(*this, file, inode);
    return IOStatus::OK();
}

IOStatus FaultFiles::NewRandomAccessFile(const std::string& file, const FileOptions&,
                                         std::unique_ptr<FSRandomAccessFile>* result,
                                         IODebugContext*) {
    const Turn turn(*this);
    const InodePtr inode = find(file);
    if (inode == nullptr) return not_found(file);
    *result = std::make_unique<RandomAccessFile>(*this, file, inode);
    return IOStatus::OK();
}

IOStatus FaultFiles::NewWritableFile(const std::string& file, const FileOptions&,
                                     std::unique_ptr<FSWritableFile>* result, IODebugContext*) {
    const Turn turn(*this);
    const Verdict verdict = count(FileOperation::kCreate, file);
    if (verdict.failure) return verdict.status;
    auto inode = std::make_shared<Inode>();
    change_names({Entry(file, inode)});
    if (verdict.cut) return verdict.status;
    *result = std::make_unique<WritableFile>(*this, file, std::move(inode));
    return IOStatus::OK();
}

IOStatus FaultFiles::NewDirectory(const std::string& name, const IOOptions&,
                                  std::unique_ptr<FSDirectory>* result, IODebugContext*) {
    *result = std::make_unique<Directory>(*this, without_slash(name));
    return IOStatus::OK();
}

IOStatus FaultFiles::FileExists(const std::string& file, const IOOptions&, IODebugContext*) {
    const Turn turn(*this);
    return find(file) == nullptr ? IOStatus::NotFound(file) : IOStatus::OK();
}

IOStatus FaultFiles::GetChildren(const std::string& directory, const IOOptions&,
                                 std::vector<std::string>* result, IODebugContext*) {
    const Turn turn(*this);
    const std::string name = without_slash(directory);
    result->clear();
    for (const auto& [file, inode] : visible_) {
        if (directory_of(file) == name) result->push_back(file.substr(name.size() + 1));
    }
    return IOStatus::OK();
}

IOStatus FaultFiles::DeleteFile(const std::string& file, const IOOptions&, IODebugContext*) {
    const Turn turn(*this);
    if (find(file) == nullptr) return not_found(file);
    const Verdict verdict = count(FileOperation::kDelete, file);
    if (!verdict.failure) change_names({Entry(file, nullptr)});
    return verdict.status;
}

IOStatus FaultFiles::CreateDir(const std::string&, const IOOptions&, IODebugContext*) {
    return IOStatus::OK();
}
IOStatus FaultFiles::CreateDirIfMissing(const std::string&, const IOOptions&, IODebugContext*) {
    return IOStatus::OK();
}
IOStatus FaultFiles::DeleteDir(const std::string& directory, const IOOptions&, IODebugContext*) {
    return IOStatus::NotSupported("remove a directory", directory);
}

IOStatus FaultFiles::GetFileSize(const std::string& file, const IOOptions&, std::uint64_t* size,
                                 IODebugContext*) {
    const Turn turn(*this);
    const InodePtr inode = find(file);
    if (inode == nullptr) return not_found(file);
    *size = inode->visible.size();
    return IOStatus::OK();
}

IOStatus FaultFiles::GetFileModificationTime(const std::string&, const IOOptions&,
                                             std::uint64_t* time, IODebugContext*) {
    *time = 0;
    return IOStatus::OK();
}

IOStatus FaultFiles::RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                                IODebugContext*) {
    const Turn turn(*this);
    const InodePtr inode = find(from);
    if (inode == nullptr) return not_found(from);
    const Verdict verdict = count(FileOperation::kRename, to);
    if (!verdict.failure) change_names({Entry(to, inode), Entry(from, nullptr)});
    return verdict.status;
}

IOStatus FaultFiles::LockFile(const std::string& file, const IOOptions&, rocksdb::FileLock** result,
                              IODebugContext*) {
    const Turn turn(*this);
    if (!locked_.insert(file).second) return IOStatus::IOError("lock file", file);
    *result = new Lock(file);
    return IOStatus::OK();
}

IOStatus FaultFiles::UnlockFile(rocksdb::FileLock* lock_of_file, const IOOptions&,
                                IODebugContext*) {
    const Turn turn(*this);
    const std::unique_ptr<Lock> owned(static_cast<Lock*>(lock_of_file));
    locked_.erase(owned->file);
    return IOStatus::OK();
}

IOStatus FaultFiles::GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) {
    *path = FaultDisk::directory().string();
    return IOStatus::OK();
}

IOStatus FaultFiles::NewLogger(const std::string&, const IOOptions&,
                               std::shared_ptr<rocksdb::Logger>* result, IODebugContext*) {
    *result = std::make_shared<NoLogger>();
    return IOStatus::OK();
}

IOStatus FaultFiles::GetAbsolutePath(const std::string& path, const IOOptions&, std::string* result,
                                     IODebugContext*) {
    *result = path;
    return IOStatus::OK();
}

IOStatus FaultFiles::IsDirectory(const std::string& path, const IOOptions&, bool* is,
                                 IODebugContext*) {
    *is = without_slash(path) == FaultDisk::directory();
    return IOStatus::OK();
}

}  // namespace stele::store
