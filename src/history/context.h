#pragma once

#include "base/time.h"

#include <cstdint>
#include <functional>
#include <string>

// What a transition is told about the world: the core reads no clock and draws no random number.
namespace stele::history {

class SearchAttributeSchema;

/// Limits that a namespace sets on its runs. Defaults are those of the Temporal server.
struct Limits {
    std::size_t blob_bytes = 2 * 1024 * 1024;
    std::size_t memo_bytes = 2 * 1024 * 1024;
    std::size_t id_length = 1000;
    std::size_t history_events = 51'200;
    std::size_t history_bytes = 50 * 1024 * 1024;
    std::size_t suggest_events = 4'096;
    std::size_t suggest_bytes = 4 * 1024 * 1024;
    std::size_t pending_activities = 2'000;
    std::size_t pending_children = 2'000;
    std::size_t pending_signals = 2'000;
    std::size_t pending_cancels = 2'000;
    std::size_t signals_per_run = 10'000;
    std::size_t buffered_events = 100;
    std::size_t buffered_bytes = 2 * 1024 * 1024;
    std::size_t failure_bytes = 4 * 1024;
    std::int32_t reset_points = 20;  // history.historymaxautoresetpoints
    /// Whether a run counts the payloads that are kept outside the server.
    bool external_payloads = true;  // history.externalpayloadsenabled
    /// Whether clients may pause workflows.
    bool workflow_pause = false;  // frontend.workflowpauseenabled
    /// Whether clients get pages of history as they are stored, to be parsed by themselves.
    bool raw_history = false;  // frontend.sendrawworkflowhistory
    /// Whether a run that has pending children may be reset.
    bool reset_with_children = true;  // history.allowresetwithpendingchildren
    Duration workflow_task_heartbeat = std::chrono::minutes(30);
    Duration default_task_timeout = std::chrono::seconds(10);
    Duration max_task_timeout = std::chrono::seconds(120);
    Duration continue_as_new_interval = std::chrono::seconds(1);
    Duration sticky_unavailable_after = std::chrono::seconds(10);
    std::size_t search_attribute_keys = 100;          // frontend.searchattributesnumberofkeyslimit
    std::size_t search_attribute_bytes = 2 * 1024;    // frontend.searchattributessizeofvaluelimit
    std::size_t search_attributes_bytes = 40 * 1024;  // frontend.searchattributestotalsizelimit
    /// Closed runs are deleted up to this much later than their retention says, so that those
    /// which closed together do not all go at once.
    Duration retention_jitter = std::chrono::minutes(30);  // history.retentiontimerjitterduration
};

struct Context {
    Timestamp now;
    const Limits* limits = nullptr;
    /// Fresh UUIDs, for runs and requests that the core creates.
    std::function<std::string()> new_id;
    /// Uniform in [0, 1), for the jitter of retries.
    std::function<double()> uniform;
    /// The search attributes of the namespace; null in tests that are about something else, where
    /// every attribute may be set.
    const SearchAttributeSchema* search_attributes = nullptr;
};

}  // namespace stele::history
