#include "sim/sdk_workers.h"

#include "base/check.h"
#include "base/probe.h"
#include "sim/sdk_workflows.h"
#include "sim/worker.h"
#include "stele/activity.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <utility>

namespace stele::sim {
namespace {

namespace service = temporal::api::workflowservice::v1;

constexpr Duration kCallTimeout = std::chrono::seconds(5);
/// A worker that stops answers what it has at hand, which is tried for a minute each.
constexpr Duration kTimeToStop = std::chrono::minutes(3);

}  // namespace

SdkWorkers::SdkWorkers(env::SimEnv& sim, Network& network, Record& record,
                       const SdkOptions& options)
    : sim_(sim), network_(network), record_(record), options_(options) {}

SdkWorkers::~SdkWorkers() {
    for (std::size_t place = 0; place < lives_.size(); ++place) {
        if (lives_[place].runtime) end(place);
    }
}

Duration SdkWorkers::within(int milliseconds) {
    return std::chrono::milliseconds(network_.random().next() %
                                     static_cast<std::uint64_t>(milliseconds));
}

void SdkWorkers::start() {
    lives_.resize(static_cast<std::size_t>(options_.workers));
    for (std::size_t place = 0; place < lives_.size(); ++place) begin(place);
}

void SdkWorkers::begin(std::size_t place) {
    Life& life = lives_[place];
    life.runtime = std::make_shared<SdkRuntime>(sim_, fmt::format("sdk-worker-{}", ++births_));
    life.transport = std::make_shared<SdkTransport>(network_, record_);
    const std::uint64_t drawn = network_.random().next();
    SdkProcess::Settings settings;
    settings.namespace_name = kNamespace;
    settings.identity = fmt::format("sdk-worker-{}", place);
    settings.task_queue = kSdkQueue;
    settings.cached_runs = options_.cached_runs;
    settings.activity_slots = options_.activity_slots;
    settings.task_slots = static_cast<int>(2 + drawn % 4);
    settings.eager_activities = drawn % 8 < 5;
    settings.stops_at_once = drawn % 16 < 8;
    settings.activities = {
        {kSdkActivity, [this](int number) { return work(number); }},
        {kSdkLocalActivity, [this](int number) { return work_nearby(number); }},
    };
    life.worker = std::make_unique<SdkProcess>(life.runtime, life.transport, settings);
    life.worker->start();
    plan_end(place);
}

void SdkWorkers::plan_end(std::size_t place) {
    if (options_.death_every == 0) return;
    network_.after(within(options_.death_every * 2'000), [this, place] {
        if (network_.healed()) return;
        if (network_.random().next() % 3 == 0) return stop(place);
        die(place);
    });
}

void SdkWorkers::die(std::size_t place) {
    STELE_PROBE("sdk-worker.dies");
    lives_[place].transport->close();
    end(place);
    network_.after(within(3'000), [this, place] { begin(place); });
}

void SdkWorkers::stop(std::size_t place) {
    const auto stopped = std::make_shared<bool>(false);
    lives_[place].worker->stop([this, place, stopped] {
        *stopped = true;
        // Not in here: it is the process itself that calls.
        network_.after(Duration::zero(), [this, place] {
            STELE_PROBE("sdk-worker.stops");
            end(place);
            network_.after(within(3'000), [this, place] { begin(place); });
        });
    });
    network_.after(kTimeToStop, [this, stopped] {
        if (!*stopped) record_.violation("invariant 21: a worker of the SDK does not stop");
    });
}

/// Nothing of the process is left; that a part of it holds the rest would be a leak.
void SdkWorkers::end(std::size_t place) {
    Life life = std::exchange(lives_[place], {});
    life.runtime->kill();
    life.transport->forget();
    const bool gone = life.worker->abandon();
    STELE_CHECK(gone, "a worker that is gone is still held by its parts");
}

/// Each attempt has another result, so that a journal tells which one it was given.
std::string SdkWorkers::work(int number) {
    const activity::Info& info = activity::info();
    const std::string result = fmt::format("{}.{}.{}", number, info.attempt, ++results_);
    if (const auto last = activity::previous_detail<int>(); last && *last >= info.attempt) {
        record_.violation(
            fmt::format("invariant 21: attempt {} of an activity finds a heartbeat of "
                        "attempt {}",
                        info.attempt, *last));
    }
    if (network_.random().next() % 4 == 0) activity::heartbeat(info.attempt);
    if (network_.chance(options_.fail_activity)) throw ApplicationError("now and then");
    if (network_.random().next() % 8 == 0) {
        complete_elsewhere(info.task_token, result, info.run_id, info.activity_id, info.attempt);
        activity::complete_elsewhere();
    }
    return result;
}

std::string SdkWorkers::work_nearby(int number) {
    const std::string result = fmt::format("near {}.{}", number, ++results_);
    if (network_.chance(options_.fail_activity)) throw ApplicationError("now and then");
    return result;
}

/// By somebody who outlives the worker, after a while; it may be too late.
void SdkWorkers::complete_elsewhere(const std::string& token, const std::string& result,
                                    const std::string& run_id, const std::string& activity_id,
                                    int attempt) {
    service::RespondActivityTaskCompletedRequest request;
    request.set_namespace_(kNamespace);
    request.set_task_token(token);
    *request.mutable_result()->add_payloads() = encode_value(result);
    network_.after(within(2'000), [this, request, run_id, activity_id, attempt] {
        network_.call("RespondActivityTaskCompleted", request, kCallTimeout,
                      [this, run_id, activity_id, attempt](absl::StatusOr<std::string> response) {
                          if (!response.ok()) return;
                          STELE_PROBE("sdk-worker.activity-completed-elsewhere");
                          record_.activity_completed(run_id, activity_id, attempt);
                      });
    });
}

}  // namespace stele::sim
