package stele.interop.scenarios;

import static stele.interop.harness.Checks.equal;
import static stele.interop.harness.Checks.inChain;
import static stele.interop.harness.Checks.isTrue;
import static stele.interop.harness.Checks.throwing;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.activity.ActivityInfo;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.activity.LocalActivityOptions;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.RetryState;
import io.temporal.api.history.v1.ActivityTaskStartedEventAttributes;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.client.ActivityCompletionClient;
import io.temporal.client.ActivityNotExistsException;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Promise;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import stele.interop.harness.CheckFailed;
import stele.interop.harness.Env;

/** Activities: retries, heartbeats, cancellation, local ones, completion from elsewhere. */
public final class Activities {
  private Activities() {}

  @ActivityInterface
  public interface Flaky {
    int failUntil(int succeedAt);

    void failForGood();
  }

  public static final class FlakyActivities implements Flaky {
    /** Fails every attempt before the given one and returns its attempt. */
    @Override
    public int failUntil(int succeedAt) {
      int attempt = Activity.getExecutionContext().getInfo().getAttempt();
      if (attempt < succeedAt) {
        throw ApplicationFailure.newFailure("attempt " + attempt + " is meant to fail", "Flaky");
      }
      return attempt;
    }

    @Override
    public void failForGood() {
      throw ApplicationFailure.newNonRetryableFailure("never try this again", "Fatal", "detail");
    }
  }

  @WorkflowInterface
  public interface RetryWorkflow {
    @WorkflowMethod
    int run(int succeedAt);
  }

  public static final class RetryWorkflowImpl implements RetryWorkflow {
    private final Flaky flaky = Workflow.newActivityStub(Flaky.class, Catalog.activityOptions());

    /** Zero stands for the activity that fails for good. */
    @Override
    public int run(int succeedAt) {
      if (succeedAt == 0) {
        flaky.failForGood();
      }
      return flaky.failUntil(succeedAt);
    }
  }

  static void activityRetry(Env env) {
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(RetryWorkflowImpl.class);
          worker.registerActivitiesImplementations(new FlakyActivities());
        });
    WorkflowStub succeeds = env.start(RetryWorkflow.class, "succeeds", 3);
    equal(3, succeeds.getResult(Integer.class), "attempt that succeeds");
    List<HistoryEvent> started =
        env.events(succeeds.getExecution(), EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED);
    equal(1, started.size(), "started events of a retried activity");
    ActivityTaskStartedEventAttributes attributes =
        started.get(0).getActivityTaskStartedEventAttributes();
    equal(3, attributes.getAttempt(), "attempt in the started event");
    equal(
        "attempt 2 is meant to fail",
        attributes.getLastFailure().getMessage(),
        "last failure in the started event");

    ActivityFailure exhausted = failureOf(env.start(RetryWorkflow.class, "exhausted", 9));
    equal(
        RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, exhausted.getRetryState(), "retry state");
    equal(
        "Flaky",
        inChain(ApplicationFailure.class, "attempts used up", exhausted).getType(),
        "failure type");

    ActivityFailure fatal = failureOf(env.start(RetryWorkflow.class, "fatal", 0));
    equal(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE, fatal.getRetryState(), "retry state");
    ApplicationFailure cause = inChain(ApplicationFailure.class, "not retryable", fatal);
    equal("detail", cause.getDetails().get(String.class), "failure details");
  }

  private static ActivityFailure failureOf(WorkflowStub stub) {
    return throwing(
        ActivityFailure.class, "result of a failing activity", () -> stub.getResult(Object.class));
  }

  @ActivityInterface
  public interface Beating {
    void beatUntilCanceled();
  }

  public static final class BeatingActivities implements Beating {
    /** The first attempt fails after reporting 7, so that the second finds that report. */
    @Override
    public void beatUntilCanceled() {
      ActivityExecutionContext context = Activity.getExecutionContext();
      if (context.getInfo().getAttempt() == 1) {
        context.heartbeat(7);
        throw ApplicationFailure.newFailure("the first attempt is meant to fail", "First");
      }
      Optional<Integer> progress = context.getHeartbeatDetails(Integer.class);
      if (!progress.equals(Optional.of(7))) {
        throw ApplicationFailure.newNonRetryableFailure("progress " + progress, "Progress");
      }
      while (true) {
        context.heartbeat(progress.get()); // Throws once the activity is canceled.
        pause(50);
      }
    }
  }

  @WorkflowInterface
  public interface CancelActivityWorkflow {
    @WorkflowMethod
    String run();

    @SignalMethod
    void cancelActivity();
  }

  public static final class CancelActivityWorkflowImpl implements CancelActivityWorkflow {
    private boolean canceled;

    @Override
    public String run() {
      Beating activities =
          Workflow.newActivityStub(
              Beating.class,
              ActivityOptions.newBuilder()
                  .setStartToCloseTimeout(Duration.ofSeconds(30))
                  .setHeartbeatTimeout(Duration.ofSeconds(10))
                  .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
                  .setRetryOptions(Catalog.quickRetry(2))
                  .build());
      Promise<?>[] promise = new Promise<?>[1];
      CancellationScope scope =
          Workflow.newCancellationScope(
              () -> promise[0] = Async.procedure(activities::beatUntilCanceled));
      scope.run();
      Workflow.await(() -> canceled);
      scope.cancel();
      try {
        promise[0].get();
      } catch (ActivityFailure failure) {
        return failure.getCause() instanceof CanceledFailure ? "canceled" : failure.toString();
      }
      return "completed";
    }

    @Override
    public void cancelActivity() {
      canceled = true;
    }
  }

  static void heartbeatDeliversCancellation(Env env) throws Exception {
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(CancelActivityWorkflowImpl.class);
          worker.registerActivitiesImplementations(new BeatingActivities());
        });
    WorkflowStub stub = env.start(CancelActivityWorkflow.class, "cancel");
    WorkflowExecution run = stub.getExecution();
    env.eventually("the second attempt runs", () -> env.activityStarted(run, 2));
    stub.signal("cancelActivity");
    equal("canceled", stub.getResult(String.class), "end of the activity");
    env.hasEvents(run, 1, EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
    env.hasEvents(run, 1, EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED);
  }

  @ActivityInterface
  public interface Local {
    int failTwice();

    void failForGoodLocally();

    String nap();
  }

  public static final class LocalActivities implements Local {
    @Override
    public int failTwice() {
      return new FlakyActivities().failUntil(3);
    }

    @Override
    public void failForGoodLocally() {
      new FlakyActivities().failForGood();
    }

    @Override
    public String nap() {
      pause(5000);
      return "rested";
    }
  }

  @WorkflowInterface
  public interface LocalActivityWorkflow {
    @WorkflowMethod
    String run();
  }

  public static final class LocalActivityWorkflowImpl implements LocalActivityWorkflow {
    /** Runs one that is retried, one that fails for good, one that outlives its workflow task. */
    @Override
    public String run() {
      Local local =
          Workflow.newLocalActivityStub(
              Local.class,
              LocalActivityOptions.newBuilder()
                  .setScheduleToCloseTimeout(Duration.ofSeconds(20))
                  .setRetryOptions(Catalog.quickRetry(5))
                  .build());
      int attempt = local.failTwice();
      String fatal = "none";
      try {
        local.failForGoodLocally();
      } catch (ActivityFailure failure) {
        fatal = ((ApplicationFailure) failure.getCause()).getType();
      }
      return attempt + " " + fatal + " " + local.nap();
    }
  }

  static void localActivity(Env env) {
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(LocalActivityWorkflowImpl.class);
          worker.registerActivitiesImplementations(new LocalActivities());
        });
    WorkflowStub stub =
        env.start(
            LocalActivityWorkflow.class,
            env.options("local").setWorkflowTaskTimeout(Duration.ofSeconds(5)).build());
    equal("3 Fatal rested", stub.getResult(String.class), "results of the local activities");
    WorkflowExecution run = stub.getExecution();
    env.hasEvents(run, 3, EventType.EVENT_TYPE_MARKER_RECORDED);
    env.hasEvents(run, 0, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
    isTrue(
        env.events(run, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED).size() > 1,
        "a workflow task that was kept alive across the long local activity");
  }

  @ActivityInterface
  public interface Elsewhere {
    String completeElsewhere();
  }

  /** Leaves the completion to somebody who has the task token or the ids. */
  private static final class ElsewhereActivities implements Elsewhere {
    private final BlockingQueue<ActivityInfo> started = new LinkedBlockingQueue<>();

    @Override
    public String completeElsewhere() {
      ActivityExecutionContext context = Activity.getExecutionContext();
      started.add(context.getInfo());
      context.doNotCompleteOnReturn();
      return "ignored";
    }

    ActivityInfo next() throws InterruptedException {
      ActivityInfo info = started.poll(20, TimeUnit.SECONDS);
      if (info == null) {
        throw new CheckFailed("the activity never started");
      }
      return info;
    }
  }

  @WorkflowInterface
  public interface AsyncWorkflow {
    @WorkflowMethod
    String run();
  }

  public static final class AsyncWorkflowImpl implements AsyncWorkflow {
    @Override
    public String run() {
      ActivityOptions options =
          ActivityOptions.newBuilder()
              .setStartToCloseTimeout(Duration.ofSeconds(20))
              .setRetryOptions(Catalog.quickRetry(1))
              .build();
      return Workflow.newActivityStub(Elsewhere.class, options).completeElsewhere();
    }
  }

  static void asyncCompletion(Env env) throws InterruptedException {
    ElsewhereActivities activities = new ElsewhereActivities();
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(AsyncWorkflowImpl.class);
          worker.registerActivitiesImplementations(activities);
        });
    ActivityCompletionClient completion = env.client().newActivityCompletionClient();

    WorkflowStub byToken = env.start(AsyncWorkflow.class, "by-token");
    byte[] token = activities.next().getTaskToken();
    completion.heartbeat(token, "still here");
    completion.complete(token, "by token");
    equal("by token", byToken.getResult(String.class), "result by token");
    throwing(
        ActivityNotExistsException.class,
        "a second completion",
        () -> {
          completion.complete(token, "again");
          return "accepted";
        });

    WorkflowStub byId = env.start(AsyncWorkflow.class, "by-id");
    WorkflowExecution run = byId.getExecution();
    completion.complete(
        run.getWorkflowId(),
        Optional.of(run.getRunId()),
        activities.next().getActivityId(),
        "by id");
    equal("by id", byId.getResult(String.class), "result by id");

    WorkflowStub failing = env.start(AsyncWorkflow.class, "failing");
    completion.completeExceptionally(
        env.id("failing"),
        Optional.empty(),
        activities.next().getActivityId(),
        ApplicationFailure.newFailure("failed elsewhere", "Elsewhere"));
    ActivityFailure failure = failureOf(failing);
    equal(
        "Elsewhere",
        inChain(ApplicationFailure.class, "failure by id", failure).getType(),
        "failure type");
  }

  static void pause(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException interruption) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interruption);
    }
  }
}
