#include "sdk/worker/eager_activities.h"

#include "base/probe.h"

namespace stele::sdk {

namespace {

// So that one workflow cannot take all slots past those who wait in the queue.
constexpr int kTakenByOneTaskMax = 3;

}  // namespace

int EagerActivities::request(Completion& completion) const {
    int taken = 0;
    for (auto& command : *completion.mutable_commands()) {
        if (!command.has_schedule_activity_task_command_attributes()) continue;
        auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
        if (attributes.task_queue().name() != task_queue_) continue;
        if (taken == kTakenByOneTaskMax || !slots_->try_take()) break;
        attributes.set_request_eager_execution(true);
        ++taken;
    }
    return taken;
}

void EagerActivities::receive(int taken, Answer* answer) const {
    if (answer != nullptr) {
        for (auto& task : *answer->mutable_activity_tasks()) {
            STELE_PROBE("sdk.activity-with-the-answer");
            auto own = std::make_shared<Task>();
            own->Swap(&task);
            --taken;
            slots_->begin_task();
            run_(std::move(own));
        }
    }
    if (taken <= 0) return;
    for (; taken > 0; --taken) slots_->give_back();
    freed_();
}

}  // namespace stele::sdk
