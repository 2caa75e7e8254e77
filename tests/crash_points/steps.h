#pragma once

#include "temporal/api/workflowservice/v1/request_response.pb.h"
#include "tests/crash_points/trial.h"

#include <functional>
#include <initializer_list>
#include <string>

// What scenarios are made of. Each step repeats its call under the same request id until it has an
// answer, and adds to what must hold from then on. Workflows are those of sim/script.h, which the
// trial's worker plays.
namespace stele::crash_points {

using StartRequest = temporal::api::workflowservice::v1::StartWorkflowExecutionRequest;

/// Throws Violation with the call's name unless the status is OK or one of those.
void expect(const absl::Status& status, const std::string& call,
            std::initializer_list<absl::StatusCode> also = {});

/// Starts a workflow with a script, and gives its run id.
std::string start(Trial& trial, const std::string& id, const std::string& script,
                  const std::function<void(StartRequest&)>& change = {});
void signal(Trial& trial, const std::string& id, const std::string& value);
void signal_with_start(Trial& trial, const std::string& id, const std::string& script,
                       const std::string& value);
void update(Trial& trial, const std::string& id, const std::string& update_id);
void update_with_start(Trial& trial, const std::string& id, const std::string& script,
                       const std::string& update_id);
void cancel(Trial& trial, const std::string& id);
void terminate(Trial& trial, const std::string& id);
void erase(Trial& trial, const std::string& id);
/// The size of the history, as the worker's query handler tells it.
void query(Trial& trial, const std::string& id);
/// Resets to the first completed workflow task, and gives the new run.
std::string reset(Trial& trial, const std::string& id, const std::string& run_id);

/// Waits until no run of this workflow is open, and promises that this stays so.
void await_end(Trial& trial, const std::string& id);
/// Waits until a run has an event of this kind, named as "ActivityTaskScheduled".
void await_event(Trial& trial, const std::string& id, int type);

}  // namespace stele::crash_points
