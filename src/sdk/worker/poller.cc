#include "sdk/worker/poller.h"

#include <utility>

#include "base/probe.h"

namespace stele::sdk {

namespace {

// After an error that no retry can mend, such as a namespace that is missing, polls go on slowly.
constexpr Milliseconds kPauseAfterError{1'000};

}  // namespace

void Poller::start(const PollTarget& target, std::shared_ptr<Slots> slots, OptionalGauge open_polls,
                   std::optional<RateLimit> limit) {
    target_ = target;
    slots_ = std::move(slots);
    open_gauge_ = std::move(open_polls);
    limit_ = limit;
    fill();
}

void Poller::share(const std::shared_ptr<Poller>& one, const std::shared_ptr<Poller>& other) {
    one->sharer_ = other;
    other->sharer_ = one;
}

void Poller::fill() {
    if (!slots_) return;
    while (!stopping_ && !pause_ && open_polls() < target_.polls() && !gives_way() &&
           take_permits()) {
        open_poll();
        // It has given way until now.
        const auto sharer = sharer_.lock();
        if (sharer && open_polls() == 1) sharer->fill();
    }
}

bool Poller::gives_way() const {
    const auto sharer = sharer_.lock();
    return sharer && !sharer->stopping_ && sharer->open_polls() == 0 && open_polls() > 0;
}

// Both of the rate and of a slot; what is refused now may come by itself later.
bool Poller::take_permits() {
    if (limit_ && !limit_->try_take(context_->client->runtime()->now())) {
        fill_again_after(limit_->until_next());
        return false;
    }
    if (slots_->try_take()) return true;
    if (limit_) limit_->give_back();
    if (const Milliseconds delay = slots_->supplier().ask_again_after(); delay.count() > 0)
        fill_again_after(delay);
    return false;
}

void Poller::fill_again_after(Milliseconds delay) {
    if (retry_) return;
    retry_ = context_->client->runtime()->start_timer(delay, executor_, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->retry_.reset();
            self->fill();
        }
    });
}

void Poller::open_poll() {
    const Rpc::MessagePointer reply = make_reply_();
    // Weakly, because the poller holds its calls.
    const std::uint64_t number = ++last_poll_;
    open_[number] = context_->client->rpc().call(
        method_, request_, reply, long_poll_retries(),
        [weak = weak_from_this(), number, reply](const Transport::Status& status) {
            if (const auto self = weak.lock())
                self->executor_->post(
                    [self, number, reply, status] { self->on_answer(number, status, reply); });
        });
    open_gauge_.set(open_polls());
}

void Poller::on_answer(std::uint64_t number, const Transport::Status& status,
                       const Rpc::MessagePointer& reply) {
    open_.erase(number);
    open_gauge_.set(open_polls());
    PollReply answer;
    if (status.ok()) {
        last_answer_ = context_->client->runtime()->now();
        answer = on_reply_(reply);
        target_.on_reply(answer.scaling_advice, answer.has_task);
    } else if (status.code == kRpcResourceExhausted) {
        target_.on_exhausted();
    }
    if (!answer.has_task && !STELE_BUG("sdk.empty-poll-keeps-its-slot")) {
        slots_->give_back();
        if (limit_) limit_->give_back();
    }
    if (!status.ok() && !stopping_ && !pause_)
        pause_ = context_->client->runtime()->start_timer(kPauseAfterError, executor_,
                                                          [self = shared_from_this()] {
                                                              self->pause_.reset();
                                                              self->fill();
                                                          });
    if (const auto sharer = sharer_.lock(); sharer && sharer->open_polls() == 0) sharer->fill();
    fill();
    on_end_();
}

void Poller::stop() {
    stopping_ = true;
    pause_.reset();
    retry_.reset();
}

void Poller::cancel_open() {
    for (const auto& [number, handle] : open_) handle->cancel();
}

}  // namespace stele::sdk
