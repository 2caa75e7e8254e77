#include "batch/batches.h"

#include "base/probe.h"
#include "batch/operation.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace stele::batch {
namespace {

namespace enums = api::enums::v1;
using storage::BatchRow;

bool is_open(const BatchRow& row) { return row.state() == enums::BATCH_OPERATION_STATE_RUNNING; }

std::string key_of(const BatchRow& row) {
    return store::encode(store::BatchKey{row.namespace_id(), row.job_id()});
}

absl::Status too_many() {
    api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
    detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
    return make_error(absl::StatusCode::kResourceExhausted,
                      "Max concurrent batch operations is reached", detail);
}

absl::Status already_started(const BatchRow& row) {
    api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure detail;
    detail.set_start_request_id(row.run_id());
    detail.set_run_id(row.run_id());
    const std::string which = " WorkflowId: " + row.job_id() + ", RunId: " + row.run_id() + ".";
    return make_error(absl::StatusCode::kAlreadyExists,
                      is_open(row) ? "Workflow execution is already running." + which
                                   : "Workflow execution already finished." + which +
                                         " Workflow Id reuse policy: reject duplicate workflow Id.",
                      detail);
}

absl::Status no_such_job(const std::string& job_id) {
    return not_found("workflow not found for ID: " + job_id);
}

}  // namespace

Batches::Batches(env::Env& env, store::Store& store, store::Committer& committer,
                 shard::Engine& engine, visibility::Visibility& visibility,
                 shard::NamespaceSource& namespaces, SettingsOf settings_of)
    : context_(std::make_shared<const JobContext>(
          env, env.make_executor("batches"), engine, visibility, namespaces, std::move(settings_of),
          [this](const BatchRow& row, Reply<history::None> reply) {
              save(row, std::move(reply));
          })),
      rows_(env, store, committer, store::Table::kBatch) {}

Batches::~Batches() { executor().stop(); }

absl::Status Batches::recover() {
    STELE_RETURN_IF_ERROR(rows_.load());
    executor().post([this] {
        for (const auto& [key, row] : rows_.rows(store::table_range(store::Table::kBatch))) {
            const shard::NamespacePtr space = context_->namespaces.by_id(row.namespace_id());
            if (space == nullptr || !is_open(row)) continue;
            STELE_PROBE("batch.recovered");
            if (!STELE_BUG("batch.not-recovered")) begin(row);
        }
    });
    return absl::OkStatus();
}

void Batches::begin(const BatchRow& row) {
    auto job = std::make_shared<Job>(context_, row);
    jobs_[key_of(row)] = job;
    job->run();
}

void Batches::save(const BatchRow& row, Reply<history::None> reply) {
    const bool closed = !is_open(row);
    if (closed) jobs_.erase(key_of(row));
    rows_.change(
        key_of(row),
        [row](std::optional<BatchRow>& stored) {
            // Stopped, or gone, in the meantime: that stands.
            const bool same = stored && is_open(*stored) && stored->run_id() == row.run_id();
            if (!same) return failed_precondition("the batch operation has ended");
            stored = row;
            return absl::OkStatus();
        },
        outcome_only<std::optional<BatchRow>>(std::move(reply)));
}

void Batches::start(const shard::NamespacePtr& space, Request request, Reply<history::None> reply) {
    const Settings settings = context_->settings_of(space->id);
    absl::Status status = validate(request, space->search_attributes, settings.executions);
    if (!status.ok()) return reply(std::move(status));
    executor().post(
        [this, space, request = std::move(request), reply = std::move(reply)]() mutable {
            admit(space, std::move(request), std::move(reply));
        });
}

std::int32_t Batches::open_jobs(const std::string& namespace_id) const {
    const store::KeyRange range = store::batch_range(namespace_id);
    return static_cast<std::int32_t>(
        std::distance(jobs_.lower_bound(range.begin), jobs_.lower_bound(range.end)));
}

void Batches::admit(const shard::NamespacePtr& space, Request request, Reply<history::None> reply) {
    sweep(*space);
    if (open_jobs(space->id) >= context_->settings_of(space->id).open_jobs)
        return reply(too_many());
    BatchRow row;
    row.set_namespace_id(space->id);
    row.set_job_id(request.job_id());
    row.set_run_id(env::new_uuid(context_->env.random()));
    row.set_request(request.SerializeAsString());
    row.set_state(enums::BATCH_OPERATION_STATE_RUNNING);
    *row.mutable_start_time() = to_proto(context_->env.now());
    const Key key = key_of(row);
    const auto known = jobs_.find(key);
    if (known == jobs_.end()) jobs_[key] = std::make_shared<Job>(context_, row);
    rows_.change(
        key,
        [row](std::optional<BatchRow>& stored) {
            STELE_PROBE_IF("batch.started-before", stored);
            if (stored) return already_started(*stored);
            stored = row;
            return absl::OkStatus();
        },
        [this, key, mine = known == jobs_.end(),
         reply = std::move(reply)](absl::StatusOr<std::optional<BatchRow>> saved) mutable {
            executor().post([this, key, mine, ok = saved.ok()] {
                const auto job = jobs_.find(key);
                if (!mine || job == jobs_.end()) return;
                if (ok) return std::shared_ptr<Job>(job->second)->run();
                jobs_.erase(job);
            });
            if (!saved.ok()) return reply(std::move(saved).status());
            reply(history::None());
        });
}

void Batches::stop(const std::string& namespace_id, const std::string& job_id,
                   Reply<history::None> reply) {
    executor().post([this, key = store::encode(store::BatchKey{namespace_id, job_id}),
                     reply = std::move(reply)]() mutable { end(key, std::move(reply)); });
}

void Batches::end(const Key& key, Reply<history::None> reply) {
    if (const auto job = jobs_.find(key); job != jobs_.end()) {
        job->second->stop();
        jobs_.erase(job);
    }
    const Timestamp now = context_->env.now();
    const std::string job_id = store::decode_batch_key(key)->job_id;
    rows_.change(
        key,
        [now, job_id](std::optional<BatchRow>& row) {
            if (!row) return no_such_job(job_id);
            if (!is_open(*row)) return not_found("workflow execution already completed");
            row->set_state(enums::BATCH_OPERATION_STATE_FAILED);
            *row->mutable_close_time() = to_proto(now);
            return absl::OkStatus();
        },
        outcome_only<std::optional<BatchRow>>(std::move(reply)));
}

void Batches::sweep(const shard::NamespaceView& space) {
    const Timestamp now = context_->env.now();
    for (const auto& [key, row] : rows_.rows(store::batch_range(space.id))) {
        const Timestamp expires = add_saturating(from_proto(row.close_time()), space.retention);
        if (is_open(row) || expires > now) continue;
        rows_.change(
            key,
            [run_id = row.run_id()](std::optional<BatchRow>& stored) {
                if (stored && stored->run_id() == run_id) stored.reset();
                return absl::OkStatus();
            },
            [](const auto&) {});
    }
}

absl::StatusOr<BatchRow> Batches::find(const std::string& namespace_id,
                                       const std::string& job_id) const {
    auto row = rows_.find(store::encode(store::BatchKey{namespace_id, job_id}));
    if (!row) return no_such_job(job_id);
    return *std::move(row);
}

std::vector<BatchRow> Batches::list(const std::string& namespace_id) const {
    std::vector<BatchRow> jobs;
    for (auto& [key, row] : rows_.rows(store::batch_range(namespace_id))) {
        jobs.push_back(std::move(row));
    }
    const auto order = [](const BatchRow& row) {
        const Timestamp closed = is_open(row) ? kNever : from_proto(row.close_time());
        return std::tuple(closed, from_proto(row.start_time()), row.run_id());
    };
    std::sort(jobs.begin(), jobs.end(),
              [&](const BatchRow& a, const BatchRow& b) { return order(a) > order(b); });
    return jobs;
}

}  // namespace stele::batch
