#include "shard/completion_pages.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <utility>

namespace stele::shard {
namespace {

using Commands = google::protobuf::RepeatedPtrField<temporal::api::command::v1::Command>;

constexpr std::int32_t kMaximumPages = 1024;

absl::Status buffer_lost(std::string message) {
    return make_error(absl::StatusCode::kAborted, std::move(message),
                      temporal::api::errordetails::v1::WorkflowTaskCompletionBufferLostFailure());
}

absl::Status validate_page(const CompletionPages::Request& request) {
    if (request.page_number() < 0) {
        return invalid_argument(
            "workflow task completion pagination page number must be non-negative");
    }
    if (request.page_number() >= kMaximumPages) {
        return invalid_argument("workflow task completion pagination supports at most " +
                                std::to_string(kMaximumPages) + " pages");
    }
    if (request.intermediate_page() && request.commands_size() == 0) {
        return invalid_argument("intermediate workflow task page must carry at least one command");
    }
    return absl::OkStatus();
}

std::size_t bytes_of(const Commands& commands) {
    std::size_t bytes = 0;
    for (const auto& command : commands) bytes += command.ByteSizeLong();
    return bytes;
}

}  // namespace

bool PageBudget::reserve(const std::string& namespace_id, std::size_t bytes,
                         const history::Limits& limits) {
    const std::size_t total = limits.completion_pages_total_bytes;
    const auto share = static_cast<std::size_t>(limits.completion_pages_share *
                                                static_cast<double>(total));
    const env::MutexLock lock(mutex_);
    std::size_t& held = by_namespace_[namespace_id];
    if (total > 0 && (total_ + bytes > total || held + bytes > share)) return false;
    total_ += bytes;
    held += bytes;
    return true;
}

void PageBudget::release(const std::string& namespace_id, std::size_t bytes) {
    const env::MutexLock lock(mutex_);
    total_ -= bytes;
    const auto held = by_namespace_.find(namespace_id);
    held->second -= bytes;
    if (held->second == 0) by_namespace_.erase(held);
}

CompletionPages::~CompletionPages() {
    while (!series_.empty()) forget(series_.begin()->first);
}

void CompletionPages::forget(RunAddress address) {
    const auto found = series_.find(address);
    if (found == series_.end()) return;
    if (found->second.bytes > 0) budget_.release(found->second.namespace_id, found->second.bytes);
    series_.erase(found);
}

void CompletionPages::changed(const LoadedRun& run) {
    const auto found = series_.find(run.address);
    if (found == series_.end()) return;
    const storage::WorkflowTask& task = run.run->header.task();
    const bool current = task.stamp() == found->second.stamp && task.started_event_id() != 0;
    if (!current) forget(run.address);
}

absl::StatusOr<CompletionPages::Kept> CompletionPages::keep(const LoadedRun& run,
                                                            const history::WorkflowTaskToken& token,
                                                            const history::Limits& limits,
                                                            Request& request) {
    if (absl::Status status = validate_page(request); !status.ok()) {
        forget(run.address);
        return status;
    }
    Series& series = series_[run.address];
    series.namespace_id = run.run->info.namespace_id();
    series.stamp = token.stamp;
    if (series.pages.contains(request.page_number())) return Kept::kYes;
    const std::size_t bytes = bytes_of(request.commands());
    const std::size_t limit = limits.completion_pages_bytes;
    if (limit > 0 && series.bytes + bytes > limit) {
        forget(run.address);
        return Kept::kTooLarge;
    }
    if (!budget_.reserve(series.namespace_id, bytes, limits)) {
        forget(run.address);
        return buffer_lost("workflow task completion buffer memory limit reached while buffering page " +
                           std::to_string(request.page_number()));
    }
    series.bytes += bytes;
    series.pages[request.page_number()].Swap(request.mutable_commands());
    return Kept::kYes;
}

absl::Status CompletionPages::merge(const LoadedRun& run, const history::WorkflowTaskToken& token,
                                    Request& request) {
    STELE_RETURN_IF_ERROR(validate_page(request));
    const auto found = series_.find(run.address);
    if (found == series_.end()) {
        return buffer_lost("workflow task completion buffer lost for scheduled event " +
                           std::to_string(token.scheduled.value()) + " attempt " +
                           std::to_string(token.attempt));
    }
    Commands merged;
    absl::Status complete;
    for (std::int32_t number = 0; number < request.page_number() && complete.ok(); ++number) {
        const auto page = found->second.pages.find(number);
        if (page == found->second.pages.end()) {
            complete = buffer_lost("workflow task completion buffer missing page " +
                                   std::to_string(number) + " of " +
                                   std::to_string(request.page_number()));
        } else {
            for (auto& command : page->second) *merged.Add() = std::move(command);
        }
    }
    forget(run.address);
    if (!complete.ok()) return complete;
    for (auto& command : *request.mutable_commands()) *merged.Add() = std::move(command);
    request.mutable_commands()->Swap(&merged);
    return absl::OkStatus();
}

}  // namespace stele::shard
