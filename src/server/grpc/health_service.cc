#include "grpc/health/v1/health.pb.h"
#include "server/grpc/builtin_services.h"

#include <map>
#include <set>
#include <utility>

namespace stele::server {

namespace health = grpc::health::v1;
using ServingStatus = health::HealthCheckResponse::ServingStatus;

struct HealthState {
    /// SERVICE_UNKNOWN for a name that nobody set.
    ServingStatus of(const std::string& service) const {
        const auto found = statuses.find(service);
        return found == statuses.end() ? health::HealthCheckResponse::SERVICE_UNKNOWN
                                       : found->second;
    }

    std::map<std::string, ServingStatus> statuses;
    std::set<std::pair<std::string, Stream*>> watches;
};

namespace {

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kWatch[] = "/grpc.health.v1.Health/Watch";

std::string answer(ServingStatus status) {
    health::HealthCheckResponse response;
    response.set_status(status);
    return response.SerializeAsString();
}

class HealthCall final : public StreamHandler {
public:
    HealthCall(std::shared_ptr<HealthState> state, StreamPtr stream, bool watch)
        : state_(std::move(state)), stream_(std::move(stream)), watch_(watch) {}

    void message(std::string bytes) override {
        if (request_.ParseFromString(bytes)) return;
        stream_->end(internal_error("grpc: error unmarshalling request"));
    }

    void half_closed() override {
        const ServingStatus status = state_->of(request_.service());
        if (watch_) {
            state_->watches.emplace(request_.service(), stream_.get());
            return stream_->send(answer(status));
        }
        if (status == health::HealthCheckResponse::SERVICE_UNKNOWN) {
            return stream_->end(make_error(absl::StatusCode::kNotFound, "unknown service"));
        }
        stream_->send_last(answer(status));
    }

    void ended() override { state_->watches.erase({request_.service(), stream_.get()}); }

private:
    const std::shared_ptr<HealthState> state_;
    const StreamPtr stream_;
    const bool watch_;
    health::HealthCheckRequest request_;
};

}  // namespace

HealthService::HealthService() : state_(std::make_shared<HealthState>()) {}
HealthService::~HealthService() = default;

std::shared_ptr<StreamHandler> HealthService::open(const StreamPtr& stream) {
    const bool watch = stream->head().path() == kWatch;
    if (!watch && stream->head().path() != kCheck) return nullptr;
    return std::make_shared<HealthCall>(state_, stream, watch);
}

void HealthService::set_serving(const std::vector<std::string>& services, bool serving) {
    const ServingStatus status =
        serving ? health::HealthCheckResponse::SERVING : health::HealthCheckResponse::NOT_SERVING;
    state_->statuses[""] = status;
    for (const std::string& service : services) state_->statuses[service] = status;
    for (const auto& [service, stream] : state_->watches) {
        if (state_->statuses.contains(service)) stream->send(answer(status));
    }
}

}  // namespace stele::server
