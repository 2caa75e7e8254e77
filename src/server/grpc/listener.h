#pragma once

#include "env/posix/loop.h"

#include <functional>
#include <memory>
#include <string>

namespace stele::server {

/// A listening socket. Accepts on its loop's thread, where everything is called but `open`.
class Listener final : public env::Watcher {
public:
    using Accepted = std::function<void(int socket)>;

    /// Binds and listens, and is told of nothing before `begin`. UNAVAILABLE names the address and why
    /// it can not be had.
    static absl::StatusOr<std::unique_ptr<Listener>> open(env::Loop& loop, env::Executor& strand,
                                                          const std::string& address,
                                                          Accepted accepted);
    ~Listener() override;

    int port() const { return port_; }
    void begin();
    /// Takes no more connections. Idempotent.
    void end();
    void ready(std::uint32_t events) override;

private:
    Listener(env::Loop& loop, env::Executor& strand, int socket, int port, Accepted accepted)
        : loop_(loop),
          strand_(strand),
          socket_(socket),
          port_(port),
          accepted_(std::move(accepted)) {}

    void pause();

    env::Loop& loop_;
    env::Executor& strand_;
    int socket_;
    const int port_;
    const Accepted accepted_;
    bool watched_ = false;
    env::TimerId resume_ = 0;
};

}  // namespace stele::server
