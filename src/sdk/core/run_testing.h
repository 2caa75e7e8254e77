#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "sdk/core/errors.h"
#include "sdk/core/history_testing.h"
#include "sdk/core/run.h"
#include "sdk/worker/registry.h"
#include "stele/replayer.h"
#include "stele/stele.h"

namespace stele::core::testing {

/// Real workflow code on real machines, without a network: histories in, commands out.
class RunTest : public ::testing::Test {
protected:
    template <auto Fn>
    void add(const std::string& name = "w") {
        wf::detail::Definition definition;
        definition.name = name;
        definition.make = [] { return std::make_unique<wf::detail::FunctionBody<Fn>>(); };
        registry_.add(std::move(definition));
    }

    std::unique_ptr<core::Run> make_run() {
        return std::make_unique<core::Run>([this](const InitializeJob& job) {
            return registry_.make_code(
                job, {"default", "id", "run",
                      [this](const LogRecord& record) { log_.push_back(record.message); }});
        });
    }

    /// Feeds the events behind what the run has seen and lets it work on the task at hand.
    std::vector<Command> run_task(core::Run& run, const HistoryWriter& writer, std::int64_t started,
                                  std::int64_t replay_until,
                                  std::vector<UpdateRequest> updates = {}) {
        run.history().reset(run.last_read_event_id());
        run.history().add(writer.from(run.last_started_event_id() + 1));
        run.history().finish();
        run.begin({replay_until, started, std::move(updates)});
        EXPECT_EQ(run.advance(), core::Run::Progress::kCaughtUp);
        return run.take_commands();
    }

    /// A whole history, without the task at hand; gives the error, or nothing.
    std::string replay_error(const HistoryWriter& writer) {
        Replayer replayer;
        for (const auto& [name, definition] : registry_.workflows) replayer.add(*definition);
        return replayer.replay(writer.history(), "id").error;
    }

    sdk::Registry registry_;
    std::vector<std::string> log_;
};

inline std::vector<enums::CommandType> types(const std::vector<Command>& commands) {
    std::vector<enums::CommandType> result;
    for (const Command& command : commands) result.push_back(command.command_type());
    return result;
}

inline void expect_mentions(const std::string& text, std::initializer_list<const char*> parts) {
    for (const char* part : parts)
        EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" in: " << text;
}

}  // namespace stele::core::testing
