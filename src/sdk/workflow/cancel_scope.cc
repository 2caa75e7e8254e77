#include "stele/detail/operation.h"

namespace stele::wf::detail {

void Cancellable::unlink() {
    if (previous_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = nullptr;
    next_ = nullptr;
}

CancelScope::CancelScope(CancelScope* parent) {
    // The members form a ring through the anchor.
    anchor_.previous_ = &anchor_;
    anchor_.next_ = &anchor_;
    if (parent == nullptr) return;
    parent->add(*this);
    if (parent->cancelled()) cancel(parent->reason());
}

CancelScope::~CancelScope() {
    while (anchor_.next_ != &anchor_) anchor_.next_->unlink();
    anchor_.previous_ = nullptr;
    anchor_.next_ = nullptr;
}

void CancelScope::add(Cancellable& member) {
    member.unlink();
    member.previous_ = anchor_.previous_;
    member.next_ = &anchor_;
    anchor_.previous_->next_ = &member;
    anchor_.previous_ = &member;
}

void CancelScope::cancel(const std::string& reason) {
    if (cancelled_) return;
    cancelled_ = true;
    reason_ = reason;
    // Each member is taken out before it hears of it: what it does may change the ring.
    while (anchor_.next_ != &anchor_) {
        Cancellable* member = anchor_.next_;
        member->unlink();
        member->on_cancel(reason);
    }
}

}  // namespace stele::wf::detail
