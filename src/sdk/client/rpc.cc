#include "sdk/client/rpc.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "google/rpc/status.pb.h"

namespace stele::sdk {

namespace {

constexpr double kJitter = 0.2;
constexpr Milliseconds kExhaustedInterval{1'000};
constexpr std::string_view kService = "/temporal.api.workflowservice.v1.WorkflowService/";

}  // namespace

bool is_retryable(const Transport::Status& status, const RetrySettings& settings) {
    switch (status.code) {
        case kRpcUnknown:
        case kRpcResourceExhausted:
        case kRpcAborted:
        case kRpcOutOfRange:
        case kRpcInternal:
        case kRpcUnavailable:
        case kRpcDataLoss: return true;
        case kRpcDeadlineExceeded: return settings.long_poll;
        default: return false;
    }
}

bool unpack_detail_message(const Transport::Status& status, google::protobuf::Message& detail) {
    google::rpc::Status parsed;
    if (status.details.empty() || !parsed.ParseFromString(status.details)) return false;
    for (const google::protobuf::Any& any : parsed.details()) {
        const std::string& url = any.type_url();
        if (url.substr(url.rfind('/') + 1) != detail.GetDescriptor()->full_name()) continue;
        return detail.ParseFromString(any.value());
    }
    return false;
}

class Rpc::RetryingCall final : public Rpc::Handle,
                                public std::enable_shared_from_this<RetryingCall> {
public:
    RetryingCall(const Rpc& rpc, std::string method,
                 std::shared_ptr<const google::protobuf::Message> request, MessagePointer reply,
                 const RetrySettings& settings, Callback done)
        : transport_(rpc.transport_),
          runtime_(rpc.runtime_),
          executor_(rpc.executor_),
          metadata_(rpc.metadata_),
          metrics_(rpc.metrics_),
          method_(std::move(method)),
          request_(std::move(request)),
          reply_(std::move(reply)),
          settings_(settings),
          done_(std::move(done)),
          begin_(runtime_->now()) {}

    // All state is touched on the executor only.
    void start() {
        executor_->post([self = shared_from_this()] { self->attempt(); });
    }

    void cancel() override {
        executor_->post([self = shared_from_this()] {
            self->cancelled_ = true;
            if (self->timer_) {
                self->timer_.reset();
                self->finish({kRpcCancelled, "the call was cancelled", {}});
            } else if (self->call_) {
                self->call_->cancel();
            }
        });
    }

private:
    void attempt() {
        timer_.reset();
        if (cancelled_) {
            finish({kRpcCancelled, "the call was cancelled", {}});
            return;
        }
        ++attempts_;
        if (metrics_) attempt_begin_ = runtime_->now();
        Transport::CallOptions options;
        options.timeout = settings_.attempt_timeout;
        options.metadata = metadata_;
        call_ =
            transport_->call(method_, request_, reply_, options,
                             [self = shared_from_this()](const Transport::Status& status) {
                                 self->executor_->post([self, status] { self->on_status(status); });
                             });
    }

    void on_status(const Transport::Status& status) {
        call_.reset();
        if (metrics_)
            metrics_->record(std::string_view(method_).substr(kService.size()), settings_.long_poll,
                             status, runtime_->now() - attempt_begin_);
        const Milliseconds delay = next_delay(status);
        const auto spent = runtime_->now() - begin_;
        const bool time_left = settings_.total.count() == 0 || spent + delay < settings_.total;
        if (status.ok() || cancelled_ || !is_retryable(status, settings_) || !time_left) {
            finish(status);
            return;
        }
        timer_ = runtime_->start_timer(delay, executor_,
                                       [self = shared_from_this()] { self->attempt(); });
    }

    Milliseconds next_delay(const Transport::Status& status) const {
        if (settings_.long_poll && status.code == kRpcDeadlineExceeded) return Milliseconds(0);
        const double base = static_cast<double>(
            (status.code == kRpcResourceExhausted ? kExhaustedInterval : settings_.initial_interval)
                .count());
        const double grown =
            base * std::pow(settings_.backoff_coefficient, std::min(attempts_ - 1, 30));
        const double capped =
            std::min(grown, static_cast<double>(settings_.maximum_interval.count()));
        const double unit = static_cast<double>(runtime_->random() >> 11) * 0x1.0p-53;
        return Milliseconds(
            static_cast<std::int64_t>(capped * (1.0 - kJitter + 2 * kJitter * unit)));
    }

    void finish(const Transport::Status& status) {
        if (!done_) return;
        const Callback callback = std::exchange(done_, nullptr);
        callback(status);
    }

    std::shared_ptr<Transport> transport_;
    std::shared_ptr<Runtime> runtime_;
    std::shared_ptr<Executor> executor_;
    std::vector<std::pair<std::string, std::string>> metadata_;
    std::shared_ptr<RpcMetrics> metrics_;
    std::string method_;
    std::shared_ptr<const google::protobuf::Message> request_;
    MessagePointer reply_;
    RetrySettings settings_;
    Callback done_;
    Runtime::Time begin_;
    Runtime::Time attempt_begin_{};
    std::shared_ptr<Transport::Call> call_;
    std::unique_ptr<Runtime::Timer> timer_;
    int attempts_ = 0;
    bool cancelled_ = false;
};

std::shared_ptr<Rpc::Handle> Rpc::call(std::string_view method,
                                       std::shared_ptr<const google::protobuf::Message> request,
                                       MessagePointer reply, const RetrySettings& settings,
                                       Callback done) const {
    auto retrying = std::make_shared<RetryingCall>(
        *this, std::string(kService) + std::string(method), std::move(request), std::move(reply),
        settings, std::move(done));
    retrying->start();
    return retrying;
}

}  // namespace stele::sdk
