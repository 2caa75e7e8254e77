#include "store/dump.h"
#include "store/key_codec.h"
#include "store/keys.h"

#include "stele/internal/rows.pb.h"
#include "temporal/api/history/v1/message.pb.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <set>

// Rows as version 1 wrote them. Above each row stands what it must say for ever: a field that is
// renumbered, retyped or renamed shows here. A row for new fields is added at the end; with
// --gtest_also_run_disabled_tests, PrintsRowsOfToday prints one of each kind, every field set.
namespace stele::store {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kGoldenFile[] = "src/store/testdata/rows.golden";

using Maker = std::function<std::unique_ptr<Message>()>;

template <typename Type>
Maker make() {
    return [] { return std::make_unique<Type>(); };
}

/// The message in the values of a kind of row, under the word that a key's description starts with.
const std::map<std::string, Maker>& messages() {
    static const std::map<std::string, Maker> map = {
        {"current", make<storage::CurrentRow>()},
        {"dispatch", make<storage::DispatchRow>()},
        {"events", make<temporal::api::history::v1::History>()},
        {"index", make<storage::IndexRow>()},
        {"namespace", make<storage::NamespaceRow>()},
        {"outbox", make<storage::OutboxRow>()},
        {"state 0", make<storage::HeaderRow>()},
        {"state 1", make<storage::InfoRow>()},
        {"state 2", make<storage::AttributesRow>()},
        {"state 3", make<storage::ActivityRow>()},
        {"state 4", make<storage::TimerRow>()},
        {"state 5", make<storage::ChildRow>()},
        {"state 6", make<storage::ExternalRow>()},
        {"state 7", make<storage::ExternalRow>()},
        {"state 8", make<storage::BufferedEventRow>()},
        {"state 9", make<storage::RequestIdRow>()},
        {"state 10", make<storage::UpdateRow>()},
        {"state 43", make<storage::CallbackRow>()},
        {"state 11", make<storage::NexusOperationRow>()},
        {"nexus_endpoint", make<storage::NexusEndpointRow>()},
        {"task_queue", make<storage::TaskQueueRow>()},
        {"batch", make<storage::BatchRow>()},
    };
    return map;
}

std::string kind_of(std::string_view key) {
    const auto table = static_cast<Table>(key.front());
    if (table != Table::kState) return table_name(table);
    return "state " + std::to_string(static_cast<int>(decode_state_key(key).value().kind));
}

std::string text_of(const Message& message) {
    google::protobuf::TextFormat::Printer printer;
    printer.SetSingleLineMode(true);
    std::string text;
    EXPECT_TRUE(printer.PrintToString(message, &text));
    return text;
}

struct GoldenRow {
    std::string text;
    std::string key;
    std::string value;
};

std::vector<GoldenRow> golden_rows() {
    std::vector<GoldenRow> rows;
    std::ifstream file(kGoldenFile);
    EXPECT_TRUE(file) << kGoldenFile;
    std::string text;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("#= ")) text = line.substr(3);
        if (line.empty() || line.front() == '#') continue;
        const WriteBatch batch = parse_dump(line).value();
        rows.push_back({text, batch.operations()[0].key, batch.operations()[0].value});
    }
    return rows;
}

TEST(RowsGolden, EveryRowSaysForEverWhatItSaid) {
    for (const GoldenRow& row : golden_rows()) {
        const std::unique_ptr<Message> message = messages().at(kind_of(row.key))();
        const Table table = static_cast<Table>(row.key.front());
        ASSERT_TRUE(unwrap_message(table, row.value, *message).ok()) << describe_key(row.key);
        EXPECT_EQ(text_of(*message), row.text) << describe_key(row.key);
        const google::protobuf::Reflection& reflection = *message->GetReflection();
        EXPECT_TRUE(reflection.GetUnknownFields(*message).empty()) << describe_key(row.key);
        // Nothing is lost on the way through: reading and writing again gives the same message.
        const std::unique_ptr<Message> again = messages().at(kind_of(row.key))();
        ASSERT_TRUE(unwrap_message(table, wrap_message(table, *message), *again).ok());
        EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*message, *again));
    }
}

TEST(RowsGolden, EveryKindOfRowHasOne) {
    std::set<std::string> kinds;
    for (const GoldenRow& row : golden_rows()) kinds.insert(kind_of(row.key));
    for (const auto& [kind, maker] : messages()) EXPECT_TRUE(kinds.contains(kind)) << kind;
}

// ---- making rows -------------------------------------------------------------------------------

void fill(Message& message, int depth);

void fill_field(Message& message, const FieldDescriptor& field, int depth) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    const bool many = field.is_repeated();
    const int number = field.number();
    const std::string word = field.name().substr(0, 12);
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32:
            many ? reflection.AddInt32(&message, &field, number)
                 : reflection.SetInt32(&message, &field, number);
            break;
        case FieldDescriptor::CPPTYPE_INT64:
            many ? reflection.AddInt64(&message, &field, number)
                 : reflection.SetInt64(&message, &field, number);
            break;
        case FieldDescriptor::CPPTYPE_BOOL: reflection.SetBool(&message, &field, true); break;
        case FieldDescriptor::CPPTYPE_FLOAT: reflection.SetFloat(&message, &field, 0.5F); break;
        case FieldDescriptor::CPPTYPE_DOUBLE: reflection.SetDouble(&message, &field, 0.5); break;
        case FieldDescriptor::CPPTYPE_ENUM:
            many ? reflection.AddEnumValue(&message, &field, 1)
                 : reflection.SetEnumValue(&message, &field, 1);
            break;
        case FieldDescriptor::CPPTYPE_STRING:
            many ? reflection.AddString(&message, &field, word)
                 : reflection.SetString(&message, &field, word);
            break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
            if (depth == 0) break;
            fill(many ? *reflection.AddMessage(&message, &field)
                      : *reflection.MutableMessage(&message, &field),
                 depth - 1);
            break;
        default: break;
    }
}

/// Sets every field, and the first of each choice, down to a depth.
void fill(Message& message, int depth) {
    for (int index = 0; index < message.GetDescriptor()->field_count(); ++index) {
        const FieldDescriptor& field = *message.GetDescriptor()->field(index);
        const auto* choice = field.real_containing_oneof();
        if (choice != nullptr && choice->field(0) != &field) continue;
        if (field.options().deprecated()) continue;
        fill_field(message, field, depth);
    }
}

std::map<std::string, std::string> example_keys() {
    std::map<std::string, std::string> keys = {
        {"current", encode(CurrentKey{7, "ns", "order"})},
        {"dispatch", encode(DispatchKey{7, QueueKind::kActivity, "ns", "queue", 5})},
        {"events", encode(EventsKey{7, RunKey(3), EventId(1)})},
        {"index", encode(IndexKey{7, 6})},
        {"namespace", namespace_key("ns")},
        {"outbox", encode(OutboxKey{7, 4})},
        {"nexus_endpoint", nexus_endpoint_key("id")},
        {"task_queue", encode(TaskQueueKey{"ns", "queue", 1})},
        {"batch", encode(BatchKey{"ns", "job"})},
    };
    for (int kind = 0; kind <= 11; ++kind) {
        keys["state " + std::to_string(kind)] =
            encode(StateKey{7, RunKey(3), static_cast<StateKind>(kind), kind < 3 ? 0 : 5});
    }
    keys["state 43"] = encode(StateKey{7, RunKey(3), StateKind::kCallback, 5});
    return keys;
}

TEST(RowsGolden, DISABLED_PrintsRowsOfToday) {
    const std::map<std::string, std::string> keys = example_keys();
    for (const auto& [kind, maker] : messages()) {
        const std::unique_ptr<Message> message = maker();
        fill(*message, 2);
        const std::string& key = keys.at(kind);
        const std::string value = wrap_message(static_cast<Table>(key.front()), *message);
        std::printf("# %s\n#= %s\n%s %s\n", describe_key(key).c_str(), text_of(*message).c_str(),
                    to_hex(key).c_str(), to_hex(value).c_str());
    }
}

}  // namespace
}  // namespace stele::store
