#pragma once

#include <optional>
#include <string>

#include "sdk/core/activation.h"

namespace stele::core {

/// The life of one thing that workflow code asked for: from the call, through the command and the
/// event that the command leaves, to the events that follow from it.
///
/// A machine never guesses: an event that it cannot have caused is a nondeterminism error.
/// Belongs to one run; not thread safe.
class Machine {
public:
    virtual ~Machine() = default;

    /// Names the step for people, such as `activity 3 "charge"`.
    virtual std::string describe() const = 0;
    /// The event that this machine's command at the front of the queue left behind.
    virtual void on_command_event(const HistoryEvent& event) = 0;
    /// An event that refers to the command's event. A job when the workflow code must hear of it.
    virtual std::optional<Job> on_consequence(const HistoryEvent& event) = 0;
    /// Nothing more can come.
    virtual bool done() const = 0;
};

/// Throws a nondeterminism error that names the event, the step and the difference.
[[noreturn]] void fail_mismatch(const HistoryEvent& event, const Machine& machine,
                                const std::string& difference);

}  // namespace stele::core
