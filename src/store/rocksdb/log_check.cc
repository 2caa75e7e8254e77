#include "store/rocksdb/log_check.h"

#include <rocksdb/file_system.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace stele::store {
namespace {

// The form of RocksDB's logs: blocks, in which records stand that do not cross their ends. A record
// is a checksum, a length, a type, and a part of a batch. A batch is a sequence number, a count, and
// operations, of which the first is our note.
constexpr std::size_t kBlock = 32'768;
constexpr std::size_t kRecordHeader = 7;
constexpr std::size_t kTypeAt = 6;
constexpr std::size_t kBatchHeader = 12;
constexpr char kFull = 1;
constexpr char kFirst = 2;
constexpr char kLast = 4;
constexpr char kLogDataTag = 3;

constexpr std::string_view kNote = "stele ";
constexpr char kAllSynced = 'S';
constexpr char kNotAllSynced = '-';

/// CRC-32C, a byte at a time: at most one log's worth of bytes is read when a store is opened.
std::uint32_t crc32c(std::string_view bytes) {
    static const auto table = [] {
        constexpr std::uint32_t kPolynomial = 0x82f63b78u;
        std::array<std::uint32_t, 256> entries{};
        for (std::uint32_t i = 0; i < entries.size(); ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value >> 1) ^ ((value & 1u) != 0 ? kPolynomial : 0);
            }
            entries[i] = value;
        }
        return entries;
    }();
    std::uint32_t crc = 0xffffffffu;
    for (const char c : bytes) {
        crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xffu] ^ (crc >> 8);
    }
    return crc ^ 0xffffffffu;
}

std::uint32_t unmask(std::uint32_t masked) {
    constexpr std::uint32_t kDelta = 0xa282ead8u;
    const std::uint32_t rotated = masked - kDelta;
    return (rotated >> 17) | (rotated << 15);
}

struct Note {
    std::string opening;
    bool all_before_synced = false;
};

std::optional<Note> note_of(std::string_view batch) {
    if (batch.size() < kBatchHeader + 2 || batch[kBatchHeader] != kLogDataTag) return std::nullopt;
    const auto length = static_cast<unsigned char>(batch[kBatchHeader + 1]);
    const std::string_view text = batch.substr(kBatchHeader + 2, length);
    if (length > 127 || text.size() != length || text.size() <= kNote.size() + 1) {
        return std::nullopt;
    }
    if (!text.starts_with(kNote)) return std::nullopt;
    return Note{std::string(text.substr(kNote.size() + 1)), text[kNote.size()] == kAllSynced};
}

/// Where a log stops being whole, and the notes on both sides of that place.
struct Findings {
    std::optional<std::size_t> broken_at;
    std::set<std::string> openings_before;  // that have written whole records up to there
    std::set<std::string> openings_behind;  // whose notes behind it say that all was synced
    std::set<std::string> openings_synced;  // the same, of all notes
};

class LogReader {
public:
    explicit LogReader(std::string_view log) : log_(log) {}

    Findings read() {
        for (std::size_t block = 0; block < log_.size(); block += kBlock) {
            read_block(block, log_.substr(block, kBlock));
        }
        // A batch without its end is how a log stops.
        return std::move(findings_);
    }

private:
    /// Records are found again at the next block, and behind one whose length holds.
    void read_block(std::size_t base, std::string_view block) {
        for (std::size_t at = 0; at + kRecordHeader <= block.size();) {
            const std::string_view header = block.substr(at, kRecordHeader);
            if (header.find_first_not_of('\0') == std::string_view::npos) {
                // Zeros ahead of the end; behind them there is nothing, unless they are damage.
                const std::size_t next = block.find_first_not_of('\0', at);
                if (next == std::string_view::npos) return zeros(base + at);
                broken(base + at);
                return search(base, block, at + 1);
            }
            const std::size_t length =
                static_cast<unsigned char>(header[4]) |
                static_cast<std::size_t>(static_cast<unsigned char>(header[5])) << 8;
            if (!is_whole(block, at, length)) {
                broken(base + at);
                return search(base, block, at + 1);
            }
            record(header[kTypeAt], block.substr(at + kRecordHeader, length));
            at += kRecordHeader + length;
        }
    }

    static bool is_whole(std::string_view block, std::size_t at, std::size_t length) {
        if (at + kRecordHeader + length > block.size()) return false;
        std::uint32_t stored = 0;
        std::memcpy(&stored, block.data() + at, sizeof(stored));
        return unmask(stored) == crc32c(block.substr(at + kTypeAt, length + 1));
    }

    /// Behind damage the next record can begin anywhere: the checksum tells it.
    void search(std::size_t base, std::string_view block, std::size_t from) {
        for (std::size_t at = from; at + kRecordHeader <= block.size(); ++at) {
            const char type = block[at + kTypeAt];
            if (type < kFull || type > kLast) continue;
            const std::size_t length =
                static_cast<unsigned char>(block[at + 4]) |
                static_cast<std::size_t>(static_cast<unsigned char>(block[at + 5])) << 8;
            if (length == 0 || !is_whole(block, at, length)) continue;
            record(type, block.substr(at + kRecordHeader, length));
            return read_block(base + at + kRecordHeader + length,
                              block.substr(at + kRecordHeader + length));
        }
    }

    void zeros(std::size_t at) { zeros_at_ = zeros_at_ ? zeros_at_ : at; }
    void broken(std::size_t at) {
        if (!findings_.broken_at) findings_.broken_at = at;
    }

    void record(char type, std::string_view payload) {
        // Zeros up to the end of a block, and then another record: the log was overwritten.
        if (zeros_at_) broken(*zeros_at_);
        if (type != kFull && type != kFirst) return;
        const std::optional<Note> note = note_of(payload);
        if (!note) return;
        if (!findings_.broken_at) findings_.openings_before.insert(note->opening);
        if (!note->all_before_synced) return;
        findings_.openings_synced.insert(note->opening);
        if (findings_.broken_at) findings_.openings_behind.insert(note->opening);
    }

    const std::string_view log_;
    std::optional<std::size_t> zeros_at_;
    Findings findings_;
};

absl::StatusOr<std::string> read_file(rocksdb::Env& environment, const std::string& path) {
    std::string content;
    const rocksdb::Status read = rocksdb::ReadFileToString(&environment, path, &content);
    if (!read.ok()) return internal_error("cannot read " + path + ": " + read.ToString());
    return content;
}

}  // namespace

std::string log_note(std::string_view opening, bool all_before_synced) {
    std::string note(kNote);
    note += all_before_synced ? kAllSynced : kNotAllSynced;
    note += opening;
    return note;
}

absl::Status check_logs(rocksdb::Env& environment, const std::string& directory) {
    std::vector<std::string> files;
    if (!environment.GetChildren(directory, &files).ok()) return absl::OkStatus();
    std::map<std::uint64_t, std::string> logs;
    for (const std::string& file : files) {
        if (!file.ends_with(".log") || file.find_first_not_of("0123456789") != file.size() - 4) {
            continue;
        }
        logs[std::stoull(file)] = directory + "/" + file;
    }
    // A log that is broken, and the openings that wrote it: their later notes vouch for it.
    std::string damaged;
    std::set<std::string> writers;
    for (const auto& [number, path] : logs) {
        STELE_ASSIGN_OR_RETURN(const std::string content, read_file(environment, path));
        const Findings findings = LogReader(content).read();
        for (const std::string& opening : findings.openings_synced) {
            if (writers.contains(opening)) {
                return make_error(absl::StatusCode::kDataLoss, damaged);
            }
        }
        if (!findings.broken_at || !damaged.empty()) continue;
        damaged = path + " is damaged at offset " + std::to_string(*findings.broken_at) +
                  ": what follows was on the disk and can not be read";
        if (!findings.openings_behind.empty()) {
            return make_error(absl::StatusCode::kDataLoss, damaged);
        }
        writers = findings.openings_before;
    }
    return absl::OkStatus();
}

}  // namespace stele::store
