#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sdk/worker/context.h"
#include "sdk/worker/poll_target.h"
#include "sdk/worker/rate_limit.h"
#include "sdk/worker/slots.h"

namespace stele::sdk {

/// What the reply to a poll says.
struct PollReply {
    /// The task keeps the slot until its end.
    bool has_task = false;
    /// By how many polls more or fewer the server would be served better.
    std::optional<int> scaling_advice = {};
};

/// Keeps a number of long polls open as long as there are slots for what they bring. A slot is
/// taken before a poll and given back by whoever has finished its task.
///
/// Lives on one executor, on which every call and callback takes place; not thread safe beyond it.
class Poller : public std::enable_shared_from_this<Poller> {
public:
    using OnReply = std::function<PollReply(const Rpc::MessagePointer& reply)>;
    using MakeReply = std::function<Rpc::MessagePointer()>;
    /// Called after every poll that has ended.
    using OnEnd = std::function<void()>;

    Poller(std::shared_ptr<const WorkerContext> context, std::shared_ptr<Executor> executor,
           std::string method, std::shared_ptr<const google::protobuf::Message> request,
           MakeReply make_reply, OnReply on_reply, OnEnd on_end)
        : context_(std::move(context)),
          executor_(std::move(executor)),
          method_(std::move(method)),
          request_(std::move(request)),
          make_reply_(std::move(make_reply)),
          on_reply_(std::move(on_reply)),
          on_end_(std::move(on_end)) {}

    /// `slots` is shared by all pollers that feed the same kind of task. `open_polls` shows how many
    /// polls are open.
    void start(const PollTarget& target, std::shared_ptr<Slots> slots, OptionalGauge open_polls,
               std::optional<RateLimit> limit = std::nullopt);
    void fill();
    /// Two pollers that share slots: neither opens a second poll before the other has one, so that no
    /// queue goes without because the other holds every slot. To be called before either starts.
    static void share(const std::shared_ptr<Poller>& one, const std::shared_ptr<Poller>& other);
    /// Opens no more polls.
    void stop();
    /// Cancels the open polls; replies that are on their way are still delivered.
    void cancel_open();
    bool idle() const { return open_.empty(); }

    int open_polls() const { return static_cast<int>(open_.size()); }
    bool scales() const { return target_.scales(); }
    /// When the server last answered a poll; nothing before that.
    std::optional<Runtime::Time> last_answer() const { return last_answer_; }

private:
    bool gives_way() const;
    bool take_permits();
    void open_poll();
    void on_answer(std::uint64_t number, const Transport::Status& status,
                   const Rpc::MessagePointer& reply);
    void fill_again_after(Milliseconds delay);

    std::shared_ptr<const WorkerContext> context_;
    std::shared_ptr<Executor> executor_;
    std::string method_;
    std::shared_ptr<const google::protobuf::Message> request_;
    MakeReply make_reply_;
    OnReply on_reply_;
    OnEnd on_end_;
    PollTarget target_;
    std::shared_ptr<Slots> slots_;  // null until it starts
    std::weak_ptr<Poller> sharer_;  // of the slots
    std::optional<RateLimit> limit_;
    OptionalGauge open_gauge_;
    /// By the order in which they were opened, so that they are cancelled in it.
    std::map<std::uint64_t, std::shared_ptr<Rpc::Handle>> open_;
    std::uint64_t last_poll_ = 0;
    std::optional<Runtime::Time> last_answer_;
    /// Before it is over no poll is opened.
    std::unique_ptr<Runtime::Timer> pause_;
    /// When permits that were refused are asked for again.
    std::unique_ptr<Runtime::Timer> retry_;
    bool stopping_ = false;
};

}  // namespace stele::sdk
