#include "shard/completion_pages.h"

#include <gtest/gtest.h>

namespace stele::shard {
namespace {

using Kept = CompletionPages::Kept;
using Request = CompletionPages::Request;

class CompletionPagesTest : public ::testing::Test {
protected:
    CompletionPagesTest() {
        run_.run = std::make_unique<history::Run>();
        run_.run->info.set_namespace_id("namespace");
        storage::WorkflowTask& task = *run_.run->header.mutable_task();
        task.set_stamp(7);
        task.set_started_event_id(3);
        token_.stamp = 7;
    }

    static Request page(std::int32_t number, const std::string& marker, bool last = false) {
        Request request;
        request.set_page_number(number);
        request.set_intermediate_page(!last);
        request.add_commands()->mutable_record_marker_command_attributes()->set_marker_name(marker);
        return request;
    }
    absl::StatusOr<Kept> keep(Request request) {
        return pages_.keep(run_, token_, limits_, request);
    }
    void expect_kept(Request request) {
        const auto kept = keep(std::move(request));
        ASSERT_TRUE(kept.ok()) << kept.status();
        EXPECT_EQ(*kept, Kept::kYes);
    }
    static std::string markers(const Request& request) {
        std::string names;
        for (const auto& command : request.commands()) {
            names += command.record_marker_command_attributes().marker_name();
        }
        return names;
    }

    PageBudget budget_;
    CompletionPages pages_{budget_};
    LoadedRun run_;
    history::WorkflowTaskToken token_;
    history::Limits limits_;
};

TEST_F(CompletionPagesTest, PagesAreMergedInTheirOrderWhateverThatOfTheirArrival) {
    for (const std::int32_t number : {2, 0, 1}) {
        expect_kept(page(number, std::string(1, static_cast<char>('a' + number))));
    }
    Request last = page(3, "z", true);
    EXPECT_TRUE(pages_.merge(run_, token_, last).ok());
    EXPECT_EQ(markers(last), "abcz");
}

TEST_F(CompletionPagesTest, ARepeatedPageCountsOnce) {
    expect_kept(page(0, "a"));
    expect_kept(page(0, "a"));
    Request last = page(1, "z", true);
    EXPECT_TRUE(pages_.merge(run_, token_, last).ok());
    EXPECT_EQ(markers(last), "az");
}

TEST_F(CompletionPagesTest, AMissingPageIsToldAndTheOthersForgotten) {
    expect_kept(page(0, "a"));
    Request last = page(2, "z", true);
    EXPECT_EQ(pages_.merge(run_, token_, last).code(), absl::StatusCode::kAborted);
    Request again = page(1, "z", true);
    EXPECT_EQ(pages_.merge(run_, token_, again).code(), absl::StatusCode::kAborted);
}

TEST_F(CompletionPagesTest, PagesGoWithTheirTask) {
    expect_kept(page(0, "a"));
    run_.run->header.mutable_task()->set_stamp(8);
    pages_.changed(run_);
    Request last = page(1, "z", true);
    EXPECT_EQ(pages_.merge(run_, token_, last).code(), absl::StatusCode::kAborted);
}

TEST_F(CompletionPagesTest, OneTaskMayHaveNoMoreThanItsLimit) {
    limits_.completion_pages_bytes = 100;
    const auto kept = keep(page(0, std::string(200, 'x')));
    ASSERT_TRUE(kept.ok());
    EXPECT_EQ(*kept, Kept::kTooLarge);
}

TEST_F(CompletionPagesTest, AllTasksTogetherHaveALimitThatIsGivenBack) {
    limits_.completion_pages_total_bytes = 300;
    limits_.completion_pages_share = 1;
    expect_kept(page(0, std::string(200, 'x')));
    EXPECT_EQ(keep(page(1, std::string(200, 'x'))).status().code(), absl::StatusCode::kAborted);
    expect_kept(page(0, std::string(200, 'x')));
}

TEST_F(CompletionPagesTest, ANamespaceMayNotTakeEverything) {
    limits_.completion_pages_total_bytes = 300;
    limits_.completion_pages_share = 0.5;
    EXPECT_EQ(keep(page(0, std::string(200, 'x'))).status().code(), absl::StatusCode::kAborted);
}

TEST_F(CompletionPagesTest, PagesThatMakeNoSenseAreRefused) {
    EXPECT_EQ(keep(page(-1, "a")).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(keep(page(5'000, "a")).status().code(), absl::StatusCode::kInvalidArgument);
    Request empty = page(0, "a");
    empty.clear_commands();
    EXPECT_EQ(keep(empty).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace stele::shard
