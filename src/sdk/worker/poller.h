#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "sdk/worker/context.h"
#include "sdk/worker/slots.h"

namespace stele::sdk {

/// Keeps a number of long polls open as long as there are slots for what they bring. A slot is
/// taken before a poll and given back by whoever has finished its task.
///
/// Lives on one executor, on which every call and callback takes place; not thread safe beyond it.
class Poller : public std::enable_shared_from_this<Poller> {
public:
    /// Gets a reply; true when it holds a task, which keeps the slot until release_slot().
    using OnReply = std::function<bool(const Rpc::MessagePointer& reply)>;
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

    /// `slots` is shared by all pollers that feed the same kind of task.
    void start(int polls, std::shared_ptr<Slots> slots);
    void fill();
    /// Opens no more polls.
    void stop();
    /// Cancels the open polls; replies that are on their way are still delivered.
    void cancel_open();
    bool idle() const { return open_.empty(); }

private:
    void open_poll();
    void on_answer(const std::shared_ptr<Rpc::Handle>& handle, const Transport::Status& status,
                   const Rpc::MessagePointer& reply);

    std::shared_ptr<const WorkerContext> context_;
    std::shared_ptr<Executor> executor_;
    std::string method_;
    std::shared_ptr<const google::protobuf::Message> request_;
    MakeReply make_reply_;
    OnReply on_reply_;
    OnEnd on_end_;
    int polls_max_ = 0;
    std::shared_ptr<Slots> slots_;
    std::set<std::shared_ptr<Rpc::Handle>> open_;
    std::unique_ptr<Runtime::Timer> pause_;
    bool stopping_ = false;
};

}  // namespace stele::sdk
