#include "frontend/method_table.h"

#include "base/check.h"
#include "base/probe.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <span>

namespace stele::frontend {
namespace {

namespace details = temporal::api::errordetails::v1;

namespace enums = temporal::api::enums::v1;

std::string_view state_name(enums::NamespaceState state) {
    switch (state) {
        case enums::NAMESPACE_STATE_REGISTERED: return "Registered";
        case enums::NAMESPACE_STATE_DEPRECATED: return "Deprecated";
        case enums::NAMESPACE_STATE_DELETED: return "Deleted";
        default: return "Unspecified";
    }
}

/// Whether a namespace in this state may be acted on; `creates`: with new runs.
absl::Status check_state(const std::string& name, enums::NamespaceState state, bool creates) {
    static constexpr std::array kUsable = {enums::NAMESPACE_STATE_REGISTERED,
                                           enums::NAMESPACE_STATE_DEPRECATED};
    const std::span allowed(kUsable.data(), creates ? 1 : kUsable.size());
    if (std::ranges::find(allowed, state) != allowed.end()) return absl::OkStatus();
    details::NamespaceInvalidStateFailure detail;
    std::string names;
    for (const enums::NamespaceState one : allowed) {
        detail.add_allowed_states(one);
        if (!names.empty()) names += " or ";
        names += state_name(one);
    }
    detail.set_namespace_(name);
    detail.set_state(state);
    return make_error(
        absl::StatusCode::kFailedPrecondition,
        fmt::format("Namespace has invalid state: {}. Must be {}.", state_name(state), names),
        detail);
}

}  // namespace

absl::StatusOr<const wire::TaskToken*> required_token(const RequestContext& context,
                                                      wire::TaskToken::Kind kind) {
    if (!context.token) return invalid_argument("Task token not set on request.");
    if (context.token->kind() != kind) {
        return invalid_argument("Error deserializing task token.");
    }
    return &*context.token;
}

absl::StatusOr<NamespaceResolver::Resolved> NamespaceResolver::resolve(
    const std::string& name, std::string_view token, bool creates, std::string_view method) const {
    shard::NamespacePtr view;
    std::optional<wire::TaskToken> opened;
    if (!token.empty()) {
        STELE_ASSIGN_OR_RETURN(opened, tokens_.open_task(token));
        view = registry_.by_id(opened->namespace_id());
        if (view == nullptr) return namespace_not_found(opened->namespace_id());
    }
    if (!name.empty()) {
        if (name.size() > kMaximumNameBytes) {
            return invalid_argument("Namespace length exceeds limit.");
        }
        shard::NamespacePtr named = registry_.by_name(name);
        if (named == nullptr) return namespace_not_found(name);
        if (view != nullptr && view->id != named->id &&
            !STELE_BUG("frontend.token-of-other-namespace")) {
            STELE_PROBE("frontend.token-of-other-namespace");
            return invalid_argument("Operation requested with a token from a different namespace.");
        }
        view = std::move(named);
    }
    if (view == nullptr) return invalid_argument("Namespace not set on request.");
    STELE_RETURN_IF_ERROR(check_state(view->name, registry_.state_of(view->id), creates));
    STELE_ASSIGN_OR_RETURN(AuthorizedNamespace space,
                           authorizer_.authorize(std::move(view), method));
    return Resolved{std::move(space), std::move(opened)};
}

void MethodTable::add_service(const std::string& full_name) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(full_name);
    STELE_CHECK(service != nullptr, "the API has no service " + full_name);
    for (int i = 0; i < service->method_count(); ++i) {
        const std::string path = "/" + full_name + "/" + service->method(i)->name();
        paths_.push_back(path);
        handlers_[path] = nullptr;
        path_of_method_[service->method(i)->name()] = path;
    }
}

absl::StatusOr<WaitingPlace> MethodTable::enter(const std::string& namespace_id,
                                                const std::string& method,
                                                std::optional<bool> waits, Timestamp now) {
    if (STELE_FAULT("frontend.too-busy")) return unavailable("the server is busy");
    const CallSettings settings = namespaces_.call_settings(namespace_id);
    const CallClass call =
        call_class(waits.value_or(false) ? "PollWorkflowExecutionHistory" : method);
    STELE_RETURN_IF_ERROR(gate_.admit(namespace_id, call, settings, now));
    if (!call.waits) return nullptr;
    return gate_.wait(namespace_id, method, settings);
}

void MethodTable::set(const std::string& method, Handler handler) {
    const auto path = path_of_method_.find(method);
    STELE_CHECK(path != path_of_method_.end(), "no service has a method " + method);
    Handler& place = handlers_[path->second];
    STELE_CHECK(place == nullptr, "two handlers for " + method);
    place = std::move(handler);
}

void MethodTable::dispatch(std::string_view path, CallPtr call) const {
    const auto found = handlers_.find(path);
    if (found != handlers_.end() && found->second) return found->second(std::move(call));
    // SDKs look for "unknown method" to tell an older server from a broken one.
    const std::size_t slash = path.rfind('/');
    const std::size_t service = path.starts_with('/') ? 1 : 0;
    call->finish(
        unimplemented(slash == std::string_view::npos || slash < service
                          ? fmt::format("malformed method name: {}", path)
                          : fmt::format("unknown method {} for service {}", path.substr(slash + 1),
                                        path.substr(service, slash - service))));
}

std::vector<std::string> MethodTable::built() const {
    std::vector<std::string> result;
    for (const std::string& path : paths_) {
        if (handlers_.at(path)) result.push_back(path);
    }
    return result;
}

}  // namespace stele::frontend
