#include "store/rocksdb/private_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace stele::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

IOStatus make_private(IOStatus created, const std::string& file) {
    if (!created.ok() || ::chmod(file.c_str(), S_IRUSR | S_IWUSR) == 0) return created;
    return IOStatus::IOError("chmod " + file, std::strerror(errno));
}

class PrivateFiles final : public rocksdb::FileSystemWrapper {
public:
    PrivateFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

    const char* Name() const override { return "stele private files"; }

    IOStatus NewWritableFile(const std::string& file, const FileOptions& options,
                             std::unique_ptr<FSWritableFile>* result,
                             IODebugContext* debug) override {
        return make_private(target()->NewWritableFile(file, options, result, debug), file);
    }

    IOStatus LockFile(const std::string& file, const IOOptions& options, rocksdb::FileLock** lock,
                      IODebugContext* debug) override {
        return make_private(target()->LockFile(file, options, lock, debug), file);
    }

    IOStatus NewLogger(const std::string& file, const IOOptions& options,
                       std::shared_ptr<rocksdb::Logger>* result, IODebugContext* debug) override {
        return make_private(target()->NewLogger(file, options, result, debug), file);
    }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_private_files() {
    return std::make_shared<PrivateFiles>();
}

}  // namespace stele::store
