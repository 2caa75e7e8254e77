#include "fuzz/world.h"

#include "base/check.h"
#include "fuzz/target.h"
#include "shard/verify.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <google/protobuf/descriptor.h>

#include <numeric>

namespace stele::fuzz {
namespace {

namespace service = temporal::api::workflowservice::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

const google::protobuf::MethodDescriptor* find_method(std::string_view path) {
    std::string name(path.substr(1));
    name[name.rfind('/')] = '.';
    return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
}

std::unique_ptr<Message> make(const Descriptor* type) {
    return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(type)->New());
}

const FieldDescriptor* string_field(const Message& message, const char* name) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    const bool fits = field != nullptr && !field->is_repeated() &&
                      field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    return fits ? field : nullptr;
}

std::string get(const Message& message, const char* name) {
    const FieldDescriptor* field = string_field(message, name);
    return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

void replace(Message& message, const char* name, const std::string& value) {
    if (get(message, name) != "t") return;
    message.GetReflection()->SetString(&message, string_field(message, name), value);
}

/// The path that the name means; any text means one.
std::string path_of(const std::vector<std::string>& paths, std::string_view name) {
    for (const std::string& path : paths) {
        if (std::string_view(path).substr(path.rfind('/') + 1) == name) return path;
    }
    const auto sum =
        std::accumulate(name.begin(), name.end(), std::size_t{0},
                        [](std::size_t s, char c) { return s * 31 + std::uint8_t(c); });
    return paths[sum % paths.size()];
}

void check_error(const std::string& path, const absl::Status& status) {
    const std::string told = path + ": " + status.ToString();
    STELE_CHECK(!message_of(status).empty(), "an error without words: " + told);
    switch (status.code()) {
        case absl::StatusCode::kUnknown:
        case absl::StatusCode::kDataLoss:
        case absl::StatusCode::kInternal:
            STELE_CHECK(false, "the request broke something: " + told);
        default: return;
    }
}

}  // namespace

World::World() {
    // What the helpers of the tests expect must hold here too.
    GTEST_FLAG_SET(break_on_failure, true);
    create("mine");
    create("other");
    service::StartWorkflowExecutionRequest start;
    start.set_namespace_("other");
    start.set_workflow_id(std::string(kCanary));
    start.mutable_workflow_type()->set_name("type");
    start.mutable_task_queue()->set_name("queue");
    STELE_CHECK(call(method("StartWorkflowExecution"), start).ok(), "no run to hide");
}

void World::call_raw(std::string_view name, std::string_view bytes) {
    const std::string path = path_of(parts().frontend->methods().paths(), name);
    const auto* method = find_method(path);
    const auto request = make(method->input_type());
    std::string sent(bytes);
    if (request->ParseFromString(sent)) {
        fill_in(*request);
        sent = request->SerializeAsString();
    }
    auto made = std::make_shared<frontend::BytesCall>(sent, sim.now() + std::chrono::seconds(70));
    parts().frontend->dispatch(path, made);
    sim.run_until([&made] { return made->answer.has_value(); }, std::chrono::minutes(5));
    STELE_CHECK(made->answer.has_value(), path + " is never answered");
    if (!made->answer->ok()) {
        const absl::Status& status = made->answer->status();
        STELE_CHECK(!must_not_see_other ||
                        status.message().find(std::string(kCanary)) == absl::string_view::npos,
                    path + " shows what is in another namespace");
        return check_error(path, status);
    }
    const std::string& answer = **made->answer;
    STELE_CHECK(!must_not_see_other || answer.find(kCanary) == std::string::npos,
                path + " shows what is in another namespace");
    const auto response = make(method->output_type());
    STELE_CHECK(response->ParseFromString(answer),
                path + " answers with bytes that are no response");
    remember(*response);
}

void World::settle() {
    sim.run_for(std::chrono::minutes(2));
    const auto faults = shard::verify_store(*store);
    STELE_CHECK(faults.empty(), faults.front());
}

void World::remember(const Message& response) {
    const auto keep = [&](const char* name, std::string& kept) {
        if (std::string value = get(response, name); !value.empty()) kept = std::move(value);
    };
    keep("task_token", task_token_);
    keep("next_page_token", page_token_);
    keep("run_id", run_id_);
}

void World::fill_in(Message& request) const {
    replace(request, "task_token", task_token_);
    replace(request, "next_page_token", page_token_);
    replace(request, "run_id", run_id_);
}

}  // namespace stele::fuzz
