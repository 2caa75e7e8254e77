package stele.interop.scenarios;

import static stele.interop.harness.Checks.equal;
import static stele.interop.harness.Checks.isTrue;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.activity.LocalActivityOptions;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.PendingWorkflowTaskState;
import io.temporal.client.WorkflowStub;
import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import io.temporal.worker.WorkflowImplementationOptions;
import io.temporal.workflow.Async;
import io.temporal.workflow.Promise;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import stele.interop.harness.Env;

/** What holds when workers forget, die or run other code than before. */
public final class Recovery {
  private static final int ROUNDS = 10;
  private static final int SIDE_EFFECTS = 130;
  private static final int TIMERS = 30;
  private static final int SUM_OF_ROUND = SIDE_EFFECTS + 1000 + 1001 + 1002 + 970;

  private Recovery() {}

  @ActivityInterface
  public interface LocalGreeter {
    int greetLocally(int number);
  }

  public static final class LocalGreeterActivities implements LocalGreeter {
    @Override
    public int greetLocally(int number) {
      return number + 1000;
    }
  }

  @WorkflowInterface
  public interface LongHistoryWorkflow {
    @WorkflowMethod
    int run();

    @SignalMethod
    void finish();

    @QueryMethod
    int sum();
  }

  public static final class LongHistoryWorkflowImpl implements LongHistoryWorkflow {
    private final Shapes.Greeter greeter =
        Workflow.newActivityStub(Shapes.Greeter.class, Catalog.activityOptions());
    private final LocalGreeter local =
        Workflow.newLocalActivityStub(
            LocalGreeter.class,
            LocalActivityOptions.newBuilder()
                .setScheduleToCloseTimeout(Duration.ofSeconds(20))
                .build());
    private int sum;
    private boolean finished;

    /** Fills more than 2,000 events, then waits for a signal. */
    @Override
    public int run() {
      for (int round = 0; round < ROUNDS; round++) {
        fill();
      }
      Workflow.await(() -> finished);
      return sum;
    }

    private void fill() {
      for (int i = 0; i < SIDE_EFFECTS; i++) {
        sum += Workflow.sideEffect(Integer.class, () -> 1);
      }
      List<Promise<Void>> timers = new ArrayList<>();
      for (int i = 0; i < TIMERS; i++) {
        timers.add(Workflow.newTimer(Duration.ofMillis(20)));
      }
      List<Promise<Integer>> greetings = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        greetings.add(Async.function(greeter::greet, i));
      }
      greetings.add(Async.function(local::greetLocally, -30));
      Promise.allOf(timers).get();
      for (Promise<Integer> greeting : greetings) {
        sum += greeting.get();
      }
    }

    @Override
    public void finish() {
      finished = true;
    }

    @Override
    public int sum() {
      return sum;
    }
  }

  private static void registerLongHistory(Worker worker) {
    worker.registerWorkflowImplementationTypes(LongHistoryWorkflowImpl.class);
    worker.registerActivitiesImplementations(
        new Shapes.GreeterActivities(), new LocalGreeterActivities());
  }

  static void historyWithColdCache(Env env) throws Exception {
    WorkerFactory warm = env.worker(Recovery::registerLongHistory);
    WorkflowStub stub = env.start(LongHistoryWorkflow.class, "long");
    WorkflowExecution run = stub.getExecution();
    int want = ROUNDS * SUM_OF_ROUND;
    env.eventually(
        "all rounds are done",
        () ->
            env.describe(run).getWorkflowExecutionInfo().getHistoryLength() > 2000
                && stub.query("sum", Integer.class) == want);
    env.stop(warm);
    // This worker keeps nothing: it must read every page for every task.
    env.worker(
        WorkerFactoryOptions.newBuilder().setWorkflowCacheSize(0).build(),
        Recovery::registerLongHistory);
    equal(want, stub.query("sum", Integer.class), "sum on another worker");
    stub.signal("finish");
    equal(want, stub.getResult(Integer.class), "result");
    isTrue(env.history(run).size() > 2000, "a long history");
    env.hasEvents(run, 0, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED);
  }

  /** Activities that never return in the process that is to be killed. */
  @ActivityInterface
  public interface Stuck {
    int stuck();
  }

  /** Only the worker of the parent process knows that its activities may finish. */
  private static final class StuckActivities implements Stuck {
    private final boolean mayFinish;

    StuckActivities(boolean mayFinish) {
      this.mayFinish = mayFinish;
    }

    @Override
    public int stuck() {
      while (!mayFinish) {
        if (!Activity.getExecutionContext().getInfo().isLocal()) {
          Activity.getExecutionContext().heartbeat(null);
        }
        Activities.pause(100);
      }
      return Activity.getExecutionContext().getInfo().getAttempt();
    }
  }

  @WorkflowInterface
  public interface SurvivorWorkflow {
    @WorkflowMethod
    int run();
  }

  public static final class SurvivorWorkflowImpl implements SurvivorWorkflow {
    @Override
    public int run() {
      return Workflow.newActivityStub(
              Stuck.class,
              ActivityOptions.newBuilder()
                  .setStartToCloseTimeout(Duration.ofSeconds(30))
                  .setHeartbeatTimeout(Duration.ofSeconds(3))
                  .setRetryOptions(Catalog.quickRetry(3))
                  .build())
          .stuck();
    }
  }

  /** Its local activity keeps the workflow task in the hands of the worker. */
  @WorkflowInterface
  public interface StuckWorkflow {
    @WorkflowMethod
    int run();
  }

  public static final class StuckWorkflowImpl implements StuckWorkflow {
    @Override
    public int run() {
      return Workflow.newLocalActivityStub(
              Stuck.class,
              LocalActivityOptions.newBuilder()
                  .setScheduleToCloseTimeout(Duration.ofSeconds(50))
                  .setRetryOptions(Catalog.quickRetry(1))
                  .build())
          .stuck();
    }
  }

  static void registerSurvivor(Worker worker, boolean mayFinish) {
    worker.registerWorkflowImplementationTypes(SurvivorWorkflowImpl.class);
    worker.registerActivitiesImplementations(new StuckActivities(mayFinish));
  }

  static void registerStuck(Worker worker, boolean mayFinish) {
    worker.registerWorkflowImplementationTypes(StuckWorkflowImpl.class);
    worker.registerActivitiesImplementations(new StuckActivities(mayFinish));
  }

  static void workerKilledMidTask(Env env) throws Exception {
    killedInActivity(env);
    killedInWorkflowTask(env);
  }

  private static void killedInActivity(Env env) throws Exception {
    Process process = env.workerProcess("stuck_activity");
    WorkflowStub stub = env.start(SurvivorWorkflow.class, "activity");
    WorkflowExecution run = stub.getExecution();
    env.eventually("the activity is in progress", () -> env.activityStarted(run, 1));
    env.kill(process);
    WorkerFactory other = env.worker(worker -> registerSurvivor(worker, true));
    isTrue(stub.getResult(Integer.class) > 1, "another worker finished a later attempt");
    env.stop(other);
  }

  private static void killedInWorkflowTask(Env env) throws Exception {
    Process process = env.workerProcess("stuck_workflow");
    WorkflowStub stub =
        env.start(
            StuckWorkflow.class,
            env.options("workflow-task").setWorkflowTaskTimeout(Duration.ofSeconds(3)).build());
    WorkflowExecution run = stub.getExecution();
    env.eventually(
        "the workflow task is in progress",
        () ->
            env.describe(run).getPendingWorkflowTask().getState()
                == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED);
    env.kill(process);
    env.worker(worker -> registerStuck(worker, true));
    equal(1, stub.getResult(Integer.class), "attempt of the local activity");
    isTrue(
        !env.events(run, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT).isEmpty(),
        "the task of the killed worker timed out");
  }

  @ActivityInterface
  public interface Arithmetic {
    int addOne(int number);

    int multiply(int number);
  }

  public static final class ArithmeticActivities implements Arithmetic {
    @Override
    public int addOne(int number) {
      return number + 1;
    }

    @Override
    public int multiply(int number) {
      return number * 10;
    }
  }

  @WorkflowInterface
  public interface PatchedWorkflow {
    @WorkflowMethod
    int run();

    @SignalMethod
    void finish();
  }

  /** What the versions of the workflow have in common. */
  public abstract static class Patchable implements PatchedWorkflow {
    protected final Arithmetic arithmetic =
        Workflow.newActivityStub(Arithmetic.class, Catalog.activityOptions());
    private boolean finished;

    protected int finishWith(int result) {
      Workflow.await(() -> finished);
      return result;
    }

    @Override
    public void finish() {
      finished = true;
    }
  }

  /** The workflow as it was first written. */
  public static final class BeforePatch extends Patchable {
    @Override
    public int run() {
      return finishWith(arithmetic.addOne(1));
    }
  }

  /** The same workflow with another activity for new runs. */
  public static final class AfterPatch extends Patchable {
    @Override
    public int run() {
      int version = Workflow.getVersion("use-multiply", Workflow.DEFAULT_VERSION, 1);
      return finishWith(version == 1 ? arithmetic.multiply(1) : arithmetic.addOne(1));
    }
  }

  /** A change without a version: old runs cannot continue. */
  public static final class Unpatched extends Patchable {
    @Override
    public int run() {
      return finishWith(arithmetic.multiply(1));
    }
  }

  private static void registerPatched(Worker worker, Class<?> implementation) {
    worker.registerWorkflowImplementationTypes(
        WorkflowImplementationOptions.newBuilder()
            .setEnableUpsertVersionSearchAttributes(true)
            .build(),
        implementation);
    worker.registerActivitiesImplementations(new ArithmeticActivities());
  }

  static void patching(Env env) throws Exception {
    WorkerFactory before = env.worker(worker -> registerPatched(worker, BeforePatch.class));
    WorkflowStub old = env.start(PatchedWorkflow.class, "old");
    WorkflowExecution oldRun = old.getExecution();
    env.eventually(
        "the old run is past its activity",
        () -> env.events(oldRun, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED).size() == 1);
    env.stop(before);
    env.worker(worker -> registerPatched(worker, AfterPatch.class));
    WorkflowStub fresh = env.start(PatchedWorkflow.class, "new");
    WorkflowExecution newRun = fresh.getExecution();
    old.signal("finish");
    fresh.signal("finish");
    equal(2, old.getResult(Integer.class), "result of the run from before the patch");
    equal(10, fresh.getResult(Integer.class), "result of the run from after the patch");
    env.hasEvents(oldRun, 0, EventType.EVENT_TYPE_MARKER_RECORDED);
    env.hasEvents(newRun, 1, EventType.EVENT_TYPE_MARKER_RECORDED);
    env.hasEvents(newRun, 1, EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
    isTrue(replays(env, oldRun, AfterPatch.class), "the old run replays on the new code");
    isTrue(replays(env, newRun, AfterPatch.class), "the new run replays on the new code");
    isTrue(!replays(env, oldRun, Unpatched.class), "a change without a version does not replay");
  }

  /** Replays a history on a worker that is never started. */
  private static boolean replays(Env env, WorkflowExecution run, Class<?> implementation) {
    WorkflowExecutionHistory history =
        env.client().fetchHistory(run.getWorkflowId(), run.getRunId());
    WorkerFactory factory = WorkerFactory.newInstance(env.client());
    Worker worker = factory.newWorker(env.taskQueue());
    registerPatched(worker, implementation);
    try {
      worker.replayWorkflowExecution(history);
      return true;
    } catch (Exception mismatch) {
      return false;
    } finally {
      factory.shutdownNow();
    }
  }
}
