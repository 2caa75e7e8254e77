#include "history/attributes.h"
#include "history/command.h"
#include "history/search_attributes.h"

#include <utility>

// Commands that change what lists and describe show of a run: search attributes and memo.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

CommandResult handle_upsert_search_attributes(Completion& completion, const Command& command) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
    if (!command.has_upsert_workflow_search_attributes_command_attributes()) {
        return refuse(kBad,
                      "UpsertWorkflowSearchAttributesCommandAttributes is not set on "
                      "UpsertWorkflowSearchAttributesCommand.");
    }
    const auto& attributes = command.upsert_workflow_search_attributes_command_attributes();
    if (!attributes.has_search_attributes()) {
        return refuse(kBad,
                      "SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.");
    }
    const PayloadMap& changes = attributes.search_attributes().indexed_fields();
    if (changes.empty()) {
        return refuse(kBad, "IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.");
    }
    Builder& builder = completion.builder;
    if (const SearchAttributeSchema* schema = builder.context().search_attributes) {
        const absl::Status known =
            schema->check(attributes.search_attributes(), *builder.context().limits);
        if (CommandResult refusal = refuse_if_error(kBad, known)) return refusal;
    }
    if (CommandResult refusal = check_blob_size(
            completion, payload_map_bytes(changes), kBad,
            "UpsertWorkflowSearchAttributesCommandAttributes exceeds size limit.")) {
        return refusal;
    }
    HistoryEvent event =
        command_event(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, command);
    auto& upserted = *event.mutable_upsert_workflow_search_attributes_event_attributes();
    upserted.set_workflow_task_completed_event_id(completion.completed.value());
    *upserted.mutable_search_attributes() = attributes.search_attributes();
    if (const SearchAttributeSchema* schema = builder.context().search_attributes) {
        schema->add_types(*upserted.mutable_search_attributes());
    }
    merge_payloads(
        *editable_attributes(builder.draft()).mutable_search_attributes()->mutable_indexed_fields(),
        upserted.search_attributes().indexed_fields());
    builder.add_event(std::move(event));
    return std::nullopt;
}

CommandResult handle_modify_properties(Completion& completion, const Command& command) {
    constexpr auto kBad =
        enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;
    if (!command.has_modify_workflow_properties_command_attributes()) {
        return refuse(kBad,
                      "ModifyWorkflowPropertiesCommandAttributes is not set on "
                      "ModifyWorkflowPropertiesCommand.");
    }
    const auto& attributes = command.modify_workflow_properties_command_attributes();
    if (!attributes.has_upserted_memo()) {
        return refuse(kBad, "UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.");
    }
    const PayloadMap& changes = attributes.upserted_memo().fields();
    if (changes.empty()) {
        return refuse(kBad, "UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand.");
    }
    if (CommandResult refusal =
            check_blob_size(completion, payload_map_bytes(changes), kBad,
                            "ModifyWorkflowPropertiesCommandAttributes exceeds size limit.")) {
        return refusal;
    }
    Builder& builder = completion.builder;
    api::common::v1::Memo memo = builder.draft().run_attributes().memo();
    merge_payloads(*memo.mutable_fields(), changes);
    if (memo.ByteSizeLong() > builder.context().limits->memo_bytes) {
        return Refusal{kBad, "ModifyWorkflowPropertiesCommandAttributes. Memo exceeds size limit.",
                       true};
    }
    HistoryEvent event = command_event(enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, command);
    auto& modified = *event.mutable_workflow_properties_modified_event_attributes();
    modified.set_workflow_task_completed_event_id(completion.completed.value());
    *modified.mutable_upserted_memo() = attributes.upserted_memo();
    builder.add_event(std::move(event));
    *editable_attributes(builder.draft()).mutable_memo() = std::move(memo);
    return std::nullopt;
}

}  // namespace stele::history
