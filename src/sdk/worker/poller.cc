#include "sdk/worker/poller.h"

#include <utility>

namespace stele::sdk {

namespace {

// After an error that no retry can mend, such as a namespace that is missing, polls go on slowly.
constexpr Milliseconds kPauseAfterError{1'000};

}  // namespace

void Poller::start(int polls, std::shared_ptr<Slots> slots) {
    polls_max_ = polls;
    slots_ = std::move(slots);
    fill();
}

void Poller::fill() {
    while (!stopping_ && !pause_ && static_cast<int>(open_.size()) < polls_max_ &&
           slots_->try_take())
        open_poll();
}

void Poller::open_poll() {
    const Rpc::MessagePointer reply = make_reply_();
    auto handle = std::make_shared<std::shared_ptr<Rpc::Handle>>();
    *handle = context_->client->rpc().call(
        method_, request_, reply, long_poll_retries(),
        [self = shared_from_this(), handle, reply](const Transport::Status& status) {
            self->executor_->post(
                [self, handle, reply, status] { self->on_answer(*handle, status, reply); });
        });
    open_.insert(*handle);
}

void Poller::on_answer(const std::shared_ptr<Rpc::Handle>& handle, const Transport::Status& status,
                       const Rpc::MessagePointer& reply) {
    open_.erase(handle);
    const bool taken = status.ok() && on_reply_(reply);
    if (!taken) slots_->give_back();
    if (!status.ok() && !stopping_ && !pause_)
        pause_ = context_->client->runtime()->start_timer(kPauseAfterError, executor_,
                                                          [self = shared_from_this()] {
                                                              self->pause_.reset();
                                                              self->fill();
                                                          });
    fill();
    on_end_();
}

void Poller::stop() {
    stopping_ = true;
    pause_.reset();
}

void Poller::cancel_open() {
    for (const auto& handle : open_) handle->cancel();
}

}  // namespace stele::sdk
