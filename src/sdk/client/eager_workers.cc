#include "sdk/client/eager_workers.h"

#include <utility>

#include "base/probe.h"

namespace stele::sdk {

void EagerWorkers::add(const std::string& task_queue, const std::weak_ptr<EagerWorker>& worker) {
    std::shared_ptr<const List> before = workers_.load();
    std::shared_ptr<List> after;
    do {
        after = std::make_shared<List>();
        for (const auto& known : *before)
            if (!known.second.expired()) after->push_back(known);
        after->emplace_back(task_queue, worker);
    } while (!workers_.compare_exchange_weak(before, after));
}

std::shared_ptr<EagerWorker> EagerWorkers::take_slot(const std::string& task_queue) {
    const std::shared_ptr<const List> workers = workers_.load();
    for (const auto& [queue, known] : *workers) {
        if (queue != task_queue) continue;
        auto worker = known.lock();
        if (worker && worker->take_slot()) return worker;
    }
    return nullptr;
}

EagerStart::EagerStart(std::shared_ptr<EagerWorker> worker, EagerWorker::Start& start)
    : worker_(std::move(worker)) {
    if (!worker_) return;
    start.set_request_eager_execution(true);
    worker_->describe(start);
}

EagerStart::~EagerStart() {
    if (worker_) worker_->give_back();
}

void EagerStart::receive(
    temporal::api::workflowservice::v1::StartWorkflowExecutionResponse& reply) {
    if (!worker_ || reply.eager_workflow_task().task_token().empty()) return;
    STELE_PROBE("sdk.task-with-the-start");
    auto task = std::make_shared<EagerWorker::Task>();
    task->Swap(reply.mutable_eager_workflow_task());
    std::exchange(worker_, nullptr)->run(std::move(task));
}

}  // namespace stele::sdk
