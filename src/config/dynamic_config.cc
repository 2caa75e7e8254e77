#include "config/dynamic_config.h"

#include <fmt/format.h>

#include <utility>

namespace stele::config {

void DynamicConfig::set_file(Values values) {
    const env::MutexLock lock(mutex_);
    file_ = std::move(values);
    publish();
}

void DynamicConfig::set_command_line(Values values) {
    const env::MutexLock lock(mutex_);
    command_line_ = std::move(values);
    publish();
}

absl::StatusOr<std::uint64_t> DynamicConfig::override_key(const std::string& key,
                                                          std::vector<ConstrainedValue> values) {
    if (!registry_.knows(key)) {
        return not_found(fmt::format("{} is not a setting of this server", key));
    }
    for (const ConstrainedValue& value : values) {
        if (absl::Status status = registry_.check_value(key, value.value); !status.ok()) {
            return invalid_argument(fmt::format("{}: {}", key, message_of(status)));
        }
    }
    const env::MutexLock lock(mutex_);
    const std::uint64_t number = ++last_override_;
    overrides_[number].add(key, std::move(values));
    publish();
    return number;
}

bool DynamicConfig::take_back(std::uint64_t override_number) {
    const env::MutexLock lock(mutex_);
    if (overrides_.erase(override_number) == 0) return false;
    publish();
    return true;
}

void DynamicConfig::on_change(absl::AnyInvocable<void()> told) {
    const env::MutexLock lock(mutex_);
    told_ = std::move(told);
}

void DynamicConfig::publish() {
    Values all = file_;
    all.add(command_line_);
    for (const auto& [number, values] : overrides_) all.add(values);
    current_.store(std::make_shared<const Values>(std::move(all)));
    ++version_;
    if (told_) told_();
}

}  // namespace stele::config
