#include "embedded/transport.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>

#include <utility>
#include <vector>

#include "google/rpc/status.pb.h"

namespace stele::embedded {

namespace {

using google::protobuf::Message;

constexpr int kInternal = 13;
constexpr int kCancelled = 1;
constexpr int kDeadlineExceeded = 4;
constexpr int kUnavailable = 14;

Transport::Status server_is_down() { return {kUnavailable, "the server has stopped", {}}; }

}  // namespace

Transport::Status to_transport_status(const absl::Status& status) {
    Transport::Status result{static_cast<int>(status.code()), message_of(status), {}};
    if (const auto detail = detail_of(status)) {
        google::rpc::Status message;
        message.set_code(result.code);
        message.set_message(result.message);
        auto& any = *message.add_details();
        any.set_type_url(detail->type_url);
        any.set_value(detail->value);
        result.details = message.SerializeAsString();
    }
    return result;
}

/// One call, from both sides. The lock is held while the engine's closure runs, so that whoever
/// removes the closure knows that it is not running; it may be entered again by what that does.
class InProcessCall final : public frontend::Call,
                            public Transport::Call,
                            public std::enable_shared_from_this<InProcessCall> {
public:
    InProcessCall(std::shared_ptr<InProcessTransport> transport,
                  const InProcessTransport::CallKey& key, std::shared_ptr<const Message> request,
                  std::shared_ptr<Message> reply,
                  std::vector<std::pair<std::string, std::string>> metadata,
                  Transport::Callback done)
        : transport_(std::move(transport)),
          key_(key),
          request_(std::move(request)),
          reply_(std::move(reply)),
          metadata_(std::move(metadata)),
          done_(std::move(done)) {}

    // The engine's side.
    Timestamp deadline() const override { return key_.first; }
    bool cancelled() const override {
        const std::lock_guard lock(mutex_);
        return cancelled_;
    }
    void on_cancel(absl::AnyInvocable<void()> closure) override {
        const std::lock_guard lock(mutex_);
        on_cancel_ = std::move(closure);
        if (cancelled_ && on_cancel_) std::exchange(on_cancel_, nullptr)();
    }
    absl::Status read(Message& request) override {
        if (request.GetDescriptor() != request_->GetDescriptor())
            return internal_error("a call brings a " + request_->GetTypeName() + " in place of a " +
                                  request.GetTypeName());
        // Into a new message this is a copy, without the look at whether one contains the other.
        request.MergeFrom(*request_);
        return absl::OkStatus();
    }
    std::string header(std::string_view name) const override {
        for (const auto& [key, value] : metadata_)
            if (key == name) return value;
        return {};
    }
    void finish(absl::StatusOr<frontend::ResponseBytes> response) override {
        if (!response.ok()) {
            end(to_transport_status(response.status()), nullptr);
            return;
        }
        end({}, &*response);
    }

    // The client's side.
    void cancel() override { give_up({kCancelled, "the call was cancelled", {}}); }
    void expire() { give_up({kDeadlineExceeded, "the deadline of the call has passed", {}}); }
    void server_stops() { give_up(server_is_down()); }

private:
    void give_up(const Transport::Status& status) {
        {
            const std::lock_guard lock(mutex_);
            cancelled_ = true;
            if (on_cancel_) std::exchange(on_cancel_, nullptr)();
        }
        end(status, nullptr);
    }

    // The reply is written to before anybody can learn that the call has ended, and never after.
    void end(Transport::Status status, const std::string* bytes) {
        Transport::Callback done;
        {
            const std::lock_guard lock(mutex_);
            if (!done_) return;
            if (bytes != nullptr && !reply_->ParseFromString(*bytes))
                status = {kInternal, "the reply cannot be parsed", {}};
            done = std::exchange(done_, nullptr);
            on_cancel_ = nullptr;
        }
        transport_->forget(key_);
        done(status);
    }

    const std::shared_ptr<InProcessTransport> transport_;
    const InProcessTransport::CallKey key_;
    const std::shared_ptr<const Message> request_;
    const std::shared_ptr<Message> reply_;
    const std::vector<std::pair<std::string, std::string>> metadata_;

    mutable std::recursive_mutex mutex_;
    Transport::Callback done_;
    bool cancelled_ = false;
    absl::AnyInvocable<void()> on_cancel_;
};

InProcessTransport::InProcessTransport(env::Env& env, const frontend::Frontend& frontend,
                                       const Options& options)
    : options_(options),
      env_(&env),
      frontend_(&frontend),
      timers_(env.make_executor("in-process calls")) {}

InProcessTransport::~InProcessTransport() = default;

std::shared_ptr<Transport::Call> InProcessTransport::call(std::string_view method,
                                                          std::shared_ptr<const Message> request,
                                                          std::shared_ptr<Message> reply,
                                                          const CallOptions& options,
                                                          Callback done) {
    std::shared_ptr<InProcessCall> call;
    const frontend::Frontend* frontend = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (env_ != nullptr) {
            const CallKey key{
                env_->now() + options_.call_timeout.value_or(Duration(options.timeout)), ++calls_};
            call = std::make_shared<InProcessCall>(shared_from_this(), key, std::move(request),
                                                   std::move(reply), options.metadata,
                                                   std::move(done));
            open_.emplace(key, call);
            arm();
            ++dispatching_;
            frontend = frontend_;
        }
    }
    if (!call) {
        done(server_is_down());
        return nullptr;
    }
    frontend->dispatch(std::string(method), call);
    {
        const std::lock_guard lock(mutex_);
        if (--dispatching_ == 0 && env_ == nullptr) dispatched_.notify_all();
    }
    return call;
}

void InProcessTransport::forget(const CallKey& key) {
    const std::lock_guard lock(mutex_);
    open_.erase(key);
    // A timer that rings for nothing may not be what a virtual clock runs ahead to.
    if (open_.empty()) disarm();
}

void InProcessTransport::arm() {
    if (open_.empty() || open_.begin()->first.first >= armed_) return;
    disarm();
    armed_ = open_.begin()->first.first;
    timer_ = timers_->run_at(armed_, [this] { expire_due(); });
}

void InProcessTransport::disarm() {
    if (armed_ != kNever && timers_) timers_->cancel(timer_);
    armed_ = kNever;
}

void InProcessTransport::expire_due() {
    std::vector<std::shared_ptr<InProcessCall>> due;
    {
        const std::lock_guard lock(mutex_);
        if (env_ == nullptr) return;
        armed_ = kNever;
        const Timestamp now = env_->now();
        while (!open_.empty() && open_.begin()->first.first <= now) {
            if (auto call = open_.begin()->second.lock()) due.push_back(std::move(call));
            open_.erase(open_.begin());
        }
        arm();
    }
    // Without the lock: who is told of an end may call again.
    for (const auto& call : due) call->expire();
}

void InProcessTransport::close() {
    absl::btree_map<CallKey, std::weak_ptr<InProcessCall>> open;
    std::unique_ptr<env::Executor> timers;
    {
        std::unique_lock lock(mutex_);
        env_ = nullptr;
        // The frontend goes after this has returned.
        dispatched_.wait(lock, [&] { return dispatching_ == 0; });
        open = std::exchange(open_, {});
        timers = std::move(timers_);
    }
    // Outside of the lock, because its closures take it.
    timers.reset();
    for (const auto& [key, entry] : open)
        if (const auto call = entry.lock()) call->server_stops();
}

}  // namespace stele::embedded
