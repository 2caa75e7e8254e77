#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele {

/// Things that a server hands out in pages, as a range that is read with a loop. A page is fetched
/// when the loop comes to it, by the thread that runs the loop, and the loop throws what the call
/// throws. Each begin() starts anew at the first page. Not thread safe.
template <class T>
class PagedRange {
public:
    struct Page {
        std::vector<T> items;
        /// Of the next page; empty after the last.
        std::string next_token;
    };
    /// Fetches the page of a token, the first one for an empty token.
    using Fetch = std::function<Page(const std::string& token)>;

    explicit PagedRange(Fetch fetch) : fetch_(std::make_shared<const Fetch>(std::move(fetch))) {}

    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = const T*;
        using reference = const T&;

        explicit Iterator(std::shared_ptr<const Fetch> fetch) : fetch_(std::move(fetch)) {
            load({});
        }
        const T& operator*() const { return page_.items[index_]; }
        const T* operator->() const { return &page_.items[index_]; }
        Iterator& operator++() {
            if (++index_ == page_.items.size()) load_next();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return index_ == page_.items.size(); }

    private:
        void load(const std::string& token) {
            page_ = (*fetch_)(token);
            index_ = 0;
            if (page_.items.empty()) load_next();
        }
        // A page may be empty although more follow.
        void load_next() {
            while (!page_.next_token.empty()) {
                page_ = (*fetch_)(std::string(page_.next_token));
                index_ = 0;
                if (!page_.items.empty()) return;
            }
        }

        std::shared_ptr<const Fetch> fetch_;
        Page page_;
        std::size_t index_ = 0;
    };

    Iterator begin() const { return Iterator(fetch_); }
    std::default_sentinel_t end() const { return {}; }

    /// Everything at once.
    std::vector<T> to_vector() const {
        std::vector<T> all;
        for (const T& item : *this) all.push_back(item);
        return all;
    }

private:
    std::shared_ptr<const Fetch> fetch_;
};

}  // namespace stele
