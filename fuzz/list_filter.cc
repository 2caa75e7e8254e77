#include "fuzz/target.h"

#include "visibility/attribute_names.h"
#include "visibility/filter/evaluate.h"
#include "visibility/filter/sql.h"
#include "visibility/index_schema.h"

#include <algorithm>

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

STELE_FUZZ_TARGET(list_filter) {
    const auto filter = visibility::parse_run_filter(input, schema());
    if (!filter.ok()) {
        STELE_CHECK(message_of(filter.status()).starts_with("invalid query: "),
                    "an error does not say that it is about the query");
        return;
    }
    visibility::filter::matches(*filter, [](const visibility::filter::Attribute&) {
        return std::vector<visibility::filter::Value>();
    });
    if (!filter->where) return;
    const visibility::filter::Layout layout{
        visibility::column_of,
        [](const visibility::filter::Attribute&) { return std::int64_t{1}; }};
    const visibility::filter::Sql sql = visibility::filter::print(*filter->where, layout);
    STELE_CHECK(static_cast<std::size_t>(std::count(sql.text.begin(), sql.text.end(), '?')) ==
                    sql.parameters.size(),
                "not every parameter has a place");
}
