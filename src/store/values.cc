#include "store/keys.h"

#include "base/check.h"

// The envelope of values: one byte of format version, then the payload.
namespace stele::store {
namespace {

/// The version of all tables. A table whose format changes gets a line of its own here, and a
/// reader for the old version.
constexpr std::uint8_t kFirstFormat = 1;

}  // namespace

std::uint8_t format_version(Table) { return kFirstFormat; }

std::string wrap_value(Table table, std::string_view payload) {
    std::string value;
    value.reserve(payload.size() + 1);
    value.push_back(static_cast<char>(format_version(table)));
    value.append(payload);
    return value;
}

std::string wrap_message(Table table, const google::protobuf::MessageLite& message) {
    std::string value;
    value.reserve(message.ByteSizeLong() + 1);
    value.push_back(static_cast<char>(format_version(table)));
    const bool written = message.AppendToString(&value);
    STELE_CHECK(written, "a message of the " + table_name(table) + " table does not serialise");
    return value;
}

absl::StatusOr<std::string_view> unwrap_value(Table table, std::string_view value) {
    if (value.empty()) {
        return make_error(absl::StatusCode::kDataLoss,
                          "a value of the " + table_name(table) + " table is empty");
    }
    const auto version = static_cast<std::uint8_t>(value.front());
    if (version != format_version(table)) {
        return failed_precondition("a value of the " + table_name(table) +
                                   " table has format version " + std::to_string(version) +
                                   ", and this build reads version " +
                                   std::to_string(format_version(table)));
    }
    return value.substr(1);
}

absl::Status unwrap_message(Table table, std::string_view value,
                            google::protobuf::MessageLite& message) {
    STELE_ASSIGN_OR_RETURN(const std::string_view payload, unwrap_value(table, value));
    if (message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
        return absl::OkStatus();
    }
    return make_error(absl::StatusCode::kDataLoss,
                      "a value of the " + table_name(table) + " table does not parse");
}

}  // namespace stele::store
