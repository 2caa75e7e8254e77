#include "batch/job.h"

#include "base/probe.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include <algorithm>
#include <utility>

namespace stele::batch {
namespace {

namespace enums = api::enums::v1;

constexpr std::int64_t kPageSize = 100;
/// Of one run, where trying again may help.
constexpr int kAttempts = 50;
constexpr Duration kBetweenAttempts = std::chrono::milliseconds(500);

std::optional<visibility::PageKey> place_in(const storage::BatchRow& row) {
    if (!row.has_list_place()) return std::nullopt;
    const storage::ListPlace& place = row.list_place();
    return visibility::PageKey{place.order_time(), place.start_time(), place.run_id()};
}

std::vector<RunRef> runs_in(const visibility::ListPage& page, const std::string& namespace_id) {
    std::vector<RunRef> runs;
    for (const std::string& bytes : page.runs) {
        api::workflow::v1::WorkflowExecutionInfo info;
        if (!info.ParseFromString(bytes)) continue;
        runs.push_back({namespace_id, info.execution().workflow_id(), info.execution().run_id()});
    }
    return runs;
}

}  // namespace

Job::Job(std::shared_ptr<const JobContext> context, storage::BatchRow row)
    : context_(std::move(context)), row_(std::move(row)) {
    request_.ParseFromString(row_.request());
    listed_ = executions_of(request_);
}

void Job::run() {
    STELE_PROBE_IF("batch.resumed", row_.counted());
    if (row_.counted()) return next_page();
    count();
}

absl::StatusOr<visibility::filter::Filter> Job::filter() const {
    return filter_of(request_, from_proto(row_.start_time()), space_->search_attributes);
}

void Job::again(void (Job::*step)()) {
    context_->executor->run_at(context_->env.now() + kBetweenAttempts,
                               [self = shared_from_this(), step] {
                                   if (!self->stopped_) ((*self).*step)();
                               });
}

void Job::count() {
    space_ = context_->namespaces.by_id(row_.namespace_id());
    if (space_ == nullptr) return close(enums::BATCH_OPERATION_STATE_FAILED);
    if (!listed_.empty()) {
        row_.set_counted(true);
        row_.set_total(static_cast<std::int64_t>(listed_.size()));
        return next_page();
    }
    auto wanted = filter();
    if (!wanted.ok()) return close(enums::BATCH_OPERATION_STATE_FAILED);
    context_->visibility.count(
        {row_.namespace_id(), *std::move(wanted)},
        then<visibility::CountResult>([this](absl::StatusOr<visibility::CountResult> counted) {
            STELE_PROBE_IF("batch.count-again", !counted.ok());
            if (!counted.ok()) return again(&Job::count);
            row_.set_counted(true);
            row_.set_total(counted->count);
            // So that its size can be seen before the first page is done.
            context_->save(row_, then<history::None>([this](const auto& saved) {
                               if (saved.ok()) next_page();
                           }));
        }));
}

void Job::next_page() {
    space_ = context_->namespaces.by_id(row_.namespace_id());
    if (space_ == nullptr) return close(enums::BATCH_OPERATION_STATE_FAILED);
    if (listed_.empty()) return list_page();
    const auto total = static_cast<std::int64_t>(listed_.size());
    const std::int64_t end = std::min(row_.next_execution() + kPageSize, total);
    std::vector<RunRef> runs;
    for (std::int64_t i = row_.next_execution(); i < end; ++i) {
        const auto& execution = listed_[static_cast<std::size_t>(i)];
        runs.push_back({row_.namespace_id(), execution.business_id(), execution.run_id()});
    }
    take_page(std::move(runs));
}

void Job::list_page() {
    auto wanted = filter();
    if (!wanted.ok()) return close(enums::BATCH_OPERATION_STATE_FAILED);
    visibility::ListQuery query;
    query.namespace_id = row_.namespace_id();
    query.filter = *std::move(wanted);
    query.page_size = STELE_FAULT("batch.small-page") ? 1 : kPageSize;
    query.after = place_in(row_);
    context_->visibility.list(
        std::move(query),
        then<visibility::ListPage>([this](absl::StatusOr<visibility::ListPage> page) {
            STELE_PROBE_IF("batch.list-again", !page.ok());
            if (!page.ok()) return again(&Job::list_page);
            page_end_ = page->next;
            take_page(runs_in(*page, row_.namespace_id()));
        }));
}

void Job::take_page(std::vector<RunRef> runs) {
    if (runs.empty()) return close(enums::BATCH_OPERATION_STATE_COMPLETED);
    page_succeeded_ = 0;
    page_failed_ = 0;
    for (RunRef& run : runs) waiting_.push_back({std::move(run)});
    pump();
}

void Job::pump() {
    const Settings settings = context_->settings_of(row_.namespace_id());
    double rate = std::max(settings.runs_per_second, 1);
    if (request_.max_operations_per_second() > 0) {
        rate = std::min<double>(rate, request_.max_operations_per_second());
    }
    const auto interval =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate));
    while (!waiting_.empty() && under_way_ < std::max(settings.concurrency, 1)) {
        const Timestamp now = context_->env.now();
        if (now < next_start_) {
            if (std::exchange(pump_scheduled_, true)) return;
            context_->executor->run_at(next_start_, [self = shared_from_this()] {
                self->pump_scheduled_ = false;
                if (!self->stopped_) self->pump();
            });
            return;
        }
        next_start_ = now + interval;
        if (STELE_FAULT("batch.slow")) next_start_ += std::chrono::seconds(1);
        Item item = std::move(waiting_.front());
        waiting_.pop_front();
        launch(std::move(item));
    }
}

void Job::launch(Item item) {
    ++under_way_;
    ++item.attempts;
    const RunRef run = item.run;
    operate(context_->engine, space_, request_, row_.run_id(), run, context_->env.now(),
            then<history::None>([this, item](const absl::StatusOr<history::None>& outcome) {
                done(item,
                     STELE_FAULT("batch.answer-lost") ? unavailable("lost") : outcome.status());
            }));
}

void Job::done(Item item, const absl::Status& outcome) {
    --under_way_;
    // A run that has closed or gone needs nothing done to it.
    if (outcome.ok() || outcome.code() == absl::StatusCode::kNotFound) {
        ++page_succeeded_;
    } else if (may_pass(outcome) && item.attempts < kAttempts) {
        STELE_PROBE("batch.run-again");
        waiting_.push_back(std::move(item));
        next_start_ = std::max(next_start_, context_->env.now() + kBetweenAttempts);
    } else {
        STELE_PROBE("batch.run-failed");
        ++page_failed_;
    }
    if (waiting_.empty() && under_way_ == 0) return save_page();
    pump();
}

void Job::save_page() {
    row_.set_succeeded(row_.succeeded() + page_succeeded_);
    row_.set_failed(row_.failed() + page_failed_);
    const bool is_last = listed_.empty() ? !page_end_.has_value()
                                         : row_.next_execution() + kPageSize >=
                                               static_cast<std::int64_t>(listed_.size());
    if (is_last) return close(enums::BATCH_OPERATION_STATE_COMPLETED);
    STELE_PROBE("batch.next-page");
    if (listed_.empty()) {
        storage::ListPlace& place = *row_.mutable_list_place();
        place.set_order_time(page_end_->order_time);
        place.set_start_time(page_end_->start_time);
        place.set_run_id(page_end_->run_id);
    } else {
        row_.set_next_execution(row_.next_execution() + kPageSize);
    }
    context_->save(row_, then<history::None>([this](const auto& saved) {
                       if (saved.ok()) next_page();
                   }));
}

void Job::close(enums::BatchOperationState state) {
    row_.set_state(state);
    *row_.mutable_close_time() = to_proto(context_->env.now());
    if (state == enums::BATCH_OPERATION_STATE_COMPLETED) {
        row_.set_total(row_.succeeded() + row_.failed());
    }
    context_->save(row_, [](const auto&) {});
}

}  // namespace stele::batch
