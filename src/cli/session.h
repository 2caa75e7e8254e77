#pragma once

#include "cli/settings.h"
#include "stele/runtime.h"
#include "stele/transport.h"

#include <memory>
#include <string>

// What a command of the client works with: a server, a printer and a clock.
namespace stele::cli {

/// Not thread safe: a command runs on one thread and waits for each call.
class Session {
public:
    /// `flags` and `printer` must outlive the session.
    Session(Settings settings, const CommonFlags& flags, Printer& printer);

    Printer& printer() { return printer_; }
    const CommonFlags& flags() const { return flags_; }
    const std::string& namespace_name() const { return settings_.namespace_name; }
    const std::string& identity() const { return settings_.identity; }
    PayloadStyle payload_style() const {
        return flags_.no_shorthand_payloads ? PayloadStyle::kVerbatim : PayloadStyle::kShorthand;
    }

    Timestamp now() const;
    /// A fresh UUID.
    std::string new_id();
    /// In the format that the user chose; empty for an absent time.
    std::string time_text(const google::protobuf::Timestamp& time) const;

    /// One call. Errors carry the server's message and its first detail.
    absl::Status call_workflow_service(const std::string& method,
                                       const google::protobuf::Message& request,
                                       google::protobuf::Message& reply);
    absl::Status call_operator_service(const std::string& method,
                                       const google::protobuf::Message& request,
                                       google::protobuf::Message& reply);
    /// `path` is "/package.Service/Method".
    absl::Status call(const std::string& path, const google::protobuf::Message& request,
                      google::protobuf::Message& reply);

    /// Whether any call has been answered with success.
    bool has_reached_server() const { return has_reached_server_; }
    /// Does nothing for a while.
    void pause(Milliseconds time);

private:
    /// What is left of the time for one call; none if the command has used up its own.
    absl::StatusOr<Milliseconds> time_for_call() const;
    absl::Status to_status(const Transport::Status& status) const;

    Settings settings_;
    const CommonFlags& flags_;
    Printer& printer_;
    std::shared_ptr<Runtime> runtime_;
    std::shared_ptr<Transport> transport_;
    Timestamp deadline_ = kNever;
    bool has_reached_server_ = false;
};

/// The same error with `what` in front: what was being done.
absl::Status explain(const std::string& what, const absl::Status& status);

}  // namespace stele::cli
