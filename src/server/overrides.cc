#include "server/overrides.h"

#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <utility>

namespace stele::server {
namespace {

using config::ConstrainedValue;
using config::Value;

constexpr char kLoopback[] = "127.0.0.1";
constexpr int kOk = 200;
constexpr int kBadRequest = 400;
constexpr int kNotFound = 404;
constexpr std::size_t kMaximumBody = 1024 * 1024;
constexpr int kIdleSeconds = 1;

struct Override {
    std::string key;
    std::vector<ConstrainedValue> values;
};

absl::StatusOr<ConstrainedValue> read_value(const Value& json) {
    ConstrainedValue result;
    if (!json.is_object() || !json.contains("value")) {
        return invalid_argument("each of \"values\" must be an object with a \"value\"");
    }
    for (const auto& [name, part] : json.items()) {
        if (name == "value") {
            result.value = part;
        } else if (name == "namespace") {
            STELE_RETURN_IF_ERROR(config::convert(part, result.constraints.namespace_name));
        } else if (name == "task_queue") {
            STELE_RETURN_IF_ERROR(config::convert(part, result.constraints.task_queue));
        } else if (name == "task_queue_type") {
            STELE_RETURN_IF_ERROR(config::convert(part, result.constraints.task_queue_type));
        } else if (name == "destination") {
            STELE_RETURN_IF_ERROR(config::convert(part, result.constraints.destination));
        } else {
            return invalid_argument("unknown field " + name);
        }
    }
    return result;
}

absl::StatusOr<Override> read_override(const std::string& body) {
    const Value json = Value::parse(body, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("key") || !json.contains("values")) {
        return invalid_argument("expected {\"key\": …, \"values\": […]}");
    }
    Override result;
    STELE_RETURN_IF_ERROR(config::convert(json["key"], result.key));
    if (!json["values"].is_array()) return invalid_argument("\"values\" must be a list");
    for (const Value& item : json["values"]) {
        STELE_ASSIGN_OR_RETURN(ConstrainedValue value, read_value(item));
        result.values.push_back(std::move(value));
    }
    return result;
}

void answer(httplib::Response& response, int code, const std::string& text) {
    response.status = code;
    response.set_content(text + "\n", "text/plain");
}

void refuse(httplib::Response& response, const absl::Status& status) {
    const bool absent = status.code() == absl::StatusCode::kNotFound;
    answer(response, absent ? kNotFound : kBadRequest, message_of(status));
}

class OverridesEndpointImpl final : public OverridesEndpoint {
public:
    OverridesEndpointImpl(env::Env& env, config::DynamicConfig& config)
        : config_(config), executor_(env.make_blocking_executor("overrides")) {}

    ~OverridesEndpointImpl() override {
        http_.stop();
        executor_->stop();
    }

    absl::Status listen(int port) {
        http_.set_keep_alive_timeout(kIdleSeconds);
        http_.set_payload_max_length(kMaximumBody);
        http_.Post("/overrides", [this](const httplib::Request& request,
                                        httplib::Response& response) { put(request, response); });
        http_.Delete(R"(/overrides/(\d+))",
                     [this](const httplib::Request& request, httplib::Response& response) {
                         take_back(request, response);
                     });
        port_ = port == 0 ? http_.bind_to_any_port(kLoopback)
                          : (http_.bind_to_port(kLoopback, port) ? port : -1);
        if (port_ < 0) {
            return unavailable(fmt::format("can not listen on {}:{} for overrides", kLoopback, port));
        }
        executor_->post([this] { http_.listen_after_bind(); });
        return absl::OkStatus();
    }

    int port() const override { return port_; }

private:
    void put(const httplib::Request& request, httplib::Response& response) {
        auto wanted = read_override(request.body);
        if (!wanted.ok()) return refuse(response, wanted.status());
        const auto number = config_.override_key(wanted->key, std::move(wanted->values));
        if (!number.ok()) return refuse(response, number.status());
        answer(response, kOk, std::to_string(*number));
    }

    void take_back(const httplib::Request& request, httplib::Response& response) {
        const std::string text = request.matches[1];
        std::uint64_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        if (config_.take_back(number)) return answer(response, kOk, "taken back");
        answer(response, kNotFound, "there is no such override");
    }

    config::DynamicConfig& config_;
    httplib::Server http_;
    int port_ = 0;
    std::unique_ptr<env::Executor> executor_;  // runs the accept loop
};

}  // namespace

absl::StatusOr<std::unique_ptr<OverridesEndpoint>> OverridesEndpoint::start(
    env::Env& env, config::DynamicConfig& config, int port) {
    auto endpoint = std::make_unique<OverridesEndpointImpl>(env, config);
    STELE_RETURN_IF_ERROR(endpoint->listen(port));
    return endpoint;
}

}  // namespace stele::server
