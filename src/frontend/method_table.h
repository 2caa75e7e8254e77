#pragma once

#include "base/status.h"
#include "frontend/authorization.h"
#include "frontend/call.h"
#include "frontend/call_gate.h"
#include "frontend/namespaces.h"
#include "frontend/tokens.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

// Which function answers which RPC. Every method of the services is in the table: one that has no
// handler yet answers UNIMPLEMENTED. The steps that all calls share (parsing, finding and
// authorising the namespace, its limits, serialising the answer) are here, once.
namespace stele::frontend {

/// What a handler may know of its call beside the request.
struct RequestContext {
    CallPtr call;
    Timestamp now;
    /// What the task token of the request says, where it has one. One that is not ours was refused.
    std::optional<wire::TaskToken> token = std::nullopt;
};

/// The token of a call that must have one of this kind; another kind is as wrong as a forged one.
absl::StatusOr<const wire::TaskToken*> required_token(const RequestContext& context,
                                                      wire::TaskToken::Kind kind);

/// A message, and fields of it that are serialised already; joining the bytes gives the whole.
template <typename Message>
struct Spliced {
    Message message;
    std::string raw;
};

template <typename Message>
std::string serialize(const Message& message) {
    return message.SerializeAsString();
}
template <typename Message>
std::string serialize(const Spliced<Message>& spliced) {
    std::string bytes = spliced.message.SerializeAsString();
    bytes += spliced.raw;
    return bytes;
}

/// The namespace of a request comes from its task token if it has one; a name beside it must agree.
class NamespaceResolver {
public:
    NamespaceResolver(NamespaceRegistry& registry, const TokenSigner& tokens,
                      const Authorizer& authorizer)
        : registry_(registry), tokens_(tokens), authorizer_(authorizer) {}

    struct Resolved {
        AuthorizedNamespace space;
        std::optional<wire::TaskToken> token;  // what the token says, where there is one
    };
    absl::StatusOr<Resolved> resolve(const std::string& name, std::string_view token, bool creates,
                                     std::string_view method) const;

private:
    NamespaceRegistry& registry_;
    const TokenSigner& tokens_;
    const Authorizer& authorizer_;
};

/// Filled once at start, then only read: thread safe.
class MethodTable {
public:
    using Handler = std::function<void(CallPtr)>;

    MethodTable(env::Env& env, const NamespaceResolver& resolver, NamespaceRegistry& namespaces)
        : env_(env), resolver_(resolver), namespaces_(namespaces) {}

    /// Knows every method of the service, none of them built.
    void add_service(const std::string& full_name);

    /// A method that concerns no namespace, or finds its own.
    template <typename Request, typename Response>
    void add(const std::string& method,
             std::function<void(RequestContext, Request, Reply<Response>)> handler) {
        set(method, [this, handler = std::move(handler)](CallPtr call) {
            Request request;
            if (absl::Status status = call->read(request); !status.ok()) {
                return call->finish(std::move(status));
            }
            handler({call, env_.now()}, std::move(request), replier<Response>(call));
        });
    }

    /// A method on a namespace, which is found and authorised before the handler runs. `creates`:
    /// refused when the namespace is deprecated.
    template <typename Request, typename Response>
    void add_namespaced(
        const std::string& method,
        std::function<void(RequestContext, AuthorizedNamespace, Request, Reply<Response>)> handler,
        bool creates = false) {
        add<Request, Response>(
            method, [this, method, creates, handler = std::move(handler)](
                        RequestContext context, Request request, Reply<Response> reply) {
                auto resolved =
                    resolver_.resolve(request.namespace_(), token_of(request), creates, method);
                if (!resolved.ok()) return reply(std::move(resolved).status());
                context.token = std::move(resolved->token);
                auto place = enter(resolved->space->id, method, waits(request), context.now);
                if (!place.ok()) return reply(std::move(place).status());
                if (*place != nullptr) reply = keeping(*std::move(place), std::move(reply));
                handler(std::move(context), std::move(resolved->space), std::move(request),
                        std::move(reply));
            });
    }

    /// Answers the call; `path` is "/package.Service/Method".
    void dispatch(std::string_view path, CallPtr call) const;

    /// Every path in the table, in the order of the services' definitions.
    const std::vector<std::string>& paths() const { return paths_; }
    /// The paths that have a handler.
    std::vector<std::string> built() const;

private:
    template <typename Response>
    static Reply<Response> replier(CallPtr call) {
        return [call = std::move(call)](absl::StatusOr<Response> response) {
            if (!response.ok()) return call->finish(std::move(response).status());
            call->finish(serialize(*response));
        };
    }
    template <typename Request>
    static std::string_view token_of(const Request& request) {
        if constexpr (requires { request.task_token(); }) {
            return request.task_token();
        } else {
            return {};
        }
    }
    /// Reads of history wait if they are asked to, all other calls by what they are.
    template <typename Request>
    static std::optional<bool> waits(const Request& request) {
        if constexpr (requires { request.wait_new_event(); }) {
            return request.wait_new_event();
        } else {
            return std::nullopt;
        }
    }
    /// Takes the call in by the limits of its namespace; null where it does not wait.
    absl::StatusOr<WaitingPlace> enter(const std::string& namespace_id, const std::string& method,
                                       std::optional<bool> waits, Timestamp now);
    /// A reply that gives up a place when it is sent.
    template <typename Response>
    static Reply<Response> keeping(WaitingPlace place, Reply<Response> reply) {
        return [place = std::move(place),
                reply = std::move(reply)](absl::StatusOr<Response> response) mutable {
            place.reset();
            reply(std::move(response));
        };
    }
    void set(const std::string& method, Handler handler);

    struct PathHash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    env::Env& env_;
    const NamespaceResolver& resolver_;
    NamespaceRegistry& namespaces_;
    CallGate gate_;
    std::vector<std::string> paths_;
    std::unordered_map<std::string, Handler, PathHash, std::equal_to<>>
        handlers_;  // by path; empty: not built
    std::unordered_map<std::string, std::string> path_of_method_;
};

}  // namespace stele::frontend
