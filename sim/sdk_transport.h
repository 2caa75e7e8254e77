#pragma once

#include "sim/network.h"
#include "sim/record.h"
#include "stele/transport.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

// The calls of one process that uses the C++ SDK, through the simulated network.
namespace stele::sim {

/// Also the place where it shows what the SDK is given and what it is told. Not thread safe.
class SdkTransport final : public Transport, public std::enable_shared_from_this<SdkTransport> {
public:
    SdkTransport(Network& network, Record& record) : network_(network), record_(record) {}

    std::shared_ptr<Call> call(std::string_view method,
                               std::shared_ptr<const google::protobuf::Message> request,
                               std::shared_ptr<google::protobuf::Message> reply,
                               const CallOptions& options, Callback done) override;

    /// The process has died: nobody is called back. The server learns of some of the calls that they
    /// have ended; the others reach it and are answered, late and to nobody.
    void close();
    /// The same without a word to the server.
    void forget() { open_.clear(); }

private:
    class CallUnderWay;
    struct Open {
        Network::CallId id = 0;
        std::shared_ptr<const google::protobuf::Message> request;
        std::shared_ptr<google::protobuf::Message> reply;
        Callback done;
        bool patient = true;  // it waits for as long as the caller asked for
    };
    /// An activity, as Record::activity_completed has it.
    using Activity = std::tuple<std::string, std::string, int>;

    void answered(std::uint64_t number, const absl::StatusOr<std::string>& response);
    void look_at_request(const google::protobuf::Message& request);
    void look_at_answer(const google::protobuf::Message& request,
                        const google::protobuf::Message& reply);
    template <typename Task>
    void given_activity(const Task& task);

    Network& network_;
    Record& record_;
    std::uint64_t last_number_ = 0;
    std::map<std::uint64_t, Open> open_;
    std::map<std::string, Activity> activities_;  // by token
};

}  // namespace stele::sim
