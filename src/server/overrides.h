#pragma once

#include "config/dynamic_config.h"
#include "env/env.h"

#include <memory>
#include <string>

// An HTTP endpoint through which tests change dynamic configuration while the server runs:
//
//   POST /overrides {"key": "limit.maxidlength", "values": [{"namespace": "n", "value": 10}]}
//       puts values over all others and answers with the number of the override; a value may also
//       have "task_queue", "task_queue_type" and "destination". 404: the key is not known.
//   DELETE /overrides/<number>
//       takes the override back.
//
// It listens on loopback only and nobody has to say who they are, so it is never on by default.
namespace stele::server {

/// Thread safe. The destructor stops listening and waits for requests under way.
class OverridesEndpoint {
public:
    /// Serves when it returns; UNAVAILABLE if the port can not be had. Port 0: the system chooses.
    /// `config` must outlive the endpoint.
    static absl::StatusOr<std::unique_ptr<OverridesEndpoint>> start(env::Env& env,
                                                                    config::DynamicConfig& config,
                                                                    int port);
    virtual ~OverridesEndpoint() = default;

    virtual int port() const = 0;
};

}  // namespace stele::server
