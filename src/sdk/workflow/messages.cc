#include "sdk/workflow/messages.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <set>

#include "base/probe.h"
#include "sdk/core/errors.h"
#include "sdk/data/convert.h"
#include "sdk/workflow/run_context.h"
#include "stele/errors.h"
#include "temporal/api/sdk/v1/workflow_metadata.pb.h"

namespace stele::wf::detail {

namespace {

std::string list_names(const std::set<std::string>& names) {
    if (names.empty()) return " none";
    std::string text;
    for (const std::string& name : names) text += " " + name;
    return text;
}

template <class H>
std::set<std::string> names_of(const HandlersOf<H>& a, const HandlersOf<H>& b) {
    std::set<std::string> names;
    for (const auto& [name, handler] : a.named) names.insert(name);
    for (const auto& [name, handler] : b.named) names.insert(name);
    return names;
}

}  // namespace

// What the run has set goes before what its type has, and a name before the dynamic handler.
template <class H>
std::shared_ptr<const H> Messages::find(HandlersOf<H> Handlers::* kind,
                                        const std::string& name) const {
    const HandlersOf<H>& here = set_.*kind;
    const HandlersOf<H>& type = definition_->handlers.*kind;
    if (auto handler = here.find(name)) return handler;
    if (auto handler = type.find(name)) return handler;
    return here.dynamic ? here.dynamic : type.dynamic;
}

void Messages::begin(AtWork work, std::shared_ptr<const WorkContext> context) {
    at_work_.push_back(std::move(work));
    auto& coroutine = at_work_.back().work;
    coroutine.handle().promise().scope = &run_.root_scope();
    run_.make_ready(coroutine.handle(), std::move(context));
}

void Messages::deliver_signal(const std::string& name, Payloads input) {
    if (const auto handler = find(&Handlers::signals, name))
        handle(handler, name, input);
    else
        unclaimed_signals_.emplace_back(name, std::move(input));
}

// A signal whose arguments cannot be read is dropped: whoever sent it must not be able to block the
// workflow for ever.
void Messages::handle(const std::shared_ptr<const SignalHandler>& handler, const std::string& name,
                      const Payloads& input) {
    std::optional<task<void>> work;
    try {
        work = handler->handle(run_.object(), name, input);
    } catch (const DataConversionError& error) {
        run_.log(LogLevel::kWarning, "signal \"" + name + "\" is dropped: " + error.what());
        return;
    } catch (const FailureError&) {
        run_.fail_workflow(std::current_exception());
        return;
    }
    if (!work) return;
    begin({"signal \"" + name + "\"", handler->unfinished, std::move(*work), handler}, nullptr);
}

void Messages::deliver_update(core::UpdateJob job) {
    auto handler = find(&Handlers::updates, job.request.input().name());
    if (!handler) {
        unclaimed_updates_.push_back(std::move(job));
        return;
    }
    auto context = std::make_shared<WorkContext>();
    context->update = {job.update_id, job.request.input().name()};
    const std::string name = "update \"" + context->update.name + "\" (" + job.update_id + ")";
    const Unfinished unfinished = handler->unfinished;
    auto update = std::make_shared<const Update>(Update{std::move(job), std::move(handler)});
    begin({name, unfinished, carry_out(update), update}, std::move(context));
}

// Validation and the first part of the handler follow each other without a gap, so a validator sees
// what the handlers before it have done.
task<void> Messages::carry_out(std::shared_ptr<const Update> update) {
    auto work = accept(*update);
    if (!work) co_return;
    temporal::api::update::v1::Outcome outcome;
    try {
        std::optional<Payload> result = co_await *work;
        outcome.mutable_success();
        if (result) *outcome.mutable_success()->add_payloads() = std::move(*result);
    } catch (const FailureError& error) {
        *outcome.mutable_failure() = error.proto();
    }
    run_.call(core::CompleteUpdateCall{update->job.update_id, std::move(outcome)});
}

// A validator that tries to change something is a bug and fails the task; whatever else it throws
// rejects the update.
std::optional<task<std::optional<Payload>>> Messages::accept(const Update& update) {
    const auto& input = update.job.request.input();
    const Payloads arguments = sdk::to_vector(input.args());
    std::optional<task<std::optional<Payload>>> work;
    try {
        if (update.job.validate && update.handler->validate &&
            !STELE_BUG("sdk.update-not-validated")) {
            const auto guard = run_.forbid_changes();
            update.handler->validate(run_.object(), input.name(), arguments);
        }
        work = update.handler->handle(run_.object(), input.name(), arguments);
    } catch (const IllegalCallError&) {
        throw;
    } catch (const std::exception&) {
        reject(update.job.update_id, std::current_exception());
        return std::nullopt;
    }
    run_.call(core::AcceptUpdateCall{update.job.update_id});
    return work;
}

void Messages::reject(const std::string& update_id, const std::exception_ptr& reason) {
    run_.call(core::RejectUpdateCall{update_id, error_to_failure(reason)});
}

void Messages::reject_unclaimed() {
    for (const core::UpdateJob& job : std::exchange(unclaimed_updates_, {}))
        reject(job.update_id,
               std::make_exception_ptr(ApplicationError(
                   "unknown update \"" + job.request.input().name() + "\"; known updates:" +
                       list_names(names_of(set_.updates, definition_->handlers.updates)),
                   {.type = "UnknownUpdate", .non_retryable = true})));
}

Payload Messages::answer(const std::string& query, const Payloads& input) {
    if (const auto handler = find(&Handlers::queries, query))
        return handler->answer(run_.object(), query, input);
    throw IllegalCallError("unknown query \"" + query + "\"; known queries:" +
                           list_names(names_of(set_.queries, definition_->handlers.queries)));
}

void Messages::set(std::string_view name, SignalHandler handler) {
    set_.signals.set(name, std::move(handler));
    redeliver_signals();
}

void Messages::set(std::string_view name, QueryHandler handler) {
    set_.queries.set(name, std::move(handler));
}

void Messages::set(std::string_view name, UpdateHandler handler) {
    set_.updates.set(name, std::move(handler));
    redeliver_updates();
}

void Messages::set_dynamic(SignalHandler handler) {
    set_.signals.dynamic = std::make_shared<const SignalHandler>(std::move(handler));
    redeliver_signals();
}

void Messages::set_dynamic(QueryHandler handler) {
    set_.queries.dynamic = std::make_shared<const QueryHandler>(std::move(handler));
}

void Messages::set_dynamic(UpdateHandler handler) {
    set_.updates.dynamic = std::make_shared<const UpdateHandler>(std::move(handler));
    redeliver_updates();
}

// What still has no handler comes back to where it waited.
void Messages::redeliver_signals() {
    for (auto& [name, input] : std::exchange(unclaimed_signals_, {})) {
        STELE_PROBE("sdk.signal-before-its-handler");
        if (!STELE_BUG("sdk.early-signal-lost")) deliver_signal(name, std::move(input));
    }
}

void Messages::redeliver_updates() {
    for (core::UpdateJob& job : std::exchange(unclaimed_updates_, {}))
        deliver_update(std::move(job));
}

std::exception_ptr Messages::finish() {
    std::exception_ptr first;
    std::erase_if(at_work_, [&](AtWork& handler) {
        if (!handler.work.done()) return false;
        if (!first) first = handler.work.handle().promise().error;
        return true;
    });
    return first;
}

std::vector<std::string> Messages::unfinished() const {
    std::vector<std::string> names;
    for (const AtWork& handler : at_work_)
        if (handler.unfinished == Unfinished::kWarn) names.push_back(handler.name);
    return names;
}

namespace {

template <class H, class List>
void describe(const HandlersOf<H>& here, const HandlersOf<H>& type, List& list) {
    for (const std::string& name : names_of(here, type)) {
        auto& entry = *list.Add();
        entry.set_name(name);
        const auto handler = here.find(name) ? here.find(name) : type.find(name);
        entry.set_description(handler->description);
    }
    const auto& dynamic = here.dynamic ? here.dynamic : type.dynamic;
    if (dynamic) list.Add()->set_description(dynamic->description);
}

}  // namespace

Payload Messages::metadata() const {
    temporal::api::sdk::v1::WorkflowMetadata metadata;
    auto& definition = *metadata.mutable_definition();
    definition.set_type(run_.info().workflow_type);
    const Handlers& type = definition_->handlers;
    describe(set_.queries, type.queries, *definition.mutable_query_definitions());
    describe(set_.signals, type.signals, *definition.mutable_signal_definitions());
    describe(set_.updates, type.updates, *definition.mutable_update_definitions());
    metadata.set_current_details(run_.current_details());
    return encode_value(metadata);
}

}  // namespace stele::wf::detail
