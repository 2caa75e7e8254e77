#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "stele/tuner.h"

// What the kernel tells of memory and processor time, in files.
namespace stele {

namespace {

std::optional<double> read_number(const std::string& path) {
    std::ifstream file(path);
    double value = 0;
    if (!(file >> value)) return std::nullopt;
    return value;
}

/// The number behind a key at the beginning of a line, such as "MemTotal:".
std::optional<double> read_field(const std::string& path, const std::string& key) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string name;
        double value = 0;
        if (words >> name >> value && name == key) return value;
    }
    return std::nullopt;
}

double share(double part, double whole) {
    return whole <= 0 ? 0 : std::clamp(part / whole, 0.0, 1.0);
}

/// Processor seconds that were used up to a moment, both counted from some point in the past, and how
/// many processors there were to use.
struct CpuReading {
    double moment = 0;
    double used = 0;
    double processors = 1;
};

class SystemResources {
public:
    explicit SystemResources(std::string root) : root_(std::move(root)) {
        if (!root_.empty() && root_.back() == '/') root_.pop_back();
        groups_ = find_groups();
    }

    ResourceUse read() {
        ResourceUse use;
        use.memory = group_memory().value_or(machine_memory());
        if (const auto reading = read_cpu()) {
            if (last_ && reading->moment > last_->moment)
                cpu_ = share(reading->used - last_->used,
                             (reading->moment - last_->moment) * reading->processors);
            last_ = reading;
        }
        use.cpu = cpu_;
        return use;
    }

private:
    /// Where this process's group may be: by its path, as seen from outside of a container, and at the
    /// top, as seen from inside.
    std::vector<std::string> find_groups() const {
        std::vector<std::string> groups;
        std::ifstream file(root_ + "/proc/self/cgroup");
        std::string line;
        while (std::getline(file, line))
            if (line.starts_with("0::")) groups.push_back("/sys/fs/cgroup" + line.substr(3));
        groups.emplace_back("/sys/fs/cgroup");
        for (std::string& group : groups) group = root_ + group;
        return groups;
    }

    std::optional<double> group_memory() const {
        for (const std::string& group : groups_) {
            const auto limit = read_number(group + "/memory.max");
            const auto current = read_number(group + "/memory.current");
            if (!limit || !current) continue;  // "max" is no number
            // Pages that the kernel may drop at any time are not needed.
            const auto cached = read_field(group + "/memory.stat", "inactive_file").value_or(0);
            return share(*current - cached, *limit);
        }
        const std::string first_version = root_ + "/sys/fs/cgroup/memory/memory.";
        const auto limit = read_number(first_version + "limit_in_bytes");
        const auto current = read_number(first_version + "usage_in_bytes");
        const double machine = 1024 * read_field(root_ + "/proc/meminfo", "MemTotal:").value_or(0);
        // Without a limit there is a number beyond all memory.
        if (!limit || !current || (machine > 0 && *limit > machine)) return std::nullopt;
        const auto cached = read_field(first_version + "stat", "total_inactive_file").value_or(0);
        return share(*current - cached, *limit);
    }

    double machine_memory() const {
        const std::string path = root_ + "/proc/meminfo";
        const auto total = read_field(path, "MemTotal:");
        const auto available = read_field(path, "MemAvailable:");
        return total && available ? share(*total - *available, *total) : 0;
    }

    std::optional<CpuReading> read_cpu() const {
        const auto moment = read_number(root_ + "/proc/uptime");
        if (!moment) return std::nullopt;
        if (auto reading = group_cpu()) {
            reading->moment = *moment;
            return reading;
        }
        auto reading = machine_cpu();
        if (reading) reading->moment = *moment;
        return reading;
    }

    std::optional<CpuReading> group_cpu() const {
        for (const std::string& group : groups_) {
            std::ifstream file(group + "/cpu.max");
            double quota = 0;
            double period = 0;
            const auto used = read_field(group + "/cpu.stat", "usage_usec");
            if (!(file >> quota >> period) || period <= 0 || !used) continue;
            return CpuReading{.used = *used * 1e-6, .processors = quota / period};
        }
        const std::string first_version = root_ + "/sys/fs/cgroup/cpu/";
        const auto quota = read_number(first_version + "cpu.cfs_quota_us");
        const auto period = read_number(first_version + "cpu.cfs_period_us");
        const auto used = read_number(root_ + "/sys/fs/cgroup/cpuacct/cpuacct.usage");
        if (!quota || !period || !used || *quota <= 0 || *period <= 0) return std::nullopt;
        return CpuReading{.used = *used * 1e-9, .processors = *quota / *period};
    }

    // The first line of the file sums up all processors: user, nice, system, idle, waiting for I/O,
    // interrupts, in ticks.
    std::optional<CpuReading> machine_cpu() const {
        std::ifstream file(root_ + "/proc/stat");
        std::string name;
        std::vector<double> ticks(8);
        if (!(file >> name) || name != "cpu") return std::nullopt;
        for (double& tick : ticks) file >> tick;
        int processors = 0;
        while (file >> name)
            if (name.starts_with("cpu")) ++processors;
        double used = 0;
        for (const std::size_t field : {0, 1, 2, 5, 6, 7}) used += ticks[field];
        return CpuReading{.used = used / static_cast<double>(sysconf(_SC_CLK_TCK)),
                          .processors = static_cast<double>(std::max(processors, 1))};
    }

    std::string root_;
    std::vector<std::string> groups_;
    std::optional<CpuReading> last_;
    double cpu_ = 0;
};

}  // namespace

ResourceReader read_system_resources(const std::string& root) {
    return [resources = std::make_shared<SystemResources>(root)] { return resources->read(); };
}

}  // namespace stele
