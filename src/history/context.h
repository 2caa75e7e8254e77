#pragma once

#include "base/address_rule.h"
#include "base/time.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace temporal::api::rules::v1 {
class WorkflowRule;
}

// What a transition is told about the world: the core reads no clock and draws no random number.
namespace stele::history {

class NexusEndpoints;
class SearchAttributeSchema;

/// Limits that a namespace sets on its runs. Defaults are those of the Temporal server.
struct Limits {
    std::size_t blob_bytes = 2 * 1024 * 1024;
    std::size_t memo_bytes = 2 * 1024 * 1024;
    std::size_t id_length = 1000;
    std::size_t history_events = 51'200;
    std::size_t history_bytes = 50 * 1024 * 1024;
    std::size_t state_bytes = 8 * 1024 * 1024;  // limit.mutableStateSize.error
    std::size_t suggest_events = 4'096;
    std::size_t suggest_bytes = 4 * 1024 * 1024;
    std::size_t pending_activities = 2'000;
    std::size_t pending_children = 2'000;
    std::size_t pending_signals = 2'000;
    std::size_t pending_cancels = 2'000;
    std::size_t signals_per_run = 10'000;
    std::size_t pending_nexus_operations =
        30;  // component.nexusoperations.limit.operation.concurrency
    std::size_t nexus_service_length =
        1'000;  // component.nexusoperations.limit.service.name.length
    std::size_t nexus_operation_length =
        1'000;  // component.nexusoperations.limit.operation.name.length
    std::size_t nexus_token_length =
        4'096;  // component.nexusoperations.limit.operation.token.length
    std::size_t nexus_header_bytes = 8'192;  // component.nexusoperations.limit.header.size
    /// Longest schedule-to-close timeout of an operation; 0: any.
    Duration nexus_schedule_to_close{};  // component.nexusoperations.limit.scheduletoclosetimeout
    /// How long a handler may take to answer one call, and how much must be left for one.
    Duration nexus_call = std::chrono::seconds(10);  // component.nexusoperations.request.timeout
    Duration nexus_least_call =
        std::chrono::milliseconds(1'500);  // component.nexusoperations.limit.request.timeout.min
    Duration nexus_first_retry =
        std::chrono::seconds(1);  // component.nexusoperations.retrypolicy.initialinterval
    Duration nexus_longest_retry =
        std::chrono::hours(1);  // component.nexusoperations.retrypolicy.maxinterval
    /// Whether the answer to a request to cancel an operation becomes an event.
    bool nexus_cancel_answers =
        true;  // component.nexusoperations.recordcancelrequestcompletionevents
    /// Whether workflows may signal others with start, as an operation of the server itself.
    bool signal_with_start_operation = false;  // history.enablesignalwithstartfromworkflow
    /// Whether a worker that listens for commands is told to give up the activities that it holds.
    bool cancel_activity_commands = false;  // system.enablecancelactivityworkercommand
    std::size_t updates_in_flight = 10;     // history.maxinflightupdates
    std::size_t update_bytes_in_flight = 20 * 1024 * 1024;  // history.maxinflightupdatepayloads
    std::size_t updates_per_run = 2'000;                    // history.maxtotalupdates
    double suggest_updates_share = 0.9;  // history.maxtotalupdates.suggestcontinueasnewthreshold
    std::size_t speculative_discard_events =
        10;  // history.discardspeculativeworkflowtaskmaximumeventscount
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
    /// Whether commands may reach workflows of other namespaces.
    bool cross_namespace_commands = false;  // system.enablecrossnamespacecommands
    /// Whether a run that has pending children may be reset.
    bool reset_with_children = true;  // history.allowresetwithpendingchildren
    Duration workflow_task_heartbeat = std::chrono::minutes(30);
    Duration default_task_timeout = std::chrono::seconds(10);
    Duration max_task_timeout = std::chrono::seconds(120);
    Duration continue_as_new_interval = std::chrono::seconds(1);
    /// Workflow task failures and timeouts in a row until they become a search attribute; 0: never.
    /// system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute
    std::size_t reported_task_problems = 5;
    /// Completions of workflow tasks in pages. history.enableWorkflowTaskCompletionPagination
    bool completion_pages = false;
    std::size_t completion_pages_bytes =
        40 * 1024 * 1024;  // history.workflowTaskCompletionBufferSizeLimit
    /// history.workflowTaskCompletionBufferTotalSizeLimit; 0: none
    std::size_t completion_pages_total_bytes = 1024 * 1024 * 1024;
    /// Of the total, for one namespace. history.workflowTaskCompletionBufferNamespaceRatio
    double completion_pages_share = 0.5;
    /// Rules that pause activities. frontend.workflowRulesAPIsEnabled, frontend.maxWorkflowRulesPerNamespace
    bool workflow_rules = false;
    std::size_t workflow_rules_count = 10;
    std::size_t callbacks_per_run = 32;            // system.maxcallbacksperworkflow
    std::size_t callbacks_per_request = 2'000;     // callback.maxperexecution
    std::size_t callbacks_per_update = 32;         // system.maxcallbacksperupdateid
    std::size_t callback_url_bytes = 1000;         // frontend.callbackurlmaxlength
    std::size_t callback_header_bytes = 8 * 1024;  // frontend.callbackheadermaxlength
    /// Where callbacks may be sent; nowhere unless an operator says so.
    AddressRules callback_addresses{};  // callback.allowedaddresses
    /// Whether callers may be told of the end of an update by a callback.
    bool update_callbacks = false;  // history.enableupdatecallbacks
    /// The first wait before a callback is tried again, doubled up to the longest.
    Duration callback_retry = std::chrono::seconds(1);  // callback.retrypolicy.initialinterval
    Duration longest_callback_retry = std::chrono::hours(1);  // callback.retrypolicy.maxinterval
    /// Whether operators see by which requests a run was signalled.
    bool signal_backlinks = false;                          // history.enablechasmsignalbacklinks
    std::int32_t history_page = 256;                        // limit.historymaxpagesize
    std::int32_t query_history_page = 256;                  // matching.historymaxpagesize
    Duration history_long_poll = std::chrono::seconds(20);  // history.longpollexpirationinterval
    Duration sticky_unavailable_after = std::chrono::seconds(10);
    std::size_t search_attribute_keys = 100;          // frontend.searchattributesnumberofkeyslimit
    std::size_t search_attribute_bytes = 2 * 1024;    // frontend.searchattributessizeofvaluelimit
    std::size_t search_attributes_bytes = 40 * 1024;  // frontend.searchattributestotalsizelimit
    /// Closed runs are deleted up to this much later than their retention says, so that those
    /// which closed together do not all go at once.
    Duration retention_jitter = std::chrono::minutes(30);  // history.retentiontimerjitterduration
};

/// Another namespace, as far as commands need it.
struct OtherNamespace {
    std::string id;
    std::shared_ptr<const SearchAttributeSchema> search_attributes;
};

struct Context {
    Timestamp now;
    const Limits* limits = nullptr;
    /// How long the namespace keeps closed runs.
    Duration retention{};
    /// Of the namespace; null: none.
    const std::vector<temporal::api::rules::v1::WorkflowRule>* rules = nullptr;
    /// Fresh UUIDs, for runs and requests that the core creates.
    std::function<std::string()> new_id;
    /// Uniform in [0, 1), for the jitter of retries.
    std::function<double()> uniform;
    /// The search attributes of the namespace; null in tests that are about something else, where
    /// every attribute may be set.
    const SearchAttributeSchema* search_attributes = nullptr;
    /// Finds another namespace by its name; nullopt: there is none. Empty: nobody knows of others.
    std::function<std::optional<OtherNamespace>(const std::string& name)> find_namespace;
    /// Null: there are none.
    const NexusEndpoints* nexus_endpoints = nullptr;
};

}  // namespace stele::history
