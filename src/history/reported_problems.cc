#include "history/attributes.h"
#include "history/families.h"

#include <utility>

// TemporalReportedProblems, the search attribute by which lists find runs whose workers fail.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

constexpr char kReportedProblems[] = "TemporalReportedProblems";

std::vector<std::string> last_problem(const storage::HeaderRow& header) {
    if (header.last_task_timeout() != enums::TIMEOUT_TYPE_UNSPECIFIED) {
        return {"category=WorkflowTaskTimedOut",
                "cause=WorkflowTaskTimedOutCause" + timeout_name(header.last_task_timeout())};
    }
    return {"category=WorkflowTaskFailed",
            "cause=WorkflowTaskFailedCause" + failed_cause_name(header.last_task_failed_cause())};
}

PayloadMap& editable_fields(Builder& builder) {
    return *editable_attributes(builder.draft())
                .mutable_search_attributes()
                ->mutable_indexed_fields();
}

}  // namespace

void report_task_problems(Builder& builder) {
    const storage::HeaderRow& header = builder.header();
    const auto limit = static_cast<std::int32_t>(builder.context().limits->reported_task_problems);
    if (limit == 0 || header.consecutive_task_problems() < limit) return;
    api::common::v1::Payload wanted = keyword_list_payload(last_problem(header));
    const PayloadMap& known =
        builder.draft().run_attributes().search_attributes().indexed_fields();
    const auto reported = known.find(kReportedProblems);
    if (reported != known.end() && reported->second.data() == wanted.data()) return;
    editable_fields(builder)[kReportedProblems] = std::move(wanted);
}

void clear_task_problems(Builder& builder) {
    if (builder.context().limits->reported_task_problems == 0) return;
    const PayloadMap& known =
        builder.draft().run_attributes().search_attributes().indexed_fields();
    if (known.find(kReportedProblems) == known.end()) return;
    editable_fields(builder).erase(kReportedProblems);
}

}  // namespace stele::history
