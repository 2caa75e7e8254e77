#include "sdk/metrics/rpc_metrics.h"

#include <array>

namespace stele::sdk {

namespace {

constexpr std::array kCodes = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

std::string name_of(int code) {
    const auto index = static_cast<std::size_t>(code);
    return code >= 0 && index < kCodes.size() ? kCodes[index] : std::to_string(code);
}

}  // namespace

RpcMetrics::Operation::Operation(const LabelledMeter& meter)
    : quick{meter.counter("request"), meter.histogram("request_latency"), meter},
      waiting{meter.counter("long_request"), meter.histogram("long_request_latency"), meter} {}

RpcMetrics::RpcMetrics(const std::shared_ptr<Meter>& meter, const std::string& namespace_name)
    : measures_(meter != nullptr),
      operations_(LabelledMeter(meter, {{"namespace", namespace_name}}), "operation") {}

void RpcMetrics::record(std::string_view operation, bool long_poll, const Transport::Status& status,
                        std::chrono::nanoseconds duration) {
    if (!measures_) return;
    const Operation& instruments = operations_.of(std::string(operation));
    const Operation::Calls& calls = long_poll ? instruments.waiting : instruments.quick;
    calls.all.add();
    calls.latency.record(duration);
    // Failures are rare, so that their series are looked up each time.
    if (!status.ok())
        calls.failures.with("status_code", name_of(status.code))
            .counter(long_poll ? "long_request_failure" : "request_failure")
            .add();
}

}  // namespace stele::sdk
