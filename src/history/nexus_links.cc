#include "history/nexus_links.h"

#include "base/enum_name.h"
#include "base/split.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using temporal::api::common::v1::Link;

constexpr char kType[] = "temporal.api.common.v1.Link.WorkflowEvent";
constexpr std::string_view kScheme = "temporal://";
constexpr char kEventReference[] = "EventReference";
constexpr char kRequestReference[] = "RequestIdReference";

std::string escape(std::string_view text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    constexpr std::string_view kPlain = "-_.~";
    std::string result;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (std::isalnum(byte) != 0 || kPlain.find(letter) != std::string_view::npos) {
            result.push_back(letter);
            continue;
        }
        result.push_back('%');
        result.push_back(kDigits[byte >> 4]);
        result.push_back(kDigits[byte & 15]);
    }
    return result;
}

std::optional<std::string> unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result.push_back(text[i]);
            continue;
        }
        const std::string_view digits = text.substr(i + 1, 2);
        int byte = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (digits.size() < 2 || read.ptr != digits.data() + 2) return std::nullopt;
        result.push_back(static_cast<char>(byte));
        i += 2;
    }
    return result;
}

using Query = std::map<std::string, std::string>;

Query parse_query(std::string_view text) {
    Query query;
    for (const std::string_view part : split_all(text, '&')) {
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos) continue;
        query[std::string(part.substr(0, equals))] = unescape(part.substr(equals + 1)).value_or("");
    }
    return query;
}

/// "WorkflowExecutionStarted", or the constant that the API has for it.
std::optional<enums::EventType> event_type_of(const std::string& name) {
    enums::EventType type{};
    if (enums::EventType_Parse(name, &type)) return type;
    for (int number = enums::EventType_MIN; number <= enums::EventType_MAX; ++number) {
        if (!enums::EventType_IsValid(number)) continue;
        type = static_cast<enums::EventType>(number);
        if (short_enum_name(enums::EventType_Name(type), "EVENT_TYPE_") == name) return type;
    }
    return std::nullopt;
}

bool read_reference(const Query& query, Link::WorkflowEvent& event) {
    const auto value = [&](const char* name) {
        const auto found = query.find(name);
        return found == query.end() ? std::string() : found->second;
    };
    const auto type = event_type_of(value("eventType"));
    if (!type) return false;
    if (value("referenceType") == kRequestReference) {
        event.mutable_request_id_ref()->set_request_id(value("requestID"));
        event.mutable_request_id_ref()->set_event_type(*type);
        return true;
    }
    if (value("referenceType") != kEventReference) return false;
    std::int64_t id = 0;
    const std::string text = value("eventID");
    const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
    if (!text.empty() && read.ptr != text.data() + text.size()) return false;
    event.mutable_event_ref()->set_event_id(id);
    event.mutable_event_ref()->set_event_type(*type);
    return true;
}

}  // namespace

temporal::api::nexus::v1::Link to_nexus_link(const Link::WorkflowEvent& event) {
    temporal::api::nexus::v1::Link link;
    link.set_type(kType);
    const auto name = [](enums::EventType type) {
        return short_enum_name(enums::EventType_Name(type), "EVENT_TYPE_");
    };
    std::string query;
    if (event.has_request_id_ref()) {
        query = "eventType=" + name(event.request_id_ref().event_type()) +
                "&referenceType=" + kRequestReference +
                "&requestID=" + escape(event.request_id_ref().request_id());
    } else {
        if (event.event_ref().event_id() > 0) {
            query = "eventID=" + std::to_string(event.event_ref().event_id()) + "&";
        }
        query += "eventType=" + name(event.event_ref().event_type()) +
                 "&referenceType=" + kEventReference;
    }
    link.set_url(std::string(kScheme) + "/namespaces/" + escape(event.namespace_()) +
                 "/workflows/" + escape(event.workflow_id()) + "/" + escape(event.run_id()) +
                 "/history?" + query);
    return link;
}

std::optional<Link> from_nexus_link(const temporal::api::nexus::v1::Link& link) {
    const std::string_view url = link.url();
    if (link.type() != kType || !url.starts_with(kScheme)) return std::nullopt;
    const std::string_view rest = url.substr(kScheme.size());
    const std::size_t query = std::min(rest.find('?'), rest.size());
    const std::vector<std::string_view> parts = split_all(rest.substr(0, query), '/');
    const bool shaped = parts.size() == 7 && parts[0].empty() && parts[1] == "namespaces" &&
                        parts[3] == "workflows" && parts[6] == "history";
    if (!shaped) return std::nullopt;
    const auto name_space = unescape(parts[2]);
    const auto workflow_id = unescape(parts[4]);
    const auto run_id = unescape(parts[5]);
    if (!name_space || !workflow_id || !run_id) return std::nullopt;
    Link result;
    Link::WorkflowEvent& event = *result.mutable_workflow_event();
    event.set_namespace_(*name_space);
    event.set_workflow_id(*workflow_id);
    event.set_run_id(*run_id);
    if (!read_reference(parse_query(rest.substr(std::min(query + 1, rest.size()))), event))
        return std::nullopt;
    return result;
}

}  // namespace stele::history
