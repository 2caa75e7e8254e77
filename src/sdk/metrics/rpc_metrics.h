#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "sdk/metrics/instruments.h"
#include "stele/transport.h"

namespace stele::sdk {

/// What is measured of calls to the server, each attempt for itself. Not thread safe.
class RpcMetrics {
public:
    RpcMetrics(const std::shared_ptr<Meter>& meter, const std::string& namespace_name);

    /// An attempt of a call has ended; `long_poll`: it was one that waits on the server.
    void record(std::string_view operation, bool long_poll, const Transport::Status& status,
                std::chrono::nanoseconds duration);

private:
    struct Operation {
        explicit Operation(const LabelledMeter& meter);
        struct Calls {
            OptionalCounter all;
            OptionalHistogram latency;
            LabelledMeter failures;
        };
        Calls quick;
        Calls waiting;
    };

    bool measures_;
    InstrumentsBy<Operation> operations_;
};

}  // namespace stele::sdk
