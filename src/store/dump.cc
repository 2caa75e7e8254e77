#include "store/dump.h"

#include "store/key_codec.h"

#include <fstream>
#include <sstream>
#include <utility>

namespace stele::store {
namespace {

constexpr char kEmptyValue[] = "-";

absl::Status bad_line(int number) {
    return invalid_argument("line " + std::to_string(number) +
                            " of a dump is not a key and a value in hexadecimal");
}

}  // namespace

absl::StatusOr<std::string> dump(Store& store) {
    std::string text;
    const auto rows = store.scan("", "\xff");
    for (; rows->valid(); rows->next()) {
        text += to_hex(rows->key()) + " ";
        text += rows->value().empty() ? kEmptyValue : to_hex(rows->value());
        text += "\n";
    }
    STELE_RETURN_IF_ERROR(rows->status());
    return text;
}

absl::StatusOr<WriteBatch> parse_dump(std::string_view text) {
    WriteBatch batch;
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) return bad_line(number);
        auto key = from_hex(line.substr(0, space));
        const std::string_view written = line.substr(space + 1);
        auto value = written == kEmptyValue ? std::string() : from_hex(written);
        if (!key || key->empty() || !value) return bad_line(number);
        batch.put(*std::move(key), *std::move(value));
    }
    return batch;
}

absl::StatusOr<WriteBatch> read_dump(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return make_error(absl::StatusCode::kNotFound, "cannot read " + path);
    std::ostringstream text;
    text << file.rdbuf();
    return parse_dump(text.str());
}

}  // namespace stele::store
