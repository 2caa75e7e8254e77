#include <set>
#include <string>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "grpc/health/v1/health.pb.h"
#include "temporal/api/namespace/v1/message.pb.h"
#include "temporal/api/operatorservice/v1/service.pb.h"
#include "temporal/api/workflowservice/v1/service.pb.h"

namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::ServiceDescriptor;

std::set<std::string> method_names(const std::string& service_name) {
    const ServiceDescriptor* service =
        DescriptorPool::generated_pool()->FindServiceByName(service_name);
    std::set<std::string> names;
    for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
        names.insert(service->method(i)->name());
    }
    return names;
}

TEST(ApiDescriptors, ListEveryMethodOfTheWorkflowService) {
    const std::set<std::string> names = method_names("temporal.api.workflowservice.v1.WorkflowService");
    EXPECT_GE(names.size(), 100U);
    EXPECT_TRUE(names.contains("StartWorkflowExecution"));
    EXPECT_TRUE(names.contains("PollWorkflowTaskQueue"));
}

TEST(ApiDescriptors, ListTheOtherServices) {
    EXPECT_TRUE(method_names("temporal.api.operatorservice.v1.OperatorService")
                    .contains("AddSearchAttributes"));
    EXPECT_EQ(method_names("grpc.health.v1.Health"), (std::set<std::string>{"Check", "Watch"}));
}

TEST(ApiDescriptors, KeepThePackageNameThatIsAKeyword) {
    temporal::api::namespace_::v1::NamespaceInfo info;
    info.set_name("default");
    EXPECT_EQ(info.GetDescriptor()->full_name(), "temporal.api.namespace.v1.NamespaceInfo");

    temporal::api::namespace_::v1::NamespaceInfo copy;
    ASSERT_TRUE(copy.ParseFromString(info.SerializeAsString()));
    EXPECT_EQ(copy.name(), "default");
}

}  // namespace
