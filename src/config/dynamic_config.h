#pragma once

#include "config/registry.h"
#include "env/mutex.h"

#include <absl/functional/any_invocable.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

// The settings that hold now. They come in three layers, each over the one before: a file, the
// command line, and overrides that tests put on and take back.
namespace stele::config {

/// Thread safe. A change holds, and everybody who asked has been told, when its method returns.
class DynamicConfig {
public:
    explicit DynamicConfig(Registry registry) : registry_(std::move(registry)) {}

    const Registry& registry() const { return registry_; }

    void set_file(Values values);
    void set_command_line(Values values);

    /// Puts values over all others until they are taken back under the number returned. NOT_FOUND:
    /// the key is not known. INVALID_ARGUMENT: a value does not fit it.
    absl::StatusOr<std::uint64_t> override_key(const std::string& key,
                                               std::vector<ConstrainedValue> values);
    /// False when there is no such override (any more).
    bool take_back(std::uint64_t override_number);

    /// What holds now; immutable.
    std::shared_ptr<const Values> values() const { return current_.load(); }
    /// Grows with every change, so that whoever keeps derived values knows when they are old.
    std::uint64_t version() const { return version_.load(); }

    /// `told` runs after each change, in the thread that made it. At most one; empty: none.
    void on_change(absl::AnyInvocable<void()> told);

private:
    void publish() STELE_REQUIRES(mutex_);

    Registry registry_;
    env::Mutex mutex_;
    Values file_ STELE_GUARDED_BY(mutex_);
    Values command_line_ STELE_GUARDED_BY(mutex_);
    std::map<std::uint64_t, Values> overrides_ STELE_GUARDED_BY(mutex_);
    std::uint64_t last_override_ STELE_GUARDED_BY(mutex_) = 0;
    absl::AnyInvocable<void()> told_ STELE_GUARDED_BY(mutex_);
    std::atomic<std::shared_ptr<const Values>> current_{std::make_shared<const Values>()};
    std::atomic<std::uint64_t> version_{0};
};

}  // namespace stele::config
