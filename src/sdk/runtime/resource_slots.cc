#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "stele/errors.h"
#include "stele/tuner.h"

namespace stele {

namespace {

class FixedSlots final : public SlotSupplier {
public:
    explicit FixedSlots(int slots) : slots_(slots) {}
    bool allows(int taken, Runtime::Time) override { return taken < slots_; }
    std::optional<int> limit() const override { return slots_; }
    std::string kind() const override { return "Fixed"; }

private:
    int slots_;
};

/// How much room one resource leaves: what is left up to the target, less than that while it is
/// being used up. A controller with a proportional and a differential part; an integral part would
/// hold against a worker that it was idle.
class Headroom {
public:
    Headroom(double target, double enough) : target_(target), enough_(enough) {}

    void update(double use) {
        const double change = known_ ? use - use_ : 0;
        known_ = true;
        use_ = use;
        left_ = kProportional * (target_ - use) - kDifferential * change;
    }
    bool enough() const { return left_ > enough_; }

private:
    static constexpr double kProportional = 5;
    static constexpr double kDifferential = 1;

    double target_;
    double enough_;
    double use_ = 0;
    double left_ = 0;
    bool known_ = false;
};

/// What all suppliers of a tuner share: one view of the machine.
class Resources {
public:
    Resources(const ResourceTargets& targets, ResourceReader reader)
        : memory_(targets.memory, kMemoryEnough),
          cpu_(targets.cpu, kCpuEnough),
          reader_(std::move(reader)) {}

    bool have_room(Runtime::Time now) {
        const std::lock_guard lock(mutex_);
        if (!read_at_ || now - *read_at_ >= kReadInterval || now < *read_at_) {
            const ResourceUse use = reader_();
            memory_.update(use.memory);
            cpu_.update(use.cpu);
            read_at_ = now;
        }
        return memory_.enough() && cpu_.enough();
    }

private:
    // Memory does not come back by waiting, so it is kept further from its target.
    static constexpr double kMemoryEnough = 0.25;
    static constexpr double kCpuEnough = 0.05;
    static constexpr Milliseconds kReadInterval{100};

    std::mutex mutex_;
    Headroom memory_;
    Headroom cpu_;
    ResourceReader reader_;
    std::optional<Runtime::Time> read_at_;
};

class SlotsByResources final : public SlotSupplier {
public:
    SlotsByResources(std::shared_ptr<Resources> resources, const ResourceSlots& options)
        : resources_(std::move(resources)), options_(options) {}

    bool allows(int taken, Runtime::Time now) override {
        if (taken < options_.slots_min) return true;
        if (taken >= options_.slots_max || ramping(now)) return false;
        return resources_->have_room(now);
    }
    void on_taken(Runtime::Time now) override {
        const std::lock_guard lock(mutex_);
        last_taken_ = now;
    }
    std::string kind() const override { return "ResourceBased"; }
    Milliseconds ask_again_after() const override {
        return std::max(options_.ramp_throttle, kPatience);
    }

private:
    static constexpr Milliseconds kPatience{100};

    bool ramping(Runtime::Time now) {
        const std::lock_guard lock(mutex_);
        return last_taken_ && now >= *last_taken_ && now - *last_taken_ < options_.ramp_throttle;
    }

    std::shared_ptr<Resources> resources_;
    ResourceSlots options_;
    std::mutex mutex_;
    std::optional<Runtime::Time> last_taken_;
};

void check_share(const char* name, double share) {
    if (!(share > 0 && share <= 1))
        throw ConfigurationError(std::string("the target of ") + name +
                                 " must be above 0 and at most 1");
}

void check_slots(const char* name, const ResourceSlots& slots) {
    if (slots.slots_min < 1 || slots.slots_max < slots.slots_min)
        throw ConfigurationError(std::string("the slots for ") + name +
                                 " must be at least one, and not fewer at most than at least");
}

}  // namespace

std::shared_ptr<SlotSupplier> make_fixed_slots(int slots) {
    if (slots < 1) throw ConfigurationError("a worker needs a slot for each kind of task");
    return std::make_shared<FixedSlots>(slots);
}

Tuner make_resource_tuner(const ResourceTargets& targets, const ResourceTunerOptions& options) {
    check_share("memory", targets.memory);
    check_share("cpu", targets.cpu);
    check_slots("workflow tasks", options.workflow_tasks);
    check_slots("activities", options.activities);
    auto resources = std::make_shared<Resources>(
        targets, options.reader ? options.reader : read_system_resources());
    return {std::make_shared<SlotsByResources>(resources, options.workflow_tasks),
            std::make_shared<SlotsByResources>(resources, options.activities)};
}

}  // namespace stele
