#pragma once

#include "base/status.h"
#include "base/time.h"

#include <absl/container/inlined_vector.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

// One gRPC call between its connection, which lives on a loop, and whoever answers it.
namespace stele::server {

/// Names, in lower case, and values of headers, as they came. In one piece of memory: a call brings some ten.
class Headers {
public:
    void add(std::string_view name, std::string_view value) {
        if (sizes_.empty()) text_.reserve(kUsualBytes);
        sizes_.push_back({name.size(), value.size()});
        text_.append(name).append(value);
    }
    /// The first value, or empty. A view into this object.
    std::string_view find(std::string_view name) const {
        std::string_view rest = text_;
        for (const Sizes& sizes : sizes_) {
            if (rest.substr(0, sizes.name) == name) return rest.substr(sizes.name, sizes.value);
            rest.remove_prefix(sizes.name + sizes.value);
        }
        return {};
    }

private:
    static constexpr std::size_t kUsualBytes = 480;
    struct Sizes {
        std::size_t name;
        std::size_t value;
    };
    std::string text_;
    absl::InlinedVector<Sizes, 16> sizes_;
};

/// What a call began with.
struct CallHead {
    Headers headers;
    Timestamp deadline = kNever;

    /// "/package.Service/Method"
    std::string_view path() const { return headers.find(":path"); }
    std::string_view header(std::string_view name) const { return headers.find(name); }
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
