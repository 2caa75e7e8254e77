#pragma once

#include "env/sim/sim_random.h"
#include "temporal/api/command/v1/message.pb.h"
#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/history/v1/message.pb.h"

#include <string>
#include <vector>

// The simulated workflows: a script of one-letter steps, carried as the workflow's input. What a
// workflow does next is a pure function of its history, so any worker can go on at any moment.
//
//   A  an activity            P  three activities at once     T  a timer
//   S  wait for a signal      M  a marker and a memo          E  signal the neighbour
//   K  an activity that is cancelled       C  a timer that is cancelled
//   N  continue as new with the rest of the script
//   H  a child, and its end           R  fail, unless this is a second attempt
//   D  a child that waits for ever    Q  the same, to be cancelled and not terminated
//   O  an abandoned child that ends by itself
//   L  as D, and B  as O, but nobody waits until it has started
//   F  signal the neighbour, whatever comes of it     I  signal itself, which fails
//   G  signal another with start, as an operation of the server
//   Y  complete, in the first two runs of a cron schedule; then leave the schedule
namespace stele::sim {

/// Of every activity that a script schedules.
inline constexpr char kActivityType[] = "work";

using Command = temporal::api::command::v1::Command;
using HistoryEvent = temporal::api::history::v1::HistoryEvent;

/// A script of a few steps; `signals` of them wait for a signal.
std::string draw_script(env::SimRandom& random, int signals);
/// The retry policy of every run that may fail.
temporal::api::common::v1::RetryPolicy retry_policy();
/// The neighbour's workflow id travels behind the script.
std::string encode_input(const std::string& script, const std::string& neighbour);

/// The commands that the workflow gives after this whole history; empty while it waits.
std::vector<Command> decide(const std::vector<HistoryEvent>& history);

}  // namespace stele::sim
