package stele.interop.scenarios;

import static stele.interop.harness.Checks.equal;
import static stele.interop.harness.Checks.inChain;
import static stele.interop.harness.Checks.isTrue;
import static stele.interop.harness.Checks.throwing;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.RetryState;
import io.temporal.api.enums.v1.TimeoutType;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.common.RetryOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.TimeoutFailure;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import stele.interop.harness.Env;

/** Every timeout that an activity or a workflow can have. */
public final class Timeouts {
  private Timeouts() {}

  @ActivityInterface
  public interface Slow {
    void idle(String heartbeat);

    void failAlways();
  }

  public static final class SlowActivities implements Slow {
    /** Does nothing for a while; it may report one heartbeat first. */
    @Override
    public void idle(String heartbeat) {
      if (!heartbeat.isEmpty()) {
        Activity.getExecutionContext().heartbeat(heartbeat);
      }
      Activities.pause(20_000);
    }

    @Override
    public void failAlways() {
      throw ApplicationFailure.newFailure("always fails", "Always");
    }
  }

  @WorkflowInterface
  public interface TimeoutWorkflow {
    @WorkflowMethod
    void run(String kind);
  }

  public static final class TimeoutWorkflowImpl implements TimeoutWorkflow {
    @Override
    public void run(String kind) {
      switch (kind) {
        case "schedule-to-start" ->
            slow(
                    ActivityOptions.newBuilder()
                        .setTaskQueue(Workflow.getInfo().getTaskQueue() + "-nobody-polls")
                        .setScheduleToStartTimeout(Duration.ofSeconds(1))
                        .setStartToCloseTimeout(Duration.ofSeconds(20)))
                .idle("");
        case "start-to-close" ->
            slow(
                    ActivityOptions.newBuilder()
                        .setStartToCloseTimeout(Duration.ofMillis(500))
                        .setRetryOptions(Catalog.quickRetry(2)))
                .idle("");
        case "schedule-to-close" ->
            slow(ActivityOptions.newBuilder().setScheduleToCloseTimeout(Duration.ofSeconds(1)))
                .idle("");
        case "heartbeat" ->
            slow(
                    ActivityOptions.newBuilder()
                        .setStartToCloseTimeout(Duration.ofSeconds(20))
                        .setHeartbeatTimeout(Duration.ofSeconds(1))
                        .setRetryOptions(Catalog.quickRetry(1)))
                .idle("last words");
        case "no-time-for-retry" ->
            slow(
                    ActivityOptions.newBuilder()
                        .setScheduleToCloseTimeout(Duration.ofSeconds(1))
                        .setRetryOptions(everySoOften(Duration.ofMillis(400))))
                .failAlways();
        default -> throw ApplicationFailure.newNonRetryableFailure(kind, "UnknownKind");
      }
    }

    private static Slow slow(ActivityOptions.Builder options) {
      return Workflow.newActivityStub(Slow.class, options.build());
    }
  }

  private static RetryOptions everySoOften(Duration interval) {
    return RetryOptions.newBuilder().setInitialInterval(interval).setBackoffCoefficient(1).build();
  }

  /** Runs an activity that must time out in a second, not earlier and not much later. */
  private static TimeoutFailure timeOut(Env env, String kind, TimeoutType expected) {
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(TimeoutWorkflowImpl.class);
          worker.registerActivitiesImplementations(new SlowActivities());
        });
    long begin = System.nanoTime();
    WorkflowStub stub = env.start(TimeoutWorkflow.class, kind, kind);
    ActivityFailure failure =
        throwing(ActivityFailure.class, kind, () -> stub.getResult(Object.class));
    Duration elapsed = Duration.ofNanos(System.nanoTime() - begin);
    isTrue(
        elapsed.toMillis() > 1000 && elapsed.toSeconds() < 11,
        "the timeout comes on time, not after " + elapsed);
    WorkflowExecution run = stub.getExecution();
    env.hasEvents(run, 1, EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT);
    TimeoutFailure timeout = inChain(TimeoutFailure.class, kind, failure);
    equal(expected, timeout.getTimeoutType(), "timeout type");
    return timeout;
  }

  static void scheduleToStart(Env env) {
    timeOut(env, "schedule-to-start", TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
  }

  static void startToClose(Env env) {
    timeOut(env, "start-to-close", TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE);
  }

  static void scheduleToClose(Env env) {
    timeOut(env, "schedule-to-close", TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);

    // An activity whose next retry would come too late fails as it failed last.
    WorkflowStub stub = env.start(TimeoutWorkflow.class, "retries", "no-time-for-retry");
    ActivityFailure failure =
        throwing(ActivityFailure.class, "retries", () -> stub.getResult(Object.class));
    equal(RetryState.RETRY_STATE_TIMEOUT, failure.getRetryState(), "retry state");
    equal(
        "always fails",
        inChain(ApplicationFailure.class, "retries", failure).getOriginalMessage(),
        "last failure");
  }

  static void heartbeat(Env env) {
    TimeoutFailure timeout = timeOut(env, "heartbeat", TimeoutType.TIMEOUT_TYPE_HEARTBEAT);
    equal(
        "last words",
        timeout.getLastHeartbeatDetails().get(String.class),
        "details of the last heartbeat");
  }

  @WorkflowInterface
  public interface SleepWorkflow {
    @WorkflowMethod
    void run(int seconds);
  }

  public static final class SleepWorkflowImpl implements SleepWorkflow {
    @Override
    public void run(int seconds) {
      Workflow.sleep(Duration.ofSeconds(seconds));
    }
  }

  static void workflow(Env env) {
    env.worker(worker -> worker.registerWorkflowImplementationTypes(SleepWorkflowImpl.class));
    Duration second = Duration.ofSeconds(1);
    List<WorkflowStub> stubs = new ArrayList<>();
    long begin = System.nanoTime();
    for (WorkflowOptions options :
        List.of(
            env.options("run").setWorkflowRunTimeout(second).build(),
            env.options("execution").setWorkflowExecutionTimeout(second).build(),
            // Nobody polls this task queue: the workflow times out without having run.
            env.options("unserved")
                .setTaskQueue(env.taskQueue() + "-nobody-polls")
                .setWorkflowRunTimeout(second)
                .build(),
            // The execution timeout spans the retries that the run timeout leads to.
            env.options("retried")
                .setWorkflowExecutionTimeout(Duration.ofSeconds(3))
                .setWorkflowRunTimeout(second)
                .setRetryOptions(everySoOften(Duration.ofMillis(100)))
                .build())) {
      stubs.add(env.start(SleepWorkflow.class, options, 60));
    }
    String firstRunOfRetried = stubs.get(3).getExecution().getRunId();
    for (WorkflowStub stub : stubs) {
      String id = stub.getExecution().getWorkflowId();
      TimeoutFailure timeout =
          throwing(TimeoutFailure.class, id, () -> stub.getResult(Object.class));
      equal(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE, timeout.getTimeoutType(), "timeout of " + id);
      env.hasStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, current(id));
    }
    isTrue(System.nanoTime() - begin > 2_500_000_000L, "retries last longer than one run timeout");
    String lastRun =
        env.describe(current(env.id("retried")))
            .getWorkflowExecutionInfo()
            .getExecution()
            .getRunId();
    isTrue(!lastRun.equals(firstRunOfRetried), "the retried workflow has more than one run");
  }

  private static WorkflowExecution current(String workflowId) {
    return WorkflowExecution.newBuilder().setWorkflowId(workflowId).build();
  }
}
