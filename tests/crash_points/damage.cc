#include "tests/crash_points/damage.h"

#include "base/check.h"
#include "store/dump.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace stele::crash_points {
namespace {

using Contents = store::FaultDisk::Contents;

std::string name_of(const std::string& file) {
    return std::filesystem::path(file).filename().string();
}

/// Behind the last place where the log says that all before it was synced. What was written from
/// there on may have been acknowledged, but nothing on the disk tells so.
std::size_t tail_of_log(const std::string& log) {
    // The note follows the headers of its record and its batch, a tag and a length.
    constexpr std::size_t kBeforeNote = 7 + 12 + 2;
    const std::size_t note = log.rfind("stele S");
    STELE_CHECK(note != std::string::npos && note >= kBeforeNote, "every log has such a note");
    return note - kBeforeNote;
}

}  // namespace

Contents damaged(Contents contents, const Damage& damage) {
    std::string& content = contents.at(damage.file);
    if (damage.kind == Damage::Kind::kTruncation) {
        content.resize(damage.offset);
    } else {
        content.at(damage.offset) = static_cast<char>(~content.at(damage.offset));
    }
    return contents;
}

DamagedStore::DamagedStore(Contents golden) : golden_(std::move(golden)) {
    rows_ = read(golden_).value();
    for (const auto& [file, content] : golden_) {
        if (file.ends_with(".log")) log_ = file;  // the last has the largest number
    }
    const std::string& log = golden_.at(log_);
    const std::size_t end = log.find_last_not_of('\0') + 1;
    for (std::size_t length = tail_of_log(log); length <= end; ++length) {
        const auto rows = read(damaged(golden_, {log_, Damage::Kind::kTruncation, length}));
        STELE_CHECK(rows.ok(), "a log may end anywhere");
        if (tails_.empty() || tails_.back() != *rows) tails_.push_back(*rows);
    }
}

absl::StatusOr<std::string> DamagedStore::read(const Contents& contents) {
    store::FaultDisk disk;
    disk.load(contents);
    STELE_ASSIGN_OR_RETURN(const std::unique_ptr<store::Store> opened, disk.open({}));
    return store::dump(*opened);
}

Verdict DamagedStore::judge(const Damage& damage) {
    const absl::StatusOr<std::string> rows = read(damaged(golden_, damage));
    if (rows.ok()) {
        if (*rows == rows_) return {Effect::kNone, {}};
        if (damage.file != log_) return {Effect::kViolation, "rows are not what they were"};
        if (std::find(tails_.begin(), tails_.end(), *rows) != tails_.end()) {
            return {Effect::kTail, {}};
        }
        // A log that was cut short is one that was written less far.
        if (damage.kind == Damage::Kind::kTruncation) return {Effect::kTail, {}};
        return {Effect::kViolation, "what the log tells to have been synced is missing"};
    }
    std::string text = message_of(rows.status());
    if (text.find(name_of(damage.file)) == std::string::npos) {
        return {Effect::kViolation, "the error does not name the file: " + text};
    }
    return {Effect::kError, std::move(text)};
}

}  // namespace stele::crash_points
