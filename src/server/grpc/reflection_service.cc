#include "server/grpc/builtin_services.h"
#include "stele/internal/reflection.pb.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <string_view>
#include <utility>

namespace stele::server {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

constexpr std::string_view kPaths[] = {
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};

/// A file and all that it stands on, as tools want it, so that they need not ask again.
void add_with_imports(const FileDescriptor& file, std::set<const FileDescriptor*>& seen,
                      wire::ReflectionResponse& response) {
    if (!seen.insert(&file).second) return;
    google::protobuf::FileDescriptorProto definition;
    file.CopyTo(&definition);
    response.mutable_files()->add_file_descriptor_proto(definition.SerializeAsString());
    for (int i = 0; i < file.dependency_count(); ++i) {
        add_with_imports(*file.dependency(i), seen, response);
    }
}

void answer_file(const FileDescriptor* file, const std::string& wanted,
                 wire::ReflectionResponse& response) {
    if (file == nullptr) {
        auto& error = *response.mutable_error();
        error.set_code(static_cast<int>(absl::StatusCode::kNotFound));
        error.set_message(fmt::format("not found: {}", wanted));
        return;
    }
    std::set<const FileDescriptor*> seen;
    add_with_imports(*file, seen, response);
}

class ReflectionCall final : public StreamHandler {
public:
    ReflectionCall(const std::vector<std::string>& services, StreamPtr stream)
        : services_(services), stream_(std::move(stream)) {}

    void message(std::string bytes) override {
        wire::ReflectionRequest request;
        if (!request.ParseFromString(bytes)) {
            return stream_->end(internal_error("grpc: error unmarshalling request"));
        }
        stream_->send(answer(request).SerializeAsString());
    }
    void half_closed() override { stream_->end(absl::OkStatus()); }
    void ended() override {}

private:
    wire::ReflectionResponse answer(const wire::ReflectionRequest& request) const {
        const DescriptorPool& pool = *DescriptorPool::generated_pool();
        wire::ReflectionResponse response;
        response.set_valid_host(request.host());
        *response.mutable_original_request() = request;
        switch (request.ask_case()) {
            case wire::ReflectionRequest::kFileByFilename:
                answer_file(pool.FindFileByName(request.file_by_filename()),
                            request.file_by_filename(), response);
                break;
            case wire::ReflectionRequest::kFileContainingSymbol:
                answer_file(pool.FindFileContainingSymbol(request.file_containing_symbol()),
                            request.file_containing_symbol(), response);
                break;
            case wire::ReflectionRequest::kListServices:
                for (const std::string& service : services_) {
                    response.mutable_services()->add_service()->set_name(service);
                }
                break;
            default: {
                auto& error = *response.mutable_error();
                error.set_code(static_cast<int>(absl::StatusCode::kUnimplemented));
                error.set_message("the API has no extensions to tell of");
            }
        }
        return response;
    }

    const std::vector<std::string>& services_;
    const StreamPtr stream_;
};

}  // namespace

std::shared_ptr<StreamHandler> ReflectionService::open(const StreamPtr& stream) const {
    for (const std::string_view path : kPaths) {
        if (stream->head().path() == path)
            return std::make_shared<ReflectionCall>(services_, stream);
    }
    return nullptr;
}

}  // namespace stele::server
