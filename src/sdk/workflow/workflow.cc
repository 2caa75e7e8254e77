#include "stele/messages.h"

#include <utility>

#include "sdk/data/convert.h"
#include "sdk/workflow/run_context.h"
#include "temporal/api/enums/v1/command_type.pb.h"

namespace stele::wf {

using detail::RunContext;

const Info& info() { return RunContext::current().info(); }

Time now() { return RunContext::current().now(); }

bool is_replaying() { return RunContext::current().replaying(); }

bool cancel_requested() { return RunContext::current().root_scope().cancelled(); }

std::uint64_t random() {
    RunContext& run = RunContext::current();
    run.require_writable();
    return run.random().next();
}

std::int64_t random_between(std::int64_t low, std::int64_t high) {
    if (low > high) throw IllegalCallError("random_between: low is above high");
    RunContext& run = RunContext::current();
    run.require_writable();
    const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    const std::uint64_t offset =
        span == UINT64_MAX ? run.random().next() : run.random().below(span + 1);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
}

double random_unit() {
    RunContext& run = RunContext::current();
    run.require_writable();
    return run.random().unit();
}

std::string uuid() {
    constexpr char kDigits[] = "0123456789abcdef";
    std::uint64_t words[2] = {random(), random()};
    words[0] = (words[0] & ~0xf000ull) | 0x4000ull;
    words[1] = (words[1] & ~(0xc000ull << 48)) | (0x8000ull << 48);
    std::string text;
    for (int i = 0; i < 32; ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
        text += kDigits[(words[i / 16] >> (60 - 4 * (i % 16))) & 0xf];
    }
    return text;
}

bool patched(std::string_view id) { return RunContext::current().patched(id, false); }

void deprecate_patch(std::string_view id) { RunContext::current().patched(id, true); }

void log(LogLevel level, std::string_view message) { RunContext::current().log(level, message); }

void set_current_details(std::string text) {
    RunContext& run = RunContext::current();
    run.require_writable();
    run.set_current_details(std::move(text));
}

std::shared_ptr<const FailureError> last_failure() { return RunContext::current().last_failure(); }

bool all_handlers_finished() { return RunContext::current().messages().all_finished(); }

const UpdateInfo* current_update() {
    const auto& work = RunContext::current().work();
    return work ? &work->update : nullptr;
}

namespace detail {

std::optional<Payload> last_result_payload() { return RunContext::current().last_result(); }

void make_ready(std::coroutine_handle<> waiter) {
    if (RunContext* run = RunContext::current_or_null()) run->make_ready(waiter, run->work());
}

namespace {

Messages& writable_messages() {
    RunContext& run = RunContext::current();
    run.require_writable();
    return run.messages();
}

}  // namespace

void set_signal_handler(std::string_view name, SignalHandler handler) {
    writable_messages().set(name, std::move(handler));
}

void set_query_handler(std::string_view name, QueryHandler handler) {
    writable_messages().set(name, std::move(handler));
}

void set_update_handler(std::string_view name, UpdateHandler handler) {
    writable_messages().set(name, std::move(handler));
}

void set_dynamic_signal_handler(SignalHandler handler) {
    writable_messages().set_dynamic(std::move(handler));
}

void set_dynamic_query_handler(QueryHandler handler) {
    writable_messages().set_dynamic(std::move(handler));
}

void set_dynamic_update_handler(UpdateHandler handler) {
    writable_messages().set_dynamic(std::move(handler));
}

void issue_upsert_search_attributes(std::vector<std::pair<std::string, Payload>> attributes) {
    RunContext& run = RunContext::current();
    run.require_writable();
    core::Command command;
    command.set_command_type(
        temporal::api::enums::v1::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
    auto& fields = *command.mutable_upsert_workflow_search_attributes_command_attributes()
                        ->mutable_search_attributes()
                        ->mutable_indexed_fields();
    for (auto& [name, value] : attributes) fields[name] = std::move(value);
    run.upsert_search_attributes(
        command.upsert_workflow_search_attributes_command_attributes().search_attributes());
    run.call(core::UpsertCall{std::move(command)});
}

void issue_upsert_memo(std::vector<std::pair<std::string, Payload>> memo) {
    RunContext& run = RunContext::current();
    run.require_writable();
    core::Command command;
    command.set_command_type(temporal::api::enums::v1::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES);
    auto& fields = *command.mutable_modify_workflow_properties_command_attributes()
                        ->mutable_upserted_memo()
                        ->mutable_fields();
    for (auto& [name, value] : memo) fields[name] = std::move(value);
    run.upsert_memo(command.modify_workflow_properties_command_attributes().upserted_memo());
    run.call(core::UpsertCall{std::move(command)});
}

void issue_continue_as_new(std::string_view type, Payloads input,
                           const ContinueAsNewOptions& options) {
    RunContext& run = RunContext::current();
    run.require_writable();
    core::Command command;
    command.set_command_type(
        temporal::api::enums::v1::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_continue_as_new_workflow_execution_command_attributes();
    attributes.mutable_workflow_type()->set_name(std::string(type));
    attributes.mutable_task_queue()->set_name(
        options.task_queue.empty() ? run.info().task_queue : std::string(options.task_queue));
    *attributes.mutable_input() = sdk::to_message(std::move(input));
    *attributes.mutable_workflow_run_timeout() = sdk::to_duration(
        options.run_timeout.count() > 0 ? options.run_timeout : run.info().run_timeout);
    *attributes.mutable_workflow_task_timeout() = sdk::to_duration(
        options.task_timeout.count() > 0 ? options.task_timeout : run.info().task_timeout);
    if (options.retry) *attributes.mutable_retry_policy() = sdk::to_message(*options.retry);
    for (const auto& [name, value] : options.memo)
        (*attributes.mutable_memo()->mutable_fields())[name] = value;
    for (const auto& [name, value] : options.search_attributes)
        (*attributes.mutable_search_attributes()->mutable_indexed_fields())[name] = value;
    attributes.set_initial_versioning_behavior(
        static_cast<temporal::api::enums::v1::ContinueAsNewVersioningBehavior>(
            static_cast<int>(options.versioning)));
    run.intercept_call(
        {InterceptedCall::Kind::kWorkflow, std::string(type), run.info().workflow_id},
        [&] { return attributes.mutable_header(); });
    run.end(std::move(command));
}

}  // namespace detail

}  // namespace stele::wf
