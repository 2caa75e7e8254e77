#include "cli/input.h"

#include "cli/command.h"
#include "cli/json.h"
#include "cli/settings.h"

#include <fmt/format.h>

namespace stele::cli {
namespace {

namespace common = temporal::api::common::v1;

absl::Status check_json(const std::string& what, const std::string& text) {
    if (Json::accept(text)) return absl::OkStatus();
    return invalid_argument(fmt::format(
        "{} is not JSON: {} (a text needs quotes of its own, as in '\"text\"')", what, text));
}

int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

absl::StatusOr<std::string> decode_base64(const std::string& what, const std::string& text) {
    std::string bytes;
    unsigned bits = 0;
    int bit_count = 0;
    const std::size_t end = text.find_last_not_of("=\n") + 1;
    for (std::size_t i = 0; i < end; ++i) {
        const int digit = base64_digit(text[i]);
        if (digit < 0) return invalid_argument(what + " is not base64");
        bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xffffff;
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        bytes += static_cast<char>(bits >> bit_count & 0xff);
    }
    return bytes;
}

/// The n-th use of a key belongs to the n-th value; a key that was used once, to every value.
using Metadata = std::map<std::string, std::vector<std::string>>;

absl::StatusOr<Metadata> read_metadata(const InputFlags& flags, std::size_t value_count) {
    Metadata metadata;
    for (const std::string& text : flags.metadata) {
        STELE_ASSIGN_OR_RETURN(auto pair, split_pair("--input-meta", text));
        auto& values = metadata[pair.first];
        values.push_back(std::move(pair.second));
        if (values.size() > value_count) {
            return invalid_argument(fmt::format("--input-meta {} is given {} times for {} inputs",
                                                pair.first, values.size(), value_count));
        }
    }
    for (const auto& [key, values] : metadata) {
        if (values.size() != 1 && values.size() != value_count) {
            return invalid_argument(
                fmt::format("--input-meta {} must be given once, or once per input", key));
        }
    }
    metadata.try_emplace("encoding", std::vector<std::string>{"json/plain"});
    return metadata;
}

absl::StatusOr<common::Payload> make_payload(const InputFlags& flags, const Metadata& metadata,
                                             std::size_t index, std::string data) {
    const std::string what = fmt::format("input {}", index + 1);
    common::Payload payload;
    for (const auto& [key, values] : metadata) {
        (*payload.mutable_metadata())[key] = values[values.size() == 1 ? 0 : index];
    }
    if (flags.is_base64) {
        STELE_ASSIGN_OR_RETURN(data, decode_base64(what, data));
    }
    if (payload.metadata().at("encoding").starts_with("json/")) {
        STELE_RETURN_IF_ERROR(check_json(what, data));
    }
    payload.set_data(std::move(data));
    return payload;
}

}  // namespace

void add_input_flags(CLI::App& app, InputFlags& flags, const std::string& prefix) {
    const std::string name = (prefix.empty() ? "-i,--" : "--") + prefix + "input";
    add_repeatable(app, name, flags.values, "Argument as JSON; repeatable")->type_name("JSON");
    add_repeatable(app, "--" + prefix + "input-file", flags.files,
                   "File that holds an argument as JSON; repeatable")
        ->type_name("FILE");
    add_repeatable(app, "--" + prefix + "input-meta", flags.metadata,
                   "Metadata of the payloads, such as encoding=binary/plain; repeatable")
        ->type_name("KEY=VALUE");
    app.add_flag("--" + prefix + "input-base64", flags.is_base64,
                 "The arguments are written in base64");
}

absl::StatusOr<common::Payloads> read_input(const InputFlags& flags) {
    if (!flags.values.empty() && !flags.files.empty()) {
        return invalid_argument("give arguments with --input or with --input-file, not with both");
    }
    std::vector<std::string> values = flags.values;
    for (const std::string& file : flags.files) {
        STELE_ASSIGN_OR_RETURN(std::string content, read_file(file));
        values.push_back(std::move(content));
    }
    STELE_ASSIGN_OR_RETURN(const Metadata metadata, read_metadata(flags, values.size()));
    common::Payloads payloads;
    for (std::size_t i = 0; i < values.size(); ++i) {
        STELE_ASSIGN_OR_RETURN(*payloads.add_payloads(),
                               make_payload(flags, metadata, i, std::move(values[i])));
    }
    return payloads;
}

absl::StatusOr<std::map<std::string, common::Payload>> read_json_pairs(
    const std::string& flag, const std::vector<std::string>& pairs) {
    std::map<std::string, common::Payload> result;
    for (const std::string& text : pairs) {
        STELE_ASSIGN_OR_RETURN(const auto pair, split_pair(flag, text));
        STELE_RETURN_IF_ERROR(check_json(flag + " " + pair.first, pair.second));
        result[pair.first] = json_payload(pair.second);
    }
    return result;
}

common::Payload json_payload(const std::string& json) {
    common::Payload payload;
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(json);
    return payload;
}

}  // namespace stele::cli
