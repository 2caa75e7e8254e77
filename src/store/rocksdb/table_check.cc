#include "store/rocksdb/table_check.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stele::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSRandomAccessFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// What stands where in a block-based table, as rocksdb/table/format.cc and block.cc have it. A table ends with
// a byte for the kind of checksum, the places of two blocks, the version and a magic number.
constexpr std::size_t kFooterBytes = 53;
constexpr std::string_view kMagic = "\xf7\xcf\xf4\x85\xb7\x41\xe2\x88";
constexpr std::string_view kProperties = "rocksdb.properties";
/// A block ends with the number of its restarts, whose highest bit says that it has a hash index.
constexpr std::size_t kBlockEndBytes = 4;
/// A list of a table's other blocks is a few hundred bytes long.
constexpr std::uint64_t kListBytesMax = 64 * 1024;

/// Where a block is.
struct Place {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

/// Takes a number of seven bits a byte off the front; false where there is none.
bool take_number(std::string_view& text, std::uint64_t& number) {
    number = 0;
    for (int shift = 0; shift < 64 && !text.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(text.front());
        text.remove_prefix(1);
        number |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

bool take_place(std::string_view& text, Place& place) {
    return take_number(text, place.offset) && take_number(text, place.bytes);
}

/// Looks up the place of the properties in the list of a table's other blocks.
std::optional<Place> find_properties(std::string_view list) {
    std::string key;
    while (list.size() > kBlockEndBytes) {
        std::uint64_t shared = 0;
        std::uint64_t rest = 0;
        std::uint64_t value = 0;
        if (!take_number(list, shared) || !take_number(list, rest) || !take_number(list, value) ||
            shared > key.size() || rest > list.size() || value > list.size() - rest) {
            return std::nullopt;
        }
        key.resize(shared);
        key += list.substr(0, rest);
        std::string_view text = list.substr(rest, value);
        list.remove_prefix(rest + value);
        Place place;
        if (key == kProperties)
            return take_place(text, place) ? std::optional(place) : std::nullopt;
    }
    return std::nullopt;
}

class Table {
public:
    Table(std::string name, const FSRandomAccessFile& file, std::uint64_t bytes)
        : name_(std::move(name)), file_(file), bytes_(bytes) {}

    /// Corruption where RocksDB would look for a hash index in the properties. What can not be understood
    /// is fine here: it will be refused.
    IOStatus check() const {
        if (bytes_ < kFooterBytes) return IOStatus::OK();
        const std::string footer = read({bytes_ - kFooterBytes, kFooterBytes});
        if (!footer.ends_with(kMagic)) return IOStatus::OK();
        std::string_view rest = std::string_view(footer).substr(1);
        Place list;
        if (!take_place(rest, list)) return IOStatus::OK();
        const std::optional<Place> properties = find_properties(read(list));
        if (!properties || properties->bytes < kBlockEndBytes) return IOStatus::OK();
        const std::uint64_t last = properties->offset + properties->bytes - 1;
        const std::string byte = read({last, 1});
        if (byte.empty() || static_cast<unsigned char>(byte.front()) < 0x80) return IOStatus::OK();
        return IOStatus::Corruption(name_, "byte " + std::to_string(last) +
                                               ", the end of the table's properties, is damaged");
    }

private:
    /// Nothing where it can not be read.
    std::string read(Place place) const {
        if (place.bytes > kListBytesMax || place.offset > bytes_ ||
            place.bytes > bytes_ - place.offset) {
            return {};
        }
        std::string text(place.bytes, '\0');
        Slice result;
        const IOStatus status =
            file_.Read(place.offset, text.size(), IOOptions(), &result, text.data(), nullptr);
        return status.ok() ? result.ToString() : std::string();
    }

    const std::string name_;
    const FSRandomAccessFile& file_;
    const std::uint64_t bytes_;
};

class CheckedTables final : public rocksdb::FileSystemWrapper {
public:
    explicit CheckedTables(std::shared_ptr<rocksdb::FileSystem> below)
        : FileSystemWrapper(std::move(below)) {}

    const char* Name() const override { return "stele checked tables"; }

    IOStatus NewRandomAccessFile(const std::string& file, const FileOptions& options,
                                 std::unique_ptr<FSRandomAccessFile>* result,
                                 IODebugContext* debug) override {
        IOStatus opened = target()->NewRandomAccessFile(file, options, result, debug);
        if (!opened.ok() || !file.ends_with(".sst")) return opened;
        std::uint64_t bytes = 0;
        const IOStatus sized = target()->GetFileSize(file, options.io_options, &bytes, debug);
        if (!sized.ok()) return sized;
        return Table(file, **result, bytes).check();
    }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> with_checked_tables(
    std::shared_ptr<rocksdb::FileSystem> below) {
    return std::make_shared<CheckedTables>(std::move(below));
}

}  // namespace stele::store
