#pragma once

#include "base/status.h"
#include "shard/completions.h"

#include <functional>

namespace stele::sim {

/// An address that nobody takes callbacks at.
inline constexpr char kNobody[] = "http://nobody.invalid/";
/// One that takes all of them.
inline constexpr char kReceiver[] = "http://receiver.invalid/";

/// Whom the server's callbacks reach. What has arrived stays so, whatever becomes of the server. Not
/// thread safe.
class CallbackReceiver final : public shard::CompletionSender {
public:
    using Listener = std::function<void(const shard::Completion&)>;

    void listen(Listener listener) { listener_ = std::move(listener); }

    void send(shard::Completion completion, Reply<history::None> reply) override {
        if (completion.callback.nexus().url() == kNobody) return reply(unavailable("nobody there"));
        if (listener_) listener_(completion);
        reply(history::None());
    }
    void close() override {}

private:
    Listener listener_;
};

}  // namespace stele::sim
