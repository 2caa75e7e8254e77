package stele.interop.scenarios;

import io.temporal.activity.ActivityOptions;
import io.temporal.common.RetryOptions;
import io.temporal.worker.Worker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import stele.interop.harness.Scenario;

/** What is shown with the Java SDK. Every other class here holds the scenarios of one subject. */
public final class Catalog {
  private Catalog() {}

  /** The scenarios; those that take longest come first, so that they overlap with the rest. */
  public static List<Scenario> all() {
    return List.of(
        new Scenario("worker_killed_mid_task", Recovery::workerKilledMidTask),
        new Scenario("history_2000_cold_cache", Recovery::historyWithColdCache),
        new Scenario("local_activity", Activities::localActivity),
        new Scenario("patching", Recovery::patching),
        new Scenario("id_policies", Identity::idPolicies),
        new Scenario("activity_heartbeat_cancel", Activities::heartbeatDeliversCancellation),
        new Scenario("activity_retry", Activities::activityRetry),
        new Scenario("timeout_schedule_to_start", Timeouts::scheduleToStart),
        new Scenario("timeout_start_to_close", Timeouts::startToClose),
        new Scenario("timeout_schedule_to_close", Timeouts::scheduleToClose),
        new Scenario("timeout_heartbeat", Timeouts::heartbeat),
        new Scenario("workflow_timeouts", Timeouts::workflow),
        new Scenario("timers", Shapes::timers),
        new Scenario("signal", Messages::signals),
        new Scenario("signal_with_start", Messages::signalWithStart),
        new Scenario("query_open", Messages::queryOpen),
        new Scenario("query_closed", Messages::queryClosed),
        new Scenario("cancel_cleanup", Messages::cancelWithCleanup),
        new Scenario("terminate", Messages::terminate),
        new Scenario("continue_as_new", Shapes::continueAsNew),
        new Scenario("payload_1mib", Shapes::payloadOfOneMebibyte),
        new Scenario("memo_and_search_attributes", Shapes::memoAndSearchAttributes),
        new Scenario("async_completion", Activities::asyncCompletion),
        new Scenario("side_effect_or_random", Shapes::sideEffects),
        new Scenario("concurrency_100", Shapes::hundredAtOnce, true));
  }

  /** What a worker process can register, by name. */
  public static Map<String, Consumer<Worker>> roles() {
    return Map.of(
        "stuck_activity", worker -> Recovery.registerSurvivor(worker, false),
        "stuck_workflow", worker -> Recovery.registerStuck(worker, false));
  }

  /** Retries soon, up to the given number of attempts. */
  static RetryOptions quickRetry(int attempts) {
    return RetryOptions.newBuilder()
        .setInitialInterval(Duration.ofMillis(50))
        .setBackoffCoefficient(2)
        .setMaximumAttempts(attempts)
        .build();
  }

  /** Options for activities that are not meant to time out. */
  static ActivityOptions activityOptions() {
    return ActivityOptions.newBuilder()
        .setStartToCloseTimeout(Duration.ofSeconds(20))
        .setRetryOptions(quickRetry(3))
        .build();
  }
}
