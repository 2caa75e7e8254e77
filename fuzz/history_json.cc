#include "fuzz/target.h"

#include "sdk/replay/history_json.h"
#include "stele/errors.h"

// Any bytes as an exported history: it is read, or DataConversionError says why not.
STELE_FUZZ_TARGET(history_json) {
    try {
        const auto history = stele::sdk::read_history_json(std::string(input));
        STELE_CHECK(history.IsInitialized(), "half a history");
    } catch (const stele::DataConversionError& error) {
        STELE_CHECK(std::string_view(error.what()).find("not a history") != std::string_view::npos,
                    "the error does not say that it is about a history");
    }
}
