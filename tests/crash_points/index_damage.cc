#include "tests/crash_points/index_damage.h"

#include "base/check.h"
#include "env/sim/sim_env.h"
#include "sim/script.h"
#include "store/committer.h"
#include "store/memory/memory_store.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "tests/crash_points/steps.h"
#include "tests/crash_points/trial.h"
#include "visibility/attribute_names.h"
#include "visibility/visibility.h"

#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace stele::crash_points {
namespace {

namespace enums = temporal::api::enums::v1;
namespace operators = temporal::api::operatorservice::v1;
namespace service = temporal::api::workflowservice::v1;

constexpr char kIndexFile[] = "visibility.sqlite";
const char* const kSuffixes[] = {"", "-wal", "-shm"};
constexpr Duration kAnswerTime = std::chrono::minutes(1);

history::SearchAttributeSchema make_schema() {
    google::protobuf::Map<std::string, std::int32_t> custom;
    custom["Customer"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
    return {"space", custom};
}

std::unique_ptr<store::Store> copy_of(store::Store& store) {
    auto copy = store::make_memory_store();
    store::WriteBatch rows;
    const auto cursor = store.scan("", "\xff\xff");
    for (; cursor->valid(); cursor->next()) {
        rows.put(std::string(cursor->key()), std::string(cursor->value()));
    }
    STELE_CHECK(cursor->status().ok() && copy->write(rows, store::Sync::kYes).ok(),
                "a store can be copied");
    return copy;
}

std::string read_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void write_files(const std::string& directory, const store::FaultDisk::Contents& files) {
    for (const char* suffix : kSuffixes) {
        std::filesystem::remove(directory + "/" + kIndexFile + suffix);
    }
    for (const auto& [name, content] : files) {
        std::ofstream(directory + "/" + std::filesystem::path(name).filename().string(),
                      std::ios::binary)
            << content;
    }
}

/// A run of a list. As bytes it is not always the same, because maps have no order.
std::string text_of(const std::string& run) {
    temporal::api::workflow::v1::WorkflowExecutionInfo info;
    STELE_CHECK(info.ParseFromString(run), "a run of a list parses");
    return info.ShortDebugString();
}

/// Lists of one store from one index, as a server has them: on its executor, behind its committer.
class Lists {
public:
    Lists(store::Store& store, const std::string& path, const std::string& store_id)
        : sim_(env::SimOptions{.seed = 1, .slow_one_in = 0}),
          committer_(store::make_committer(
              sim_, store,
              [](const absl::Status&) { STELE_CHECK(false, "memory can be written"); })),
          schema_(std::make_shared<history::SearchAttributeSchema>(make_schema())) {
        auto made = visibility::make_visibility(sim_, store, *committer_, feeds_,
                                                [this](const std::string&) { return schema_; },
                                                {path, store_id});
        status_ = made.status();
        if (made.ok()) visibility_ = *std::move(made);
    }

    const absl::Status& status() const { return status_; }

    absl::StatusOr<std::string> ask(const std::string& namespace_id) {
        std::string text;
        for (const char* filter : {"", "Customer = 'ada'"}) {
            STELE_ASSIGN_OR_RETURN(auto parsed, visibility::parse_run_filter(filter, *schema_));
            STELE_ASSIGN_OR_RETURN(
                const visibility::ListPage page, answer<visibility::ListPage>([&](auto reply) {
                    visibility_->list({namespace_id, std::move(parsed), 100, std::nullopt},
                                      std::move(reply));
                }));
            text += fmt::format("{} runs\n", page.runs.size());
            for (const std::string& run : page.runs) text += text_of(run) + "\n";
        }
        STELE_ASSIGN_OR_RETURN(
            auto parsed, visibility::parse_run_filter("ExecutionStatus = 'Completed'", *schema_));
        STELE_ASSIGN_OR_RETURN(
            const visibility::CountResult counted, answer<visibility::CountResult>([&](auto reply) {
                visibility_->count({namespace_id, std::move(parsed)}, std::move(reply));
            }));
        return text + fmt::format("{} completed\n", counted.count);
    }

private:
    template <typename T, typename Question>
    absl::StatusOr<T> answer(Question question) {
        std::optional<absl::StatusOr<T>> answer;
        question(
            Reply<T>([&answer](absl::StatusOr<T> given) { answer.emplace(std::move(given)); }));
        const Timestamp until = sim_.now() + kAnswerTime;
        while (!answer && sim_.now() < until && sim_.run_one()) {
        }
        if (!answer) return internal_error("no answer came");
        return *std::move(answer);
    }

    env::SimEnv sim_;
    std::unique_ptr<store::Committer> committer_;
    store::IndexFeeds feeds_;
    std::shared_ptr<const history::SearchAttributeSchema> schema_;
    absl::Status status_;
    std::unique_ptr<visibility::Visibility> visibility_;
};

void set_customer(StartRequest& request) {
    auto& value = (*request.mutable_search_attributes()->mutable_indexed_fields())["Customer"];
    (*value.mutable_metadata())["encoding"] = "json/plain";
    value.set_data("\"ada\"");
}

std::string id_of_namespace(Trial& trial) {
    service::DescribeNamespaceRequest request;
    request.set_namespace_(sim::kNamespace);
    const auto told = trial.ask<service::DescribeNamespaceResponse>("DescribeNamespace", request);
    expect(told.status(), "DescribeNamespace");
    return told->namespace_info().id();
}

void register_customer(Trial& trial) {
    operators::AddSearchAttributesRequest request;
    request.set_namespace_(sim::kNamespace);
    (*request.mutable_search_attributes())["Customer"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
    expect(trial
               .ask<operators::AddSearchAttributesResponse>(
                   "/temporal.api.operatorservice.v1.OperatorService/AddSearchAttributes", request)
               .status(),
           "AddSearchAttributes");
}

}  // namespace

DamagedIndex::DamagedIndex() { make_golden(); }
DamagedIndex::~DamagedIndex() { clean_up(); }
void DamagedIndex::clean_up() { std::filesystem::remove_all(directory()); }

std::string DamagedIndex::directory() const {
    const std::filesystem::path memory = "/dev/shm";
    const auto parent =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    const auto own = parent / fmt::format("stele-index-{}", getpid());
    std::filesystem::create_directory(own);
    return own.string();
}

void DamagedIndex::make_golden() {
    std::unique_ptr<store::Store> before;
    const Scenario scenario{"golden-index", [&](Trial& trial) {
                                namespace_id_ = id_of_namespace(trial);
                                register_customer(trial);
                                start(trial, "w", "A", set_customer);
                                await_end(trial, "w");
                                start(trial, "v", "S");
                                before = copy_of(trial.store());
                                signal(trial, "v", "value");
                                await_end(trial, "v");
                                start(trial, "u", "S", set_customer);
                                trial.run_for(std::chrono::seconds(1));
                                store_ = copy_of(trial.store());
                            }};
    Trial(scenario, {}).run();
    store_id_ = "golden";

    const std::string path = directory() + "/" + kIndexFile;
    const auto schema = std::make_shared<const history::SearchAttributeSchema>(make_schema());
    STELE_CHECK(
        visibility::rebuild(*before, [&](const std::string&) { return schema; }, {path, store_id_})
            .ok(),
        "an index can be made");
    Lists lists(*store_, path, store_id_);
    expected_ = lists.ask(namespace_id_).value();
    for (const char* suffix : kSuffixes) {
        golden_[store::FaultDisk::directory() / (std::string(kIndexFile) + suffix)] =
            read_file(path + suffix);
    }
}

DamagedIndex::Answer DamagedIndex::ask(const store::FaultDisk::Contents& files) {
    write_files(directory(), files);
    Lists lists(*store_, directory() + "/" + kIndexFile, store_id_);
    if (!lists.status().ok()) return {lists.status(), {}};
    absl::StatusOr<std::string> text = lists.ask(namespace_id_);
    return {text.status(), text.ok() ? *std::move(text) : std::string()};
}

Verdict DamagedIndex::judge(const Damage& damage) {
    const Answer answer = ask(damaged(golden_, damage));
    if (answer.status.ok()) {
        if (answer.text == expected_) return {Effect::kNone, {}};
        return {Effect::kViolation, "the lists are not what they were"};
    }
    std::string text = message_of(answer.status);
    if (text.find(kIndexFile) == std::string::npos) {
        return {Effect::kViolation, "the error does not name the file: " + text};
    }
    return {Effect::kError, std::move(text)};
}

bool is_of_index(const Damage& damage) {
    return std::filesystem::path(damage.file).filename().string().starts_with(kIndexFile);
}

}  // namespace stele::crash_points
