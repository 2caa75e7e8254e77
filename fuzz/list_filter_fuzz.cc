#include "visibility/attribute_names.h"
#include "visibility/filter/evaluate.h"
#include "visibility/filter/sql.h"
#include "visibility/index_schema.h"

#include "base/check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Any bytes as a list filter: it is parsed or refused, and what was parsed is printed with as many
// parameters as it has question marks, and evaluated.
namespace {

namespace enums = temporal::api::enums::v1;
using namespace stele;

const history::SearchAttributeSchema& schema() {
    static const history::SearchAttributeSchema instance = [] {
        google::protobuf::Map<std::string, std::int32_t> custom;
        custom["k"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
        custom["l"] = enums::INDEXED_VALUE_TYPE_KEYWORD_LIST;
        custom["t"] = enums::INDEXED_VALUE_TYPE_TEXT;
        custom["i"] = enums::INDEXED_VALUE_TYPE_INT;
        custom["d"] = enums::INDEXED_VALUE_TYPE_DOUBLE;
        custom["b"] = enums::INDEXED_VALUE_TYPE_BOOL;
        custom["m"] = enums::INDEXED_VALUE_TYPE_DATETIME;
        return history::SearchAttributeSchema("space", custom);
    }();
    return instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto filter = visibility::parse_run_filter(text, schema());
    if (!filter.ok()) {
        STELE_CHECK(message_of(filter.status()).starts_with("invalid query: "),
                    "an error does not say that it is about the query");
        return 0;
    }
    visibility::filter::matches(*filter, [](const visibility::filter::Attribute&) {
        return std::vector<visibility::filter::Value>();
    });
    if (!filter->where) return 0;
    const visibility::filter::Layout layout{
        visibility::column_of,
        [](const visibility::filter::Attribute&) { return std::int64_t{1}; }};
    const visibility::filter::Sql sql = visibility::filter::print(*filter->where, layout);
    STELE_CHECK(static_cast<std::size_t>(std::count(sql.text.begin(), sql.text.end(), '?')) ==
                    sql.parameters.size(),
                "not every parameter has a place");
    return 0;
}
