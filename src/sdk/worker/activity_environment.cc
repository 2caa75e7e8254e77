#include "stele/activity_environment.h"

#include <utility>

#include "sdk/worker/activity_context.h"

namespace stele::testing {

namespace {

activity::Info default_info() {
    activity::Info info;
    info.activity_id = "test";
    info.activity_type = "test";
    info.workflow_id = "test";
    info.run_id = "test";
    info.workflow_type = "test";
    info.namespace_name = "default";
    info.task_queue = "test";
    info.task_token = "test";
    return info;
}

}  // namespace

class ActivityEnvironment::Context final : public sdk::ActivityContext {
public:
    explicit Context(activity::Info info)
        : ActivityContext(
              default_runtime(), [this](const LogRecord& record) { log_.push_back(record); },
              std::move(info)) {}

    Payloads previous_details() const override { return previous_; }
    void heartbeat(Payloads details) override {
        heartbeats_.push_back(std::move(details));
        if (hook_) hook_(heartbeats_.back());
        if (static_cast<int>(heartbeats_.size()) == cancel_after_) stop(cancel_reason_);
    }
    bool sleep_for(Milliseconds duration) override {
        if (cancelled()) return false;
        slept_ += duration;
        return true;
    }

    Payloads previous_;
    std::vector<Payloads> heartbeats_;
    std::function<void(const Payloads&)> hook_;
    int cancel_after_ = 0;
    activity::StopReason cancel_reason_ = activity::StopReason::kNone;
    Milliseconds slept_{0};
    std::vector<LogRecord> log_;
};

ActivityEnvironment::ActivityEnvironment() : ActivityEnvironment(default_info()) {}

ActivityEnvironment::ActivityEnvironment(activity::Info info)
    : context_(std::make_unique<Context>(std::move(info))) {}

ActivityEnvironment::~ActivityEnvironment() = default;

void ActivityEnvironment::call(const std::function<void()>& function) {
    const sdk::ActivityContext::OnThisThread here(*context_);
    try {
        function();
    } catch (const sdk::CompletedElsewhere&) {
        throw CompletedElsewhere();
    }
}

void ActivityEnvironment::set_previous_details(Payloads details) {
    context_->previous_ = std::move(details);
}

void ActivityEnvironment::cancel(activity::StopReason reason) { context_->stop(reason); }

void ActivityEnvironment::cancel_after_heartbeats(int count, activity::StopReason reason) {
    context_->cancel_after_ = count;
    context_->cancel_reason_ = reason;
}

void ActivityEnvironment::on_heartbeat(std::function<void(const Payloads&)> hook) {
    context_->hook_ = std::move(hook);
}

const std::vector<Payloads>& ActivityEnvironment::heartbeats() const {
    return context_->heartbeats_;
}

Milliseconds ActivityEnvironment::slept() const { return context_->slept_; }

const std::vector<LogRecord>& ActivityEnvironment::log() const { return context_->log_; }

}  // namespace stele::testing
