#include "store/rocksdb/table_check.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele::store {
namespace {

using rocksdb::FSRandomAccessFile;
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
    Table(const std::string& name, const FSRandomAccessFile& file, std::uint64_t bytes)
        : name_(name), file_(file), bytes_(bytes) {}

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

    const std::string& name_;
    const FSRandomAccessFile& file_;
    const std::uint64_t bytes_;
};

}  // namespace

IOStatus check_table(const std::string& name, const FSRandomAccessFile& file, std::uint64_t bytes) {
    return Table(name, file, bytes).check();
}

}  // namespace stele::store
