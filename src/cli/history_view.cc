#include "cli/history_view.h"

#include <fmt/format.h>

#include <map>

namespace stele::cli {
namespace {

const std::vector<Printer::Column> kColumns = {
    {"ID", 5, /*align_right=*/true}, {"Time", 20}, {"Type", 26}};

std::string colored_name(const Printer& printer, const Event& event) {
    const std::string name = event_name(event);
    if (name.ends_with("Failed")) return printer.colored(Printer::Color::kRed, name);
    if (name.ends_with("TimedOut")) return printer.colored(Printer::Color::kYellow, name);
    if (name.ends_with("Canceled")) return printer.colored(Printer::Color::kMagenta, name);
    if (name.ends_with("ExecutionCompleted")) return printer.colored(Printer::Color::kGreen, name);
    if (name.ends_with("ExecutionStarted")) return printer.colored(Printer::Color::kBlue, name);
    return name;
}

/// "a.b[0].c" for every value that is not a list or an object.
void flatten(const std::string& path, const Json& json,
             std::map<std::string, std::string>& fields) {
    if (json.is_object()) {
        for (const auto& [key, value] : json.items()) {
            flatten(path.empty() ? key : path + "." + key, value, fields);
        }
    } else if (json.is_array()) {
        for (std::size_t i = 0; i < json.size(); ++i) {
            flatten(fmt::format("{}[{}]", path, i), json[i], fields);
        }
    } else {
        fields[path] = json.is_string() ? json.get<std::string>() : json.dump();
    }
}

absl::Status print_fields(Session& session, const Event& event) {
    Printer& printer = session.printer();
    printer.line(fmt::format("--------------- [{}] {} ---------------", event.event_id(),
                             event_name(event)));
    STELE_ASSIGN_OR_RETURN(const Json json, event_to_json(session, event));
    std::map<std::string, std::string> fields;
    for (const auto& [key, value] : json.items()) {
        if (key == "eventId" || key == "eventType") continue;
        flatten(key.ends_with("Attributes") ? "" : key, value, fields);
    }
    for (const auto& [field, value] : fields) printer.line(field + ": " + value);
    printer.line();
    return absl::OkStatus();
}

/// Whole seconds: the table has a column of fixed width.
std::string event_time(const Event& event) {
    const Timestamp time = from_proto(event.event_time());
    return iso_time(Timestamp(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch())));
}

absl::Status print_event(Session& session, const Event& event, bool is_detailed) {
    if (is_detailed) return print_fields(session, event);
    session.printer().table_row(kColumns, {std::to_string(event.event_id()), event_time(event),
                                           colored_name(session.printer(), event)});
    return absl::OkStatus();
}

/// One run; the result is the event that ended it, if it has ended.
absl::StatusOr<std::optional<Event>> print_run(Session& session, const HistoryView& view) {
    HistoryReader reader(session,
                         {view.execution, view.follow, /*close_only=*/false, view.reverse});
    std::optional<Event> close_event;
    while (true) {
        STELE_ASSIGN_OR_RETURN(std::optional<Event> event, reader.next());
        if (!event) return close_event;
        STELE_RETURN_IF_ERROR(print_event(session, *event, view.is_detailed));
        session.printer().flush();
        if (is_close_event(*event)) close_event = std::move(event);
    }
}

}  // namespace

absl::StatusOr<std::optional<Event>> print_history(Session& session, const HistoryView& view) {
    session.printer().heading("Progress:");
    if (!view.is_detailed) session.printer().table_header(kColumns);
    HistoryView run = view;
    while (true) {
        STELE_ASSIGN_OR_RETURN(std::optional<Event> close_event, print_run(session, run));
        if (!close_event || !view.follow) return close_event;
        const std::string next = next_run(*close_event);
        if (next.empty()) return close_event;
        run.execution.set_run_id(next);
    }
}

}  // namespace stele::cli
