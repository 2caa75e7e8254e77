#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stele/data_converter.h"
#include "stele/detail/definition.h"

namespace temporal::api::history::v1 {
class History;
}

namespace stele {

namespace sdk {
struct Registry;
}

/// Runs workflow code against recorded histories and tells whether it would still do what it did:
/// the test to run before a changed workflow is deployed. No server is needed. Not thread safe.
class Replayer {
public:
    /// The namespace is for codecs that look at it.
    explicit Replayer(DataConverter converter = {}, std::string namespace_name = "default");
    ~Replayer();

    template <auto Fn>
    Replayer& register_workflow(std::string name = std::string(workflow_name<Fn>)) {
        wf::detail::Definition definition;
        definition.name = std::move(name);
        definition.make = [] { return std::make_unique<wf::detail::FunctionBody<Fn>>(); };
        add(std::move(definition));
        return *this;
    }
    void add(wf::detail::Definition definition);

    struct Result {
        bool ok = true;
        /// Names the event and the step where they differ.
        std::string error = {};
    };

    // Without a workflow id that of the history counts, which all but old servers record.

    /// A history as `temporal workflow show --output json` and the web page export it, and as older
    /// tools did.
    Result replay_json(const std::string& json, const std::string& workflow_id = {});
    /// A serialised temporal.api.history.v1.History.
    Result replay_binary(const std::string& bytes, const std::string& workflow_id = {});
    Result replay(const temporal::api::history::v1::History& history,
                  const std::string& workflow_id = {});

    struct FileResult {
        std::string path = {};
        Result result = {};
    };
    /// A file that holds one history, in JSON if its name ends in ".json" and serialised otherwise. A
    /// file that cannot be read is a result that is not ok.
    FileResult replay_file(const std::string& path, const std::string& workflow_id = {});
    /// All files of a directory and of those in it whose names end in ".json", ".pb" or ".bin", in the
    /// order of their paths. Throws Error when it cannot be read and when there is no such file: a test
    /// that checks nothing must not pass.
    std::vector<FileResult> replay_directory(const std::string& directory);

private:
    std::shared_ptr<sdk::Registry> registry_;
    DataConverter converter_;
    std::string namespace_name_;
};

}  // namespace stele
