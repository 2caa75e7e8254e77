#pragma once

#include "base/status.h"
#include "base/time.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// One gRPC call between its connection, which lives on a loop, and whoever answers it.
namespace stele::server {

/// What a call began with.
struct CallHead {
    std::string path;                                          // "/package.Service/Method"
    std::vector<std::pair<std::string, std::string>> headers;  // lower-case names, as they came
    Timestamp deadline = kNever;

    /// The first value, or empty.
    std::string_view header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return {};
    }
};

/// The way back to the caller. Thread safe; without effect once the call has ended.
class Stream {
public:
    virtual ~Stream() = default;
    virtual const CallHead& head() const = 0;
    virtual void send(std::string message) = 0;
    /// Ends the call; `status` may carry a Temporal detail.
    virtual void end(const absl::Status& status) = 0;
    /// `send` and `end` with OK, at once.
    virtual void send_last(std::string message) = 0;
};
using StreamPtr = std::shared_ptr<Stream>;

/// Who answers a call. Told of everything on the loop's thread; none may block.
class StreamHandler {
public:
    virtual ~StreamHandler() = default;
    /// A whole message, no longer compressed.
    virtual void message(std::string bytes) = 0;
    /// The caller has sent its last message.
    virtual void half_closed() = 0;
    /// The call has ended, whoever ended it; always the last thing that is told. An answer that was
    /// still to come would reach nobody.
    virtual void ended() = 0;
};

/// Finds who answers a call.
class StreamRouter {
public:
    virtual ~StreamRouter() = default;
    virtual std::shared_ptr<StreamHandler> open(StreamPtr stream) = 0;
};

}  // namespace stele::server
