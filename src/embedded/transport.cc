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
    InProcessCall(std::shared_ptr<InProcessTransport> transport, std::uint64_t id,
                  std::shared_ptr<const Message> request, std::shared_ptr<Message> reply,
                  std::vector<std::pair<std::string, std::string>> metadata, Timestamp deadline,
                  Transport::Callback done)
        : transport_(std::move(transport)),
          id_(id),
          request_(std::move(request)),
          reply_(std::move(reply)),
          metadata_(std::move(metadata)),
          deadline_(deadline),
          done_(std::move(done)) {}

    // The engine's side.
    Timestamp deadline() const override { return deadline_; }
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
        request.CopyFrom(*request_);
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
        transport_->forget(id_);
        done(status);
    }

    const std::shared_ptr<InProcessTransport> transport_;
    const std::uint64_t id_;
    const std::shared_ptr<const Message> request_;
    const std::shared_ptr<Message> reply_;
    const std::vector<std::pair<std::string, std::string>> metadata_;
    const Timestamp deadline_;

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
            const Timestamp deadline =
                env_->now() + options_.call_timeout.value_or(Duration(options.timeout));
            call = std::make_shared<InProcessCall>(shared_from_this(), ++last_id_,
                                                   std::move(request), std::move(reply),
                                                   options.metadata, deadline, std::move(done));
            const env::TimerId timer = timers_->run_at(deadline, [weak = std::weak_ptr(call)] {
                if (const auto expired = weak.lock()) expired->expire();
            });
            open_.emplace(last_id_, OpenCall{call, timer});
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
        --dispatching_;
        dispatched_.notify_all();
    }
    return call;
}

void InProcessTransport::forget(CallId id) {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    if (timers_) timers_->cancel(found->second.timer);
    open_.erase(found);
}

void InProcessTransport::close() {
    std::map<CallId, OpenCall> open;
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
    for (const auto& [id, entry] : open)
        if (const auto call = entry.call.lock()) call->server_stops();
}

}  // namespace stele::embedded
