#pragma once

#include "sim/network.h"
#include "sim/record.h"
#include "sim/sdk_options.h"
#include "sim/update_clients.h"
#include "temporal/api/common/v1/message.pb.h"

#include <set>
#include <string>
#include <vector>

// The clients of the SDK's workflows: they start them, signal, update, cancel and terminate them, and
// ask for their journals.
namespace stele::sim {

/// A text as the SDKs encode it.
temporal::api::common::v1::Payload json_payload(const std::string& text);

/// What somebody was told who asked for a journal, and what it had to contain by then.
struct JournalShown {
    std::string workflow_id;
    std::vector<std::string> journal;
    std::set<std::string> signals;  // acknowledged before the question was sent
};

/// Not thread safe.
class SdkClients {
public:
    SdkClients(Network& network, Record& record, const SdkOptions& options);

    void start();
    /// Whether every call that must be acknowledged has been.
    bool finished() const { return open_calls_ == 0 && updates_.finished(); }
    const std::vector<std::string>& workflow_ids() const { return workflow_ids_; }
    const std::vector<JournalShown>& shown() const { return shown_; }

private:
    void start_workflow(std::size_t index);
    void accompany(const std::string& workflow_id, int signals);
    void signal_until_told(const std::string& workflow_id, const std::string& text);
    void cancel(const std::string& workflow_id);
    void terminate(const std::string& workflow_id);
    void keep_asking(const std::string& workflow_id, int times);
    Duration within(int milliseconds);

    Network& network_;
    Record& record_;
    const SdkOptions& options_;
    UpdateClients updates_;
    std::vector<std::string> workflow_ids_;
    std::vector<JournalShown> shown_;
    int open_calls_ = 0;
};

}  // namespace stele::sim
