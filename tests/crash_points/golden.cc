#include "tests/crash_points/damage.h"
#include "tests/crash_points/steps.h"
#include "tests/crash_points/trial.h"

namespace stele::crash_points {

store::FaultDisk::Contents golden_store() {
    store::FaultDisk::Contents contents;
    const Scenario scenario{"golden", [&contents](Trial& trial) {
                                start(trial, "w", "ASA");
                                signal(trial, "w", "before");
                                await_end(trial, "w");
                                start(trial, "v", "S");
                                // What the log holds goes into a table; what follows, into the next.
                                trial.restart();
                                signal(trial, "v", "after");
                                await_end(trial, "v");
                                start(trial, "u", "S");
                                trial.run_for(std::chrono::seconds(1));
                                contents = trial.disk().contents();
                            }};
    Trial(scenario, {}).run();
    return contents;
}

}  // namespace stele::crash_points
