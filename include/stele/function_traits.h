#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>

// How a function that is passed as a template argument gets its name and its signature.
namespace stele {

namespace wf {
template <class T>
class task;
}

namespace detail {

// Takes the name out of what the compiler says about the instantiated function:
//   g++      "constexpr std::string_view f() [with auto Fn = ns::charge; std::string_view = ...]"
//   clang    "std::string_view f() [Fn = &ns::charge]"
constexpr std::string_view last_name(std::string_view signature, std::string_view marker) {
    const std::size_t begin = signature.find(marker);
    std::string_view text = signature.substr(begin + marker.size());
    std::size_t depth = 0;
    std::size_t end = 0;
    std::size_t start = 0;
    for (; end < text.size(); ++end) {
        const char c = text[end];
        if (c == '<' || c == '(')
            ++depth;
        else if ((c == '>' || c == ')') && depth > 0)
            --depth;
        else if (depth == 0 && (c == ';' || c == ']'))
            break;
        else if (depth == 0 && (c == ':' || c == '&' || c == '('))
            start = end + 1;
    }
    return text.substr(start, end - start);
}

template <auto Fn>
constexpr std::string_view function_name() {
    return last_name(__PRETTY_FUNCTION__, "Fn = ");
}

template <class Type>
constexpr std::string_view class_name() {
    return last_name(__PRETTY_FUNCTION__, "Type = ");
}

template <class T>
struct unwrap_task {
    using type = T;
    static constexpr bool is_task = false;
};
template <class T>
struct unwrap_task<wf::task<T>> {
    using type = T;
    static constexpr bool is_task = true;
};

template <class R, class C, class... A>
struct signature_of {
    using result = typename unwrap_task<R>::type;
    using object = C;
    using arguments = std::tuple<std::decay_t<A>...>;
    static constexpr bool is_coroutine = unwrap_task<R>::is_task;
    /// A coroutine must own its arguments: what it would refer to is gone when it goes on.
    static constexpr bool owns_arguments = !is_coroutine || !(std::is_reference_v<A> || ...);
};

template <class F>
struct signature;
template <class R, class... A>
struct signature<R (*)(A...)> : signature_of<R, void, A...> {
    static constexpr bool is_const = true;
};
template <class R, class... A>
struct signature<R (*)(A...) noexcept> : signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct signature<R (C::*)(A...)> : signature_of<R, C, A...> {
    static constexpr bool is_const = false;
};
template <class R, class C, class... A>
struct signature<R (C::*)(A...) noexcept> : signature<R (C::*)(A...)> {};
template <class R, class C, class... A>
struct signature<R (C::*)(A...) const> : signature_of<R, C, A...> {
    static constexpr bool is_const = true;
};
template <class R, class C, class... A>
struct signature<R (C::*)(A...) const noexcept> : signature<R (C::*)(A...) const> {};

template <auto Fn>
using signature_for = signature<decltype(Fn)>;

template <auto Fn>
constexpr std::string_view default_workflow_name() {
    using Object = typename signature_for<Fn>::object;
    if constexpr (std::is_void_v<Object>)
        return function_name<Fn>();
    else
        return class_name<Object>();
}

}  // namespace detail

/// The name under which an activity is known. Specialise it to keep a name through a rename or to
/// match another language; workers and callers then agree without further ado:
///
///     template <> inline constexpr std::string_view stele::activity_name<charge> = "ChargeCard";
template <auto Fn>
inline constexpr std::string_view activity_name = detail::function_name<Fn>();

/// The type name of a workflow: the function's, or the class's where the workflow is a class.
template <auto Fn>
inline constexpr std::string_view workflow_name = detail::default_workflow_name<Fn>();

/// The name of a signal or a query: that of the member function.
template <auto Fn>
inline constexpr std::string_view handler_name = detail::function_name<Fn>();

}  // namespace stele
