#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "sdk/client/client_core.h"
#include "stele/embedded.h"
#include "stele/stele.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::testing {

namespace api = temporal::api::workflowservice::v1;

/// A client of the server that STELE_TEST_ADDRESS names: HOST:PORT of one that runs, Stele or Temporal, or
/// embedded:DIRECTORY for the engine in this process.
inline Client connect_to_server(ClientOptions options = {}) {
    constexpr std::string_view kEmbedded = "embedded:";
    const std::string address = std::getenv("STELE_TEST_ADDRESS");
    if (address.starts_with(kEmbedded)) {
        static embedded::Server server({.directory = address.substr(kEmbedded.size())});
        return server.connect(std::move(options));
    }
    options.address = address;
    return Client::connect(std::move(options));
}

/// Connects to the server and skips the test when none is named. Each test has a task queue of its own.
class ServerFixture : public ::testing::Test {
protected:
    void SetUp() override {
        if (std::getenv("STELE_TEST_ADDRESS") == nullptr)
            GTEST_SKIP() << "set STELE_TEST_ADDRESS=HOST:PORT to run this against a server";
        client_.emplace(connect_to_server());
        ensure_namespace();
        queue_ = std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
                 "-" + client_->core()->new_uuid();
    }

    static Client connect_with(DataConverter converter) {
        return connect_to_server({.data_converter = std::move(converter)});
    }

    Worker make_worker(WorkerOptions options = {}) { return Worker(*client_, queue_, options); }
    StartOptions on_queue() const { return {.task_queue = queue_}; }

    temporal::api::history::v1::History history_of(const UntypedHandle& handle) {
        api::GetWorkflowExecutionHistoryRequest request;
        request.set_namespace_("default");
        request.mutable_execution()->set_workflow_id(handle.workflow_id());
        request.mutable_execution()->set_run_id(handle.run_id());
        temporal::api::history::v1::History history;
        do {
            auto page = client_->core()->call<api::GetWorkflowExecutionHistoryResponse>(
                "GetWorkflowExecutionHistory", request);
            history.mutable_events()->MergeFrom(page.history().events());
            request.set_next_page_token(page.next_page_token());
        } while (!request.next_page_token().empty());
        return history;
    }

    int count_events(const UntypedHandle& handle, temporal::api::enums::v1::EventType type) {
        int count = 0;
        const auto history = history_of(handle);
        for (const auto& event : history.events()) count += event.event_type() == type;
        return count;
    }

    std::optional<Client> client_;
    std::string queue_;

private:
    void ensure_namespace() {
        static bool done = false;
        if (std::exchange(done, true)) return;
        api::RegisterNamespaceRequest request;
        request.set_namespace_("default");
        request.mutable_workflow_execution_retention_period()->set_seconds(86'400);
        try {
            (void)client_->core()->call<api::RegisterNamespaceResponse>("RegisterNamespace",
                                                                        request);
        } catch (const RpcError&) {
            // It exists.
        }
    }
};

/// The failure that a workflow ended with, as the exception of that type.
template <class Expected, class Handle>
std::optional<Expected> failure_cause(const Handle& handle) {
    try {
        (void)handle.result();
    } catch (const WorkflowFailedError& error) {
        const FailureError* cause = &error.cause();
        if (const auto* found = dynamic_cast<const Expected*>(cause)) return *found;
        ADD_FAILURE() << "failed with another error: " << error.what();
        return std::nullopt;
    }
    ADD_FAILURE() << "the workflow completed";
    return std::nullopt;
}

}  // namespace stele::testing
