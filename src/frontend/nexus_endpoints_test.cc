#include "frontend/nexus_endpoints.h"

#include "env/sim/sim_env.h"
#include "store/memory/memory_store.h"

#include <gtest/gtest.h>

#include <functional>

namespace stele::frontend {
namespace {

class NexusEndpointsTest : public ::testing::Test {
protected:
    NexusEndpointsTest()
        : committer_(store::make_committer(
              sim_, *store_, [](const absl::Status& status) { FAIL() << message_of(status); })) {
        reload();
    }

    /// As a server finds it when it starts.
    void reload() {
        registry_ = std::make_unique<NexusEndpointRegistry>(sim_, *store_, *committer_);
        ASSERT_TRUE(registry_->load().ok());
    }
    absl::StatusOr<NexusEndpointRow> play(
        const std::function<void(Reply<NexusEndpointRow>)>& call) {
        std::optional<absl::StatusOr<NexusEndpointRow>> result;
        call([&](absl::StatusOr<NexusEndpointRow> row) { result.emplace(std::move(row)); });
        sim_.run_until([&] { return result.has_value(); }, std::chrono::seconds(10));
        return *result;
    }
    absl::StatusOr<NexusEndpointRow> create(const std::string& name) {
        NexusEndpointRow row;
        row.set_name(name);
        row.set_task_queue("queue");
        return play([&](auto reply) { registry_->create(row, std::move(reply)); });
    }
    absl::StatusOr<NexusEndpointRow> update(const NexusEndpointRow& row) {
        return play([&](auto reply) { registry_->update(row, std::move(reply)); });
    }
    absl::StatusOr<NexusEndpointRow> erase(const std::string& id) {
        return play([&](auto reply) { registry_->erase(id, std::move(reply)); });
    }

    env::SimEnv sim_{env::SimOptions{.seed = 1}};
    std::unique_ptr<store::Store> store_ = store::make_memory_store();
    std::unique_ptr<store::Committer> committer_;
    std::unique_ptr<NexusEndpointRegistry> registry_;
};

TEST_F(NexusEndpointsTest, AnEndpointIsFoundByItsNameAndIdAlsoAfterARestart) {
    const auto made = create("orders");
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(made->version(), 1);
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(registry_->by_name("orders").has_value());
        EXPECT_EQ(registry_->by_name("orders")->id(), made->id());
        EXPECT_EQ(registry_->by_id(made->id())->task_queue(), "queue");
        reload();
    }
}

TEST_F(NexusEndpointsTest, NoTwoHaveOneName) {
    ASSERT_TRUE(create("orders").ok());
    EXPECT_EQ(create("orders").status().code(), absl::StatusCode::kAlreadyExists);
    NexusEndpointRow other = create("others").value();
    other.set_name("orders");
    EXPECT_EQ(update(other).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(NexusEndpointsTest, AChangeNeedsTheVersionThatIsThere) {
    NexusEndpointRow row = create("orders").value();
    row.set_name("renamed");
    const auto changed = update(row);
    ASSERT_TRUE(changed.ok());
    EXPECT_EQ(changed->version(), 2);
    EXPECT_TRUE(changed->has_modified());
    EXPECT_FALSE(registry_->by_name("orders").has_value());
    EXPECT_EQ(message_of(update(row).status()),
              "nexus endpoint version mismatch. received: 1 expected 2");
    row.set_id("nobody");
    EXPECT_EQ(update(row).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(NexusEndpointsTest, WhatIsDeletedStaysDeleted) {
    const std::string id = create("orders").value().id();
    EXPECT_TRUE(erase(id).ok());
    EXPECT_EQ(erase(id).status().code(), absl::StatusCode::kNotFound);
    reload();
    EXPECT_FALSE(registry_->by_id(id).has_value());
    EXPECT_TRUE(create("orders").ok()) << "its name is free";
}

TEST_F(NexusEndpointsTest, ListsAreInTheOrderOfIds) {
    for (const char* name : {"aa", "bb", "cc"}) ASSERT_TRUE(create(name).ok());
    const auto first = registry_->list("", 2);
    ASSERT_EQ(first.size(), 2U);
    const auto rest = registry_->list(first[1].id(), 2);
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_LT(first[0].id(), first[1].id());
    EXPECT_LT(first[1].id(), rest[0].id());
}

}  // namespace
}  // namespace stele::frontend
