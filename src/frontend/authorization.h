#pragma once

#include "shard/engine.h"

#include <utility>

// Rule 10 of the design: the namespace that was authorised is the namespace acted on. A handler can
// only come by an AuthorizedNamespace from the Authorizer, so it can not act on another one.
namespace stele::frontend {

class AuthorizedNamespace {
public:
    const shard::NamespaceView& operator*() const { return *view_; }
    const shard::NamespaceView* operator->() const { return view_.get(); }
    const shard::NamespacePtr& view() const { return view_; }

private:
    friend class Authorizer;
    explicit AuthorizedNamespace(shard::NamespacePtr view) : view_(std::move(view)) {}

    shard::NamespacePtr view_;
};

/// Decides whether a call may act on a namespace. Everybody may for now: there are no identities
/// yet, and the server listens on loopback unless told otherwise. Thread safe.
class Authorizer {
public:
    /// The namespace for acting on, or PERMISSION_DENIED.
    absl::StatusOr<AuthorizedNamespace> authorize(shard::NamespacePtr view,
                                                  std::string_view method) const {
        static_cast<void>(method);
        return AuthorizedNamespace(std::move(view));
    }
};

}  // namespace stele::frontend
