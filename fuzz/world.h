#pragma once

#include "frontend/frontend_testing.h"

#include <string>
#include <string_view>

// A server in memory under simulated time, for targets that make calls as strangers do.
namespace stele::fuzz {

/// Two namespaces, "mine" and "other", with a run in the other one that nobody of mine may see.
class World : public frontend::TestFrontend {
public:
    static constexpr std::string_view kCanary = "canary-4f1e";

    World();

    /// Makes the call with these bytes and waits for its answer. The texts "t" for a token and for a run
    /// id in the request stand for those that the server gave out last.
    void call_raw(std::string_view method, std::string_view request);
    /// No answer may show what is in the other namespace. Cleared by whoever names it.
    bool must_not_see_other = true;
    /// Time passes, and the store is looked at.
    void settle();

private:
    void remember(const google::protobuf::Message& response);
    void fill_in(google::protobuf::Message& request) const;

    std::string task_token_;
    std::string page_token_;
    std::string run_id_;
};

}  // namespace stele::fuzz
