#include "fuzz/target.h"

#include "sdk/replay/golden_testing.h"

// Any bytes as the history of one of the recorded workflows: it replays, or the same words say twice
// why it does not.
STELE_FUZZ_TARGET(replay) {
    static stele::Replayer& replayer = *[] {
        auto* made = new stele::Replayer();
        stele::golden::register_recorded(*made);
        return made;
    }();
    const std::string bytes(input);
    const auto result = replayer.replay_binary(bytes);
    STELE_CHECK(result.ok == result.error.empty(), "refused without a word");
    STELE_CHECK(replayer.replay_binary(bytes).error == result.error, "decided in two ways");
}
