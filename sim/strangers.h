#pragma once

#include "sim/network.h"
#include "sim/options.h"

#include <string>
#include <vector>

// Clients who know how workflows call their children: they end children whose parents wait for them,
// and start workflows of their own under such an id before a parent does.
namespace stele::sim {

/// What the runs that strangers end have as their reason.
inline constexpr char kByStranger[] = "ended by a stranger";

/// Not thread safe.
class Strangers {
public:
    explicit Strangers(Network& network) : network_(network) {}

    void start(const std::vector<std::string>& workflow_ids, int faulty_seconds);

private:
    /// Tries until it has ended one, or has tried so often.
    void end_child(const std::string& workflow_id, int tries);
    void take_id(const std::string& workflow_id);

    Network& network_;
};

}  // namespace stele::sim
