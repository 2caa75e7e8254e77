#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "sdk/metrics/instruments.h"
#include "stele/runtime.h"
#include "stele/tuner.h"

namespace stele::sdk {

/// The slots of a worker for tasks of one kind. A slot is taken first, then used by a task or given
/// back without one. Safe to use from any thread.
class Slots {
public:
    /// `meter` has the label of the kind.
    Slots(std::shared_ptr<SlotSupplier> supplier, std::shared_ptr<Runtime> runtime,
          const LabelledMeter& meter)
        : supplier_(std::move(supplier)),
          runtime_(std::move(runtime)),
          used_gauge_(meter.gauge("worker_task_slots_used")),
          available_gauge_(supplier_->limit() ? meter.gauge("worker_task_slots_available")
                                              : OptionalGauge()) {
        show(0);
    }

    bool try_take() {
        const Runtime::Time now = runtime_->now();
        int taken = taken_.load();
        do {
            if (!supplier_->allows(taken, now)) return false;
        } while (!taken_.compare_exchange_weak(taken, taken + 1));
        supplier_->on_taken(now);
        return true;
    }
    /// A slot that no task has used.
    void give_back() { --taken_; }
    void begin_task() { show(++used_); }
    void end_task() {
        show(--used_);
        ++processed_;
        --taken_;
    }

    int used() const { return used_.load(); }
    std::int64_t processed() const { return processed_.load(); }
    const SlotSupplier& supplier() const { return *supplier_; }

private:
    void show(int used) const {
        used_gauge_.set(used);
        if (const auto limit = supplier_->limit()) available_gauge_.set(*limit - used);
    }

    std::shared_ptr<SlotSupplier> supplier_;
    std::shared_ptr<Runtime> runtime_;
    std::atomic<int> taken_{0};
    std::atomic<int> used_{0};
    std::atomic<std::int64_t> processed_{0};
    OptionalGauge used_gauge_;
    OptionalGauge available_gauge_;
};

}  // namespace stele::sdk
