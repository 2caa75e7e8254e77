#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stele/options.h"
#include "stele/transport.h"

// The engine as the SDK's side sees it. Engine and SDK both have a stele::Timestamp, so that no file
// includes headers of both beyond those of the two seams, Transport and Runtime.
namespace stele::embedded {

class VirtualTime;

namespace detail {

/// As ServerOptions has them.
struct EngineOptions {
    std::string directory = {};
    std::vector<std::string> namespaces = {};
    std::vector<std::pair<std::string, std::string>> search_attributes = {};
    std::vector<std::string> settings = {};
    int threads = 1;
    Milliseconds shutdown_grace{5'000};
};

/// A node with its store, and the transport that leads to it. Thread safe.
class Engine {
public:
    virtual ~Engine() = default;
    /// Idempotent. The destructor does it too.
    virtual void stop() = 0;
    virtual std::shared_ptr<Transport> transport() const = 0;
};

/// On the clock and threads of the machine. Throws ConfigurationError.
std::unique_ptr<Engine> start_engine(const EngineOptions& options);
/// On a virtual clock, which must outlive it, and its one thread: no call has a deadline, and polls wait
/// until there is something to answer. Throws ConfigurationError.
std::unique_ptr<Engine> start_virtual_engine(const EngineOptions& options, VirtualTime& time);

}  // namespace detail

}  // namespace stele::embedded
