#include "fuzz/target.h"

#include "cli/text.h"
#include "config/value.h"
#include "history/search_attributes.h"

#include <algorithm>

// Any bytes as a duration of the command line and of a setting, and as a time. What is taken has a
// sensible value; what is refused is named.
namespace {

using namespace stele;

void check_command_line(const std::string& text) {
    const auto parsed = cli::parse_duration(text);
    if (!parsed.ok()) {
        STELE_CHECK(message_of(parsed.status()).find(text) != std::string::npos,
                    "the error does not show the text");
        return;
    }
    // Printed to the millisecond, and read again.
    if (*parsed < Duration::zero() || *parsed > std::chrono::hours(24 * 365 * 10)) return;
    const auto again = cli::parse_duration(cli::duration_text(*parsed));
    STELE_CHECK(again.ok(), "what was printed can not be read: " + cli::duration_text(*parsed));
    const Duration difference = *again > *parsed ? *again - *parsed : *parsed - *again;
    STELE_CHECK(difference <= std::chrono::milliseconds(1), "another duration was printed");
}

void check_setting(const std::string& text) {
    constexpr Duration kMark = std::chrono::nanoseconds(7);
    Duration duration = kMark;
    const absl::Status status = config::convert(config::Value(text), duration);
    if (status.ok()) return;
    STELE_CHECK(duration == kMark, "a refused value left something behind");
    STELE_CHECK(message_of(status).find("is not a duration") != std::string::npos,
                "the error does not say what is wanted");
}

}  // namespace

STELE_FUZZ_TARGET(durations) {
    const std::string text(input);
    check_command_line(text);
    check_setting(text);
    if (const auto time = history::parse_time(text)) {
        const auto again = history::parse_time(cli::iso_time(*time));
        STELE_CHECK(again && *again == *time,
                    "a time is printed as another: " + cli::iso_time(*time));
    }
}
