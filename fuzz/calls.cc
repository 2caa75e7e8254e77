#include "fuzz/target.h"
#include "fuzz/world.h"

#include <optional>

// Calls of any methods with any bytes, one after the other. Each is answered, no answer shows another
// namespace, none says that something broke inside, and afterwards the store keeps its invariants.

// Each call: the name of its method on a line, then a block with its request.
STELE_FUZZ_TARGET(calls) {
    constexpr int kCallsMax = 8;
    stele::fuzz::World world;
    world.must_not_see_other = input.find("other") == std::string_view::npos &&
                               input.find(stele::fuzz::World::kCanary) == std::string_view::npos;
    stele::fuzz::Pieces pieces(input);
    for (int i = 0; i < kCallsMax && !pieces.empty(); ++i) {
        const std::string_view method = pieces.line();
        world.call_raw(method, pieces.block());
    }
    world.settle();
}
