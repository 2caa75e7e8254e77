#include "shard/outbox_send.h"

#include "base/address_rule.h"
#include "shard/completions.h"

#include <utility>

namespace stele::shard {
namespace {

using history::NexusOutcome;
using storage::OutboxRow;

constexpr Duration kCommandTimeout = std::chrono::seconds(10);

/// For those who have nothing to say but that they have taken it.
Reply<history::None> when_taken(Reply<NexusOutcome> reply) {
    return [reply = std::move(reply)](absl::StatusOr<history::None> taken) mutable {
        if (!taken.ok()) return reply(std::move(taken).status());
        reply(NexusOutcome());
    };
}

// ---- To another run --------------------------------------------------------------------------------

void send_delivery(Shard& shard, Delivery delivery, Reply<NexusOutcome> reply) {
    delivery.space = shard.around().namespaces.by_id(delivery.target.namespace_id);
    if (delivery.space == nullptr) {
        return reply(failed_precondition("the namespace does not exist"));
    }
    shard.around().router->deliver(std::move(delivery), when_taken(std::move(reply)));
}

void send_system_call(Shard& shard, const NamespacePtr& space, history::SystemCall call,
                      Reply<NexusOutcome> reply) {
    auto request = call.request;
    std::string run_id = call.new_run_id;
    shard.around().router->deliver_signal_with_start(
        space, std::move(request), std::move(run_id),
        [call = std::move(call),
         reply = std::move(reply)](absl::StatusOr<StartReply> started) mutable {
            if (!started.ok()) {
                return reply(history::outcome_of(
                    call, absl::StatusOr<history::SignalWithStartAnswer>(started.status())));
            }
            const history::SignalWithStartAnswer answer{started->run_id, started->started};
            reply(
                history::outcome_of(call, absl::StatusOr<history::SignalWithStartAnswer>(answer)));
        });
}

// ---- To workers ------------------------------------------------------------------------------------

std::optional<storage::NexusEndpointRow> find_endpoint(Shard& shard,
                                                       const history::NexusCall& call) {
    const history::NexusEndpoints* endpoints = shard.around().options.nexus_endpoints;
    if (endpoints == nullptr) return std::nullopt;
    // One that was deleted and made again has another id.
    if (auto found = endpoints->by_id(call.endpoint_id)) return found;
    return endpoints->by_name(call.endpoint);
}

Reply<history::NexusAnswer> as_outcome(const NamespacePtr& space, Reply<NexusOutcome> reply) {
    return [space, reply = std::move(reply)](absl::StatusOr<history::NexusAnswer> answer) mutable {
        const history::Limits limits = space == nullptr ? history::Limits() : space->limits;
        reply(history::outcome_of(answer, limits));
    };
}

void send_call(Shard& shard, const NamespacePtr& space, history::NexusCall call,
               Reply<NexusOutcome> reply) {
    const auto endpoint = find_endpoint(shard, call);
    if (!endpoint || endpoint->task_queue().empty()) {
        return as_outcome(space, std::move(reply))(not_found("endpoint not registered"));
    }
    NexusSender* sender = shard.around().nexus;
    if (sender == nullptr) return reply(unavailable("no worker can be called"));
    NexusRequest request;
    request.queue = {endpoint->namespace_id(), endpoint->task_queue(), QueueKind::kNexus};
    request.request = std::move(call.request);
    request.deadline = add_saturating(shard.now(), call.timeout);
    sender->send(std::move(request), as_outcome(space, std::move(reply)));
}

bool send_nexus(Shard& shard, const OutboxRow& row, LoadedRun* source, Reply<NexusOutcome> reply) {
    if (source == nullptr) return false;
    const CommandContext context = shard.context_of(*source);
    history::NexusMessage message =
        row.kind() == OutboxRow::KIND_START_NEXUS
            ? history::nexus_start_message(*source->run, EventId(row.initiated_event_id()),
                                           context.context)
            : history::nexus_cancel_message(*source->run, EventId(row.nexus_scheduled_event_id()),
                                            context.context);
    if (std::holds_alternative<std::monostate>(message)) return false;
    if (auto* outcome = std::get_if<NexusOutcome>(&message)) {
        reply(std::move(*outcome));
    } else if (auto* call = std::get_if<history::SystemCall>(&message)) {
        send_system_call(shard, context.space, std::move(*call), std::move(reply));
    } else {
        send_call(shard, context.space, std::get<history::NexusCall>(std::move(message)),
                  std::move(reply));
    }
    return true;
}

bool send_commands(Shard& shard, const OutboxRow& row, Reply<NexusOutcome> reply) {
    const NamespacePtr space = shard.around().namespaces.by_id(row.namespace_id());
    NexusSender* sender = shard.around().nexus;
    // They may have been turned off since.
    if (sender == nullptr || space == nullptr || !space->limits.cancel_activity_commands) {
        return false;
    }
    CancelActivities commands;
    commands.queue = {row.namespace_id(), row.control_task_queue(), QueueKind::kNexus};
    commands.run = {row.namespace_id(), row.workflow_id(), row.run_id()};
    for (const storage::HeldActivity& held : row.held_activities()) {
        history::ActivityToken& token = commands.activities.emplace_back();
        token.scheduled = EventId(held.scheduled_event_id());
        token.attempt = held.attempt();
        token.stamp = held.stamp();
        token.activity_id = held.activity_id();
    }
    commands.deadline = add_saturating(shard.now(), kCommandTimeout);
    sender->send(std::move(commands), as_outcome(space, std::move(reply)));
    return true;
}

// ---- To whoever waits outside ------------------------------------------------------------------------

void send_completion(Shard& shard, const LoadedRun& source, Completion completion,
                     Reply<NexusOutcome> reply) {
    // Asked again each time: the operator may have thought better of it.
    const CommandContext context = shard.context_of(source);
    const absl::Status allowed = check_address(completion.callback.nexus().url(),
                                               context.context.limits->callback_addresses);
    if (!allowed.ok()) return reply(failed_precondition(message_of(allowed)));
    CompletionSender* sender = shard.around().options.completions;
    if (sender == nullptr) return reply(unavailable("nothing sends callbacks"));
    sender->send(std::move(completion), when_taken(std::move(reply)));
}

bool send_callback(Shard& shard, const OutboxRow& row, const LoadedRun* source,
                   Reply<NexusOutcome> reply) {
    const storage::CallbackRow* callback =
        source == nullptr ? nullptr : source->run->callbacks.find(row.callback());
    if (callback == nullptr) return false;
    auto completion = completion_of(shard.around().store, *source, *callback);
    STELE_CHECK(completion.ok(), "the outcome that a callback is to tell could not be read: " +
                                     message_of(completion.status()));
    if (!*completion) return false;
    send_completion(shard, *source, **std::move(completion), std::move(reply));
    return true;
}

}  // namespace

bool send(Shard& shard, const OutboxRow& row, LoadedRun* source, Reply<NexusOutcome> reply) {
    switch (row.kind()) {
        case OutboxRow::KIND_START_NEXUS:
        case OutboxRow::KIND_CANCEL_NEXUS: return send_nexus(shard, row, source, std::move(reply));
        case OutboxRow::KIND_CANCEL_ACTIVITIES: return send_commands(shard, row, std::move(reply));
        case OutboxRow::KIND_CALLBACK: return send_callback(shard, row, source, std::move(reply));
        default: break;
    }
    std::optional<Delivery> delivery = delivery_of(row, source);
    if (!delivery) return false;
    send_delivery(shard, *std::move(delivery), std::move(reply));
    return true;
}

}  // namespace stele::shard
