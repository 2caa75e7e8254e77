#include "history/links.h"

#include <initializer_list>
#include <string>
#include <utility>

namespace stele::history {
namespace {

using temporal::api::common::v1::Link;

constexpr int kMaximumLinks = 10;
constexpr std::size_t kMaximumLinkBytes = 4000;

/// A field that must be set, and what it is called.
using Required = std::pair<const char*, const std::string*>;

absl::Status check_set(const char* kind, std::initializer_list<Required> fields) {
    for (const auto& [name, value] : fields) {
        if (!value->empty()) continue;
        return invalid_argument(std::string(kind) + " link must not have an empty " + name);
    }
    return absl::OkStatus();
}

absl::Status validate_event(const Link::WorkflowEvent& event) {
    STELE_RETURN_IF_ERROR(check_set("workflow event", {{"namespace field", &event.namespace_()},
                                                       {"workflow ID field", &event.workflow_id()},
                                                       {"run ID field", &event.run_id()}}));
    const auto& reference = event.event_ref();
    if (reference.event_type() == temporal::api::enums::v1::EVENT_TYPE_UNSPECIFIED &&
        reference.event_id() != 0) {
        return invalid_argument(
            "workflow event link ref cannot have an unspecified event type and a non-zero event "
            "ID");
    }
    return absl::OkStatus();
}

absl::Status validate_link(const Link& link) {
    switch (link.variant_case()) {
        case Link::kWorkflowEvent: return validate_event(link.workflow_event());
        case Link::kBatchJob:
            return check_set("batch job", {{"job ID", &link.batch_job().job_id()}});
        case Link::kNexusOperation:
            return check_set("nexus operation",
                             {{"namespace field", &link.nexus_operation().namespace_()},
                              {"operation ID field", &link.nexus_operation().operation_id()},
                              {"run ID field", &link.nexus_operation().run_id()}});
        case Link::kActivity:
            return check_set("activity", {{"namespace field", &link.activity().namespace_()},
                                          {"activity ID field", &link.activity().activity_id()},
                                          {"run ID field", &link.activity().run_id()}});
        default: return invalid_argument("unsupported link variant");
    }
}

}  // namespace

absl::Status validate_links(const google::protobuf::RepeatedPtrField<Link>& links) {
    if (links.size() > kMaximumLinks) {
        return invalid_argument("cannot attach more than " + std::to_string(kMaximumLinks) +
                                " links per request, got " + std::to_string(links.size()));
    }
    for (const Link& link : links) {
        const std::size_t bytes = link.ByteSizeLong();
        if (bytes > kMaximumLinkBytes) {
            return invalid_argument("link exceeds allowed size of " +
                                    std::to_string(kMaximumLinkBytes) + ", got " +
                                    std::to_string(bytes));
        }
        STELE_RETURN_IF_ERROR(validate_link(link));
    }
    return absl::OkStatus();
}

}  // namespace stele::history
