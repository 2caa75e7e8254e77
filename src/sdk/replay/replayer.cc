#include "stele/replayer.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>

#include "sdk/core/errors.h"
#include "sdk/core/run.h"
#include "sdk/data/codec.h"
#include "sdk/replay/history_json.h"
#include "sdk/worker/registry.h"
#include "temporal/api/history/v1/message.pb.h"

namespace stele {

namespace {

using temporal::api::history::v1::History;

/// The last started event whose task was completed: up to there the code ran for sure.
std::int64_t last_completed_task(const History& history) {
    std::int64_t last = 0;
    for (const auto& event : history.events())
        if (event.has_workflow_task_completed_event_attributes())
            last = event.workflow_task_completed_event_attributes().started_event_id();
    return last;
}

std::string run_id_of(const History& history) {
    if (history.events().empty()) return {};
    return history.events(0)
        .workflow_execution_started_event_attributes()
        .original_execution_run_id();
}

std::string workflow_id_of(const History& history) {
    const std::string& recorded =
        history.events(0).workflow_execution_started_event_attributes().workflow_id();
    return recorded.empty() ? "replayed" : recorded;
}

bool is_history(const std::filesystem::path& path) {
    return path.extension() == ".json" || path.extension() == ".pb" || path.extension() == ".bin";
}

Replayer::Result failed(std::string error) { return {false, std::move(error)}; }

}  // namespace

Replayer::Replayer(DataConverter converter, std::string namespace_name)
    : registry_(std::make_shared<sdk::Registry>()),
      converter_(std::move(converter)),
      namespace_name_(std::move(namespace_name)) {}

Replayer::~Replayer() = default;

void Replayer::add(wf::detail::Definition definition) { registry_->add(std::move(definition)); }

Replayer::Result Replayer::replay_json(const std::string& json, const std::string& workflow_id) {
    try {
        return replay(sdk::read_history_json(json), workflow_id);
    } catch (const DataConversionError& error) {
        return failed(error.what());
    }
}

Replayer::Result Replayer::replay_binary(const std::string& bytes, const std::string& workflow_id) {
    History history;
    if (!history.ParseFromString(bytes)) return failed("not a serialised history");
    return replay(history, workflow_id);
}

Replayer::FileResult Replayer::replay_file(const std::string& path,
                                           const std::string& workflow_id) {
    std::ifstream file(path, std::ios::binary);
    const std::string content(std::istreambuf_iterator<char>(file), {});
    if (!file.good() && content.empty()) return {path, failed("the file cannot be read")};
    return {path, path.ends_with(".json") ? replay_json(content, workflow_id)
                                          : replay_binary(content, workflow_id)};
}

std::vector<Replayer::FileResult> Replayer::replay_directory(const std::string& directory) {
    std::error_code problem;
    std::set<std::string> paths;
    std::filesystem::recursive_directory_iterator entry(directory, problem);
    for (; !problem && entry != std::filesystem::recursive_directory_iterator();
         entry.increment(problem))
        if (entry->is_regular_file() && is_history(entry->path())) paths.insert(entry->path());
    if (problem)
        throw Error("the directory \"" + directory + "\" cannot be read: " + problem.message());
    if (paths.empty()) throw Error("there are no histories in \"" + directory + "\"");
    std::vector<FileResult> results;
    for (const std::string& path : paths) results.push_back(replay_file(path));
    return results;
}

Replayer::Result Replayer::replay(const History& history, const std::string& given_workflow_id) {
    if (history.events().empty()) return failed("the history is empty");
    const std::string workflow_id =
        given_workflow_id.empty() ? workflow_id_of(history) : given_workflow_id;
    try {
        History decoded = history;
        sdk::decode_incoming(converter_, decoded,
                             {.namespace_name = namespace_name_, .workflow_id = workflow_id});
        core::Run run([&](const core::InitializeJob& job) {
            return registry_->make_code(job, {"replay", workflow_id, run_id_of(history)});
        });
        const std::int64_t target = last_completed_task(history);
        run.begin({target, target});
        run.history().reset(0);
        run.history().add(*decoded.mutable_events());
        run.history().finish();
        if (target > 0) (void)run.advance();
        run.finish_replay();
    } catch (const std::exception& error) {
        return failed(error.what());
    }
    return {};
}

}  // namespace stele
