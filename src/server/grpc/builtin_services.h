#pragma once

#include "server/grpc/stream.h"

#include <memory>
#include <string>
#include <vector>

// What every gRPC server offers beside its own services: health (grpc.health.v1) and reflection
// (grpc.reflection.v1 and v1alpha), so that probes and tools find their way.
namespace stele::server {

struct HealthState;

/// Lives on one loop, where everything is called.
class HealthService {
public:
    HealthService();
    ~HealthService();

    /// Null when the path is none of the service's.
    std::shared_ptr<StreamHandler> open(const StreamPtr& stream);
    /// Of the server as a whole (the empty name) and of each of `services`; tells those who watch.
    void set_serving(const std::vector<std::string>& services, bool serving);

private:
    std::shared_ptr<HealthState> state_;  // shared with the watches, which may outlive the service
};

/// Thread safe. Knows the definitions that are linked into this program.
class ReflectionService {
public:
    explicit ReflectionService(std::vector<std::string> services)
        : services_(std::move(services)) {}

    std::shared_ptr<StreamHandler> open(const StreamPtr& stream) const;

private:
    const std::vector<std::string> services_;
};

}  // namespace stele::server
