#include "tests/crash_points/remnant.h"

#include "base/check.h"

#include <cstdint>
#include <cstring>

// Numbers of eight bytes, texts with their length in front, and collections with their size.
namespace stele::crash_points {
namespace {

class Writer {
public:
    void add(std::uint64_t number) {
        bytes_.append(reinterpret_cast<const char*>(&number), sizeof(number));
    }
    void add(const std::string& text) {
        add(std::uint64_t{text.size()});
        bytes_ += text;
    }
    void add(const std::set<std::string>& texts) {
        add(std::uint64_t{texts.size()});
        for (const std::string& text : texts) add(text);
    }
    template <typename Value>
    void add(const std::map<std::string, Value>& map) {
        add(std::uint64_t{map.size()});
        for (const auto& [key, value] : map) {
            add(key);
            add(value);
        }
    }
    void add(const store::WriteBatch& batch) {
        add(std::uint64_t{batch.operations().size()});
        for (const store::WriteBatch::Operation& operation : batch.operations()) {
            add(static_cast<std::uint64_t>(operation.kind));
            add(operation.key);
            add(operation.value);
        }
    }
    std::string bytes() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::uint64_t number() {
        std::uint64_t number = 0;
        std::memcpy(&number, take(sizeof(number)).data(), sizeof(number));
        return number;
    }
    void read(std::string& text) { text = take(number()); }
    void read(std::set<std::string>& texts) {
        for (std::uint64_t left = number(); left > 0; --left) texts.insert(text());
    }
    template <typename Value>
    void read(std::map<std::string, Value>& map) {
        for (std::uint64_t left = number(); left > 0; --left) {
            const std::string key = text();
            read(map[key]);
        }
    }
    void read(store::WriteBatch& batch) {
        using Kind = store::WriteBatch::Operation::Kind;
        for (std::uint64_t left = number(); left > 0; --left) {
            const auto kind = static_cast<Kind>(number());
            std::string key = text();
            std::string value = text();
            switch (kind) {
                case Kind::kPut: batch.put(std::move(key), std::move(value)); break;
                case Kind::kErase: batch.erase(std::move(key)); break;
                case Kind::kEraseRange: batch.erase_range(std::move(key), std::move(value)); break;
            }
        }
    }
    std::string text() {
        std::string text;
        read(text);
        return text;
    }
    bool at_end() const { return bytes_.empty(); }

private:
    std::string_view take(std::uint64_t size) {
        STELE_CHECK(size <= bytes_.size(), "a remnant is whole");
        const std::string_view taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }

    std::string_view bytes_;
};

}  // namespace

std::string encode(const Remnant& remnant) {
    Writer writer;
    writer.add(remnant.files);
    writer.add(remnant.ledger.confirmed);
    writer.add(std::uint64_t{remnant.ledger.open.size()});
    for (const store::WriteBatch& batch : remnant.ledger.open) writer.add(batch);
    writer.add(remnant.runs);
    writer.add(remnant.signals);
    writer.add(std::uint64_t{remnant.completions.size()});
    for (const auto& [place, attempt] : remnant.completions) {
        writer.add(place.first);
        writer.add(place.second);
        writer.add(static_cast<std::uint64_t>(attempt));
    }
    writer.add(remnant.operated);
    return writer.bytes();
}

Remnant decode_remnant(std::string_view bytes) {
    Reader reader(bytes);
    Remnant remnant;
    reader.read(remnant.files);
    reader.read(remnant.ledger.confirmed);
    for (std::uint64_t left = reader.number(); left > 0; --left) {
        reader.read(remnant.ledger.open.emplace_back());
    }
    reader.read(remnant.runs);
    reader.read(remnant.signals);
    for (std::uint64_t left = reader.number(); left > 0; --left) {
        std::string run = reader.text();
        std::string activity = reader.text();
        remnant.completions[{std::move(run), std::move(activity)}] =
            static_cast<int>(reader.number());
    }
    reader.read(remnant.operated);
    STELE_CHECK(reader.at_end(), "a remnant is whole");
    return remnant;
}

}  // namespace stele::crash_points
