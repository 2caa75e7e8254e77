#include "visibility/run_info.h"

#include "base/time.h"
#include "visibility/filter/filter.h"

namespace stele::visibility {

namespace enums = temporal::api::enums::v1;

bool is_open_status(enums::WorkflowExecutionStatus status) {
    return status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING ||
           status == enums::WORKFLOW_EXECUTION_STATUS_PAUSED;
}

temporal::api::workflow::v1::WorkflowExecutionInfo make_run_info(
    const storage::InfoRow& info, const storage::HeaderRow& header,
    const storage::AttributesRow& attributes, const history::SearchAttributeSchema* schema) {
    temporal::api::workflow::v1::WorkflowExecutionInfo shown;
    shown.mutable_execution()->set_workflow_id(info.workflow_id());
    shown.mutable_execution()->set_run_id(info.run_id());
    shown.mutable_type()->set_name(info.workflow_type());
    *shown.mutable_start_time() = info.start_time();
    *shown.mutable_execution_time() = header.execution_time();
    *shown.mutable_memo() = attributes.memo();
    *shown.mutable_search_attributes() = attributes.search_attributes();
    if (schema != nullptr) schema->add_types(*shown.mutable_search_attributes());
    shown.set_task_queue(info.task_queue());
    shown.set_status(header.status());
    *shown.mutable_root_execution() = info.root();
    if (info.has_parent()) *shown.mutable_parent_execution() = info.parent();
    if (is_open_status(header.status())) return shown;
    *shown.mutable_close_time() = header.close_time();
    *shown.mutable_execution_duration() =
        to_proto(from_proto(header.close_time()) - from_proto(header.execution_time()));
    shown.set_history_length(header.next_event_id() - 1);
    shown.set_history_size_bytes(header.history_size_bytes());
    shown.set_state_transition_count(header.state_transition_count());
    return shown;
}

std::vector<history::AttributeValue> words_in(const std::vector<history::AttributeValue>& texts) {
    std::vector<history::AttributeValue> words;
    for (const history::AttributeValue& text : texts) {
        for (std::string& word : filter::words_of(std::get<std::string>(text))) {
            words.emplace_back(std::move(word));
        }
    }
    if (words.empty()) words.emplace_back(std::string());
    return words;
}

}  // namespace stele::visibility
