#include "embedded/engine.h"

#include <array>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <utility>

#include "config/yaml.h"
#include "embedded/transport.h"
#include "embedded/virtual_time.h"
#include "env/posix/posix_env.h"
#include "server/completion_client.h"
#include "server/node.h"
#include "server/settings.h"
#include "stele/errors.h"
#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"

namespace stele::embedded::detail {

namespace {

constexpr int kMaximumThreads = 64;
constexpr char kIndexFile[] = "/visibility.sqlite";

// In virtual time: empty answers to polls would be many, and there is no connection that could have
// been lost meanwhile.
constexpr Duration kNeverInTests = std::chrono::hours(24) * 365 * 100;

std::unique_ptr<store::Store> open_store(const std::string& directory) {
    if (directory.empty()) return store::make_memory_store();
    auto opened = store::open_rocksdb_store(directory);
    if (!opened.ok())
        throw ConfigurationError("the directory \"" + directory +
                                 "\" cannot be used: " + message_of(opened.status()));
    return *std::move(opened);
}

history::AttributeType attribute_type(const std::string& name, const std::string& type) {
    namespace enums = temporal::api::enums::v1;
    const std::array<std::pair<const char*, history::AttributeType>, 7> kTypes = {
        {{"Bool", enums::INDEXED_VALUE_TYPE_BOOL},
         {"Datetime", enums::INDEXED_VALUE_TYPE_DATETIME},
         {"Double", enums::INDEXED_VALUE_TYPE_DOUBLE},
         {"Int", enums::INDEXED_VALUE_TYPE_INT},
         {"Keyword", enums::INDEXED_VALUE_TYPE_KEYWORD},
         {"KeywordList", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
         {"Text", enums::INDEXED_VALUE_TYPE_TEXT}}};
    for (const auto& [known, value] : kTypes)
        if (type == known) return value;
    throw ConfigurationError("the search attribute \"" + name + "\" has the unknown type \"" +
                             type + "\"");
}

/// Nobody reads warnings here, so a key that is not known is an error.
config::Values values_of(const config::Registry& registry,
                         const std::vector<std::string>& settings) {
    auto parsed = config::parse_assignments(registry, settings);
    if (!parsed.ok())
        throw ConfigurationError("a setting of the server: " + message_of(parsed.status()));
    if (!parsed->warnings.empty())
        throw ConfigurationError("a setting of the server: " + parsed->warnings.front());
    return std::move(parsed->values);
}

/// Begins something that calls back at its end, and waits for that.
using Wait = std::function<void(const std::function<void(std::function<void()>)>& begin)>;

Wait wait_on_machine_clock(Milliseconds grace) {
    return [grace](const auto& begin) {
        // Shared, because the wait may end before the call comes back.
        auto ended = std::make_shared<std::promise<void>>();
        begin([ended] { ended->set_value(); });
        ended->get_future().wait_for(grace);
    };
}

Wait wait_on_virtual_clock(const std::shared_ptr<Runtime>& runtime) {
    return [runtime](const auto& begin) {
        const std::shared_ptr<Runtime::Event> ended = runtime->make_event();
        begin([ended] { ended->set(); });
        ended->wait();
    };
}

class EngineImpl final : public Engine {
public:
    /// `completions` sends callbacks; without it they wait.
    EngineImpl(std::shared_ptr<env::Env> env, const EngineOptions& options,
               server::NodeOptions node, const InProcessTransport::Options& transport, Wait wait,
               std::unique_ptr<shard::CompletionSender> completions = nullptr)
        : wait_(std::move(wait)),
          env_(std::move(env)),
          store_(open_store(options.directory)),
          completions_(std::move(completions)) {
        config_.set_command_line(values_of(config_.registry(), options.settings));
        node.config = &config_;
        node.engine.completions = completions_.get();
        node.namespaces = options.namespaces;
        for (const auto& [name, type] : options.search_attributes)
            node.search_attributes.emplace_back(name, attribute_type(name, type));
        if (!options.directory.empty()) node.index_path = options.directory + kIndexFile;
        auto started = server::Node::start(*env_, *store_, std::move(node));
        if (!started.ok())
            throw ConfigurationError("the server cannot start: " + message_of(started.status()));
        node_ = *std::move(started);
        transport_ = std::make_shared<InProcessTransport>(*env_, node_->frontend(), transport);
    }
    ~EngineImpl() override { stop(); }

    void stop() override {
        const std::lock_guard lock(stopping_);
        if (!node_) return;
        wait_([this](std::function<void()> done) { node_->drain(std::move(done)); });
        transport_->close();
        if (completions_) completions_->close();
        node_.reset();
        store_.reset();
    }

    std::shared_ptr<Transport> transport() const override { return transport_; }

private:
    const Wait wait_;
    std::mutex stopping_;
    // In the order of dependence.
    std::shared_ptr<env::Env> env_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<shard::CompletionSender> completions_;
    config::DynamicConfig config_{server::known_settings()};
    std::unique_ptr<server::Node> node_;
    std::shared_ptr<InProcessTransport> transport_;
};

}  // namespace

std::unique_ptr<Engine> start_engine(const EngineOptions& options) {
    if (options.threads < 1 || options.threads > kMaximumThreads)
        throw ConfigurationError("threads: " + std::to_string(options.threads) + " is not 1 to " +
                                 std::to_string(kMaximumThreads));
    std::shared_ptr<env::Env> env = env::make_posix_env(options.threads);
    server::NodeOptions node;
    node.engine.shard_count = options.threads;  // each on a thread of its own
    // Clients in the same process submit again at once, so that the engine has nothing to do during a rest.
    node.committer.rest_max = Duration(0);
    auto completions = server::make_completion_client(*env);
    return std::make_unique<EngineImpl>(
        std::move(env), options, std::move(node), InProcessTransport::Options(),
        wait_on_machine_clock(options.shutdown_grace), std::move(completions));
}

std::unique_ptr<Engine> start_virtual_engine(const EngineOptions& options, VirtualTime& time) {
    server::NodeOptions node;
    node.engine.long_poll = kNeverInTests;
    node.queue_settings.long_poll = kNeverInTests;
    node.settings.limits.history_long_poll = kNeverInTests;
    // Every look costs a step of the clock, also in a year in which nothing happens.
    node.matching.sweep_interval = std::chrono::hours(24 * 30);
    return std::make_unique<EngineImpl>(time.env(), options, std::move(node),
                                        InProcessTransport::Options{.call_timeout = kNeverInTests},
                                        wait_on_virtual_clock(time.runtime()));
}

}  // namespace stele::embedded::detail
