#include "visibility/order_range.h"

#include "visibility/filter/evaluate.h"
#include "visibility/run_info.h"

#include <algorithm>
#include <vector>

namespace stele::visibility {
namespace {

namespace enums = temporal::api::enums::v1;
using filter::Condition;
using filter::Operator;
using filter::Value;

constexpr std::int64_t kBeginning = std::numeric_limits<std::int64_t>::min();
constexpr OrderRange kNothing{kEndOfTime, kBeginning};
constexpr OrderRange kOpen{kEndOfTime, kEndOfTime};
constexpr OrderRange kClosed{kBeginning, kEndOfTime - 1};

OrderRange both(const OrderRange& a, const OrderRange& b) {
    return {std::max(a.first, b.first), std::min(a.last, b.last)};
}

/// The smallest range around both.
OrderRange either(const OrderRange& a, const OrderRange& b) {
    if (a.first > a.last) return b;
    if (b.first > b.last) return a;
    return {std::min(a.first, b.first), std::max(a.last, b.last)};
}

OrderRange of_status(const filter::Node& where) {
    const filter::Filter wanted{.where = where, .group_by = std::nullopt, .order_by = {}};
    OrderRange range = kNothing;
    for (int status = enums::WorkflowExecutionStatus_MIN;
         status <= enums::WorkflowExecutionStatus_MAX; ++status) {
        const auto record = [status](const filter::Attribute&) {
            return std::vector<Value>{std::int64_t{status}};
        };
        if (!enums::WorkflowExecutionStatus_IsValid(status) || !filter::matches(wanted, record))
            continue;
        const bool open = is_open_status(static_cast<enums::WorkflowExecutionStatus>(status));
        range = either(range, open ? kOpen : kClosed);
    }
    return range;
}

/// Of a comparison with the time of the close, which an open run does not have.
OrderRange of_close(const Condition& condition) {
    if (condition.op == Operator::kIsNull) return kOpen;
    OrderRange named = kNothing;
    for (const Value& value : condition.values) {
        const Timestamp* time = std::get_if<Timestamp>(&value);
        if (time == nullptr) return kClosed;
        const std::int64_t place = time->time_since_epoch().count();
        named = either(named, {place, place});
    }
    switch (condition.op) {
        case Operator::kEqual:
        case Operator::kIn:
        case Operator::kBetween: return both(kClosed, named);
        case Operator::kLess:
        case Operator::kLessEqual: return both(kClosed, {kBeginning, named.last});
        case Operator::kGreater:
        case Operator::kGreaterEqual: return both(kClosed, {named.first, kEndOfTime});
        default: return kClosed;
    }
}

}  // namespace

OrderRange order_range(const filter::Node& where) {
    OrderRange range;
    switch (where.kind) {
        case filter::Node::Kind::kAnd:
            for (const filter::Node& part : where.children) range = both(range, order_range(part));
            return range;
        case filter::Node::Kind::kOr:
            range = kNothing;
            for (const filter::Node& part : where.children)
                range = either(range, order_range(part));
            return range;
        case filter::Node::Kind::kCondition:
            if (where.condition.attribute.name == "ExecutionStatus") return of_status(where);
            if (where.condition.attribute.name == "CloseTime") return of_close(where.condition);
            return range;
    }
    return range;
}

}  // namespace stele::visibility
