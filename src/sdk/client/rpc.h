#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include "sdk/metrics/rpc_metrics.h"
#include "stele/runtime.h"
#include "stele/transport.h"

namespace stele::sdk {

/// How often and how long one kind of call is tried.
struct RetrySettings {
    Milliseconds initial_interval{100};
    double backoff_coefficient = 1.7;
    Milliseconds maximum_interval{5'000};
    /// Of all attempts together; zero means for ever.
    Milliseconds total{10'000};
    Milliseconds attempt_timeout{10'000};
    /// A call that waits on the server: its end by deadline is no failure to be counted.
    bool long_poll = false;
};

inline RetrySettings default_retries() { return {}; }
inline RetrySettings long_poll_retries() {
    RetrySettings settings;
    settings.total = Milliseconds(0);
    settings.attempt_timeout = Milliseconds(70'000);
    settings.maximum_interval = Milliseconds(10'000);
    settings.long_poll = true;
    return settings;
}

/// Whether another attempt can be of use after this status.
bool is_retryable(const Transport::Status& status, const RetrySettings& settings);

/// The message attached to an error, when it has that type.
template <class Detail>
bool unpack_detail(const Transport::Status& status, Detail& detail);
bool unpack_detail_message(const Transport::Status& status, google::protobuf::Message& detail);
template <class Detail>
bool unpack_detail(const Transport::Status& status, Detail& detail) {
    return unpack_detail_message(status, detail);
}

/// Calls methods of the workflow service, again and again where the settings say so, with
/// exponential backoff and jitter. Safe to use from any thread.
class Rpc {
public:
    /// `metrics` may be null.
    Rpc(std::shared_ptr<Transport> transport, std::shared_ptr<Runtime> runtime,
        std::vector<std::pair<std::string, std::string>> metadata,
        std::shared_ptr<RpcMetrics> metrics = nullptr)
        : transport_(std::move(transport)),
          runtime_(std::move(runtime)),
          metadata_(std::move(metadata)),
          metrics_(std::move(metrics)),
          executor_(runtime_->make_executor()) {}

    /// Stops retrying and cancels the attempt at hand.
    class Handle {
    public:
        virtual ~Handle() = default;
        virtual void cancel() = 0;
    };

    using MessagePointer = std::shared_ptr<google::protobuf::Message>;
    using Callback = std::function<void(const Transport::Status&)>;

    /// `method` is the name alone, such as "StartWorkflowExecution". Calls back exactly once.
    std::shared_ptr<Handle> call(std::string_view method,
                                 std::shared_ptr<const google::protobuf::Message> request,
                                 MessagePointer reply, const RetrySettings& settings,
                                 Callback done) const;

    const std::shared_ptr<Runtime>& runtime() const { return runtime_; }

private:
    class RetryingCall;

    std::shared_ptr<Transport> transport_;
    std::shared_ptr<Runtime> runtime_;
    std::vector<std::pair<std::string, std::string>> metadata_;
    /// Touched on the executor only.
    std::shared_ptr<RpcMetrics> metrics_;
    std::shared_ptr<Executor> executor_;
};

}  // namespace stele::sdk
