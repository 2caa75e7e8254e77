#pragma once

#include "shard/completions.h"

#include <string>
#include <utility>
#include <vector>

// A completion as the HTTP request that tells it, in the form of the Nexus protocol: the state and the
// times in headers, the result or the failure in the body. Pure functions.
namespace stele::server {

struct CompletionRequest {
    std::string origin;  // "https://host:8080"
    std::string path;    // with its query
    std::vector<std::pair<std::string, std::string>> headers;
    std::string content_type;
    std::string body;
};

/// FAILED_PRECONDITION when the callback has no address that can be called.
absl::StatusOr<CompletionRequest> completion_request(const shard::Completion& completion);

/// What the status of a response means: OK, FAILED_PRECONDITION when no other attempt can help, or
/// UNAVAILABLE. `retryable` is the header of that name, which has the last word.
absl::Status completion_answer(int http_status, const std::string& retryable);

}  // namespace stele::server
