#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace stele::core {

/// First in, first out. A run has several of these, and a worker many runs that wait with all of them
/// empty: unlike a std::deque, which allocates half a kilobyte at once, an empty one holds next to
/// nothing. Elements need a default constructor. Not thread safe.
template <class T>
class Queue {
public:
    bool empty() const { return head_ == items_.size(); }
    std::size_t size() const { return items_.size() - head_; }

    T& operator[](std::size_t index) { return items_[head_ + index]; }
    const T& operator[](std::size_t index) const { return items_[head_ + index]; }
    T& front() { return items_[head_]; }
    const T& front() const { return items_[head_]; }
    const T& back() const { return items_.back(); }

    auto begin() { return items_.begin() + offset(); }
    auto end() { return items_.end(); }
    auto begin() const { return items_.begin() + offset(); }
    auto end() const { return items_.end(); }

    void push_back(T item) {
        if (items_.size() == items_.capacity() && head_ > size()) compact();
        items_.push_back(std::move(item));
    }
    void pop_front(std::size_t count = 1) {
        for (; count > 0; --count) items_[head_++] = T();
        if (empty()) clear();
    }
    void clear() {
        items_.clear();
        head_ = 0;
        if (items_.capacity() > kKept) items_.shrink_to_fit();
    }
    template <class Predicate>
    void erase_if(Predicate predicate) {
        compact();
        std::erase_if(items_, std::move(predicate));
    }

private:
    /// Room that is kept for those who come and go one at a time.
    static constexpr std::size_t kKept = 2;

    std::ptrdiff_t offset() const { return static_cast<std::ptrdiff_t>(head_); }
    void compact() {
        items_.erase(items_.begin(), begin());
        head_ = 0;
    }

    std::vector<T> items_;
    /// Before it lies what has been taken out.
    std::size_t head_ = 0;
};

}  // namespace stele::core
