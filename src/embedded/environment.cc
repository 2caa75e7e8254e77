#include <utility>

#include "embedded/engine.h"
#include "embedded/virtual_time.h"
#include "stele/testing.h"

namespace stele::testing {

struct Environment::State {
    explicit State(EnvironmentOptions options)
        : time({.start = options.start, .horizon = options.horizon, .seed = options.seed}),
          engine(embedded::detail::start_virtual_engine(
              {.namespaces = options.namespaces, .search_attributes = options.search_attributes},
              time)),
          client(connect(std::move(options.client))) {}

    Client connect(ClientOptions options) const {
        // A year of virtual time would see half a million of them.
        options.worker_heartbeat_interval = Milliseconds(0);
        options.runtime = time.runtime();
        options.transport = engine->transport();
        return Client::connect(std::move(options));
    }

    // In the order of dependence.
    embedded::VirtualTime time;
    std::unique_ptr<embedded::detail::Engine> engine;
    Client client;
};

Environment::Environment(EnvironmentOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

Environment::~Environment() = default;

const Client& Environment::client() const { return state_->client; }

Client Environment::connect(ClientOptions options) const {
    return state_->connect(std::move(options));
}

Runtime::Time Environment::now() const { return state_->time.runtime()->now(); }

void Environment::sleep(Milliseconds duration) const {
    (void)state_->time.runtime()->make_event()->wait_for(duration);
}

}  // namespace stele::testing
