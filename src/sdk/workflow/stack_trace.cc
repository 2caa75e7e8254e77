#include <string_view>

#include "sdk/version.h"
#include "sdk/workflow/run_context.h"
#include "temporal/api/sdk/v1/enhanced_stack_trace.pb.h"

// What a run waits for, and where its code stands while it does.
namespace stele::wf::detail {

void RunContext::note_waiting(PendingOperation& operation) {
    operation.run_waiting_ = this;
    operation.previous_waiting_ = last_waiting_;
    (last_waiting_ != nullptr ? last_waiting_->next_waiting_ : first_waiting_) = &operation;
    last_waiting_ = &operation;
}

void RunContext::forget_waiting(PendingOperation& operation) {
    PendingOperation* const previous = operation.previous_waiting_;
    PendingOperation* const next = operation.next_waiting_;
    (previous != nullptr ? previous->next_waiting_ : first_waiting_) = next;
    (next != nullptr ? next->previous_waiting_ : last_waiting_) = previous;
    operation.run_waiting_ = nullptr;
    operation.previous_waiting_ = nullptr;
    operation.next_waiting_ = nullptr;
}

namespace {

// The SDK's own coroutines stand between those of the workflow; they tell nobody anything.
bool is_internal(const Frame& frame) {
    const std::string_view file = frame.where.file_name();
    return file.find("stele/combinators.h") != std::string_view::npos ||
           file.find("stele/detail/") != std::string_view::npos ||
           file.find("sdk/workflow/") != std::string_view::npos || frame.where.line() == 0;
}

}  // namespace

std::string RunContext::stack_trace() const {
    std::string text;
    for (const auto* waiting = first_waiting_; waiting != nullptr;
         waiting = waiting->next_waiting_) {
        if (!text.empty()) text += "\n";
        for (const Frame* frame = waiting->frame_; frame != nullptr; frame = frame->caller) {
            if (is_internal(*frame)) continue;
            text += std::string(frame->where.function_name()) + " at " + frame->where.file_name() +
                    ":" + std::to_string(frame->where.line()) + "\n";
        }
    }
    return text.empty() ? "nothing is waited for\n" : text;
}

// Sources are not sent along: they are where the program was compiled, if anywhere.
Payload RunContext::enhanced_stack_trace() const {
    temporal::api::sdk::v1::EnhancedStackTrace trace;
    trace.mutable_sdk()->set_name(sdk::kSdkName);
    trace.mutable_sdk()->set_version(sdk::kSdkVersion);
    for (const auto* waiting = first_waiting_; waiting != nullptr;
         waiting = waiting->next_waiting_) {
        auto& stack = *trace.add_stacks();
        for (const Frame* frame = waiting->frame_; frame != nullptr; frame = frame->caller) {
            if (frame->where.line() == 0) continue;
            auto& location = *stack.add_locations();
            location.set_file_path(frame->where.file_name());
            location.set_line(static_cast<std::int32_t>(frame->where.line()));
            location.set_column(static_cast<std::int32_t>(frame->where.column()));
            location.set_function_name(frame->where.function_name());
            location.set_internal_code(is_internal(*frame));
        }
    }
    return encode_value(trace);
}

}  // namespace stele::wf::detail
