package stele.interop.scenarios;

import static stele.interop.harness.Checks.equal;
import static stele.interop.harness.Checks.isTrue;
import static stele.interop.harness.Checks.throwing;

import io.temporal.activity.ActivityInterface;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.QueryRejectCondition;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.history.v1.WorkflowExecutionTerminatedEventAttributes;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowQueryConditionallyRejectedException;
import io.temporal.client.WorkflowQueryException;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TerminatedFailure;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import stele.interop.harness.Env;

/** What reaches a workflow from outside: signals, queries, cancellation, termination. */
public final class Messages {
  private Messages() {}

  /** Collects values until it is told to finish. */
  @WorkflowInterface
  public interface CollectWorkflow {
    @WorkflowMethod
    int[] run(int[] initial);

    @SignalMethod
    void add(int value);

    @SignalMethod
    void finish();

    @QueryMethod
    int[] values(int from);
  }

  public static final class CollectWorkflowImpl implements CollectWorkflow {
    private final List<Integer> collected = new ArrayList<>();
    private boolean finished;

    @Override
    public int[] run(int[] initial) {
      // Signals that came before the workflow started have been delivered already.
      for (int i = 0; i < initial.length; i++) {
        collected.add(i, initial[i]);
      }
      Workflow.await(() -> finished);
      return values(0);
    }

    @Override
    public void add(int value) {
      collected.add(value);
    }

    @Override
    public void finish() {
      finished = true;
    }

    @Override
    public int[] values(int from) {
      if (from > collected.size()) {
        throw new IllegalArgumentException("there are only " + collected.size() + " values");
      }
      return collected.stream().skip(from).mapToInt(Integer::intValue).toArray();
    }
  }

  static void registerCollect(Worker worker) {
    worker.registerWorkflowImplementationTypes(CollectWorkflowImpl.class);
  }

  private static String countTo(int limit) {
    return Arrays.toString(IntStream.range(0, limit).toArray());
  }

  private static String result(WorkflowStub stub) {
    return Arrays.toString(stub.getResult(int[].class));
  }

  private static String values(WorkflowStub stub, int from) {
    return Arrays.toString(stub.query("values", int[].class, from));
  }

  static void signals(Env env) {
    WorkflowStub stub = env.start(CollectWorkflow.class, "collect", new int[0]);
    // Half of the signals are there before the first workflow task starts.
    for (int i = 0; i < 30; i++) {
      if (i == 15) {
        env.worker(Messages::registerCollect);
      }
      stub.signal("add", i);
    }
    stub.signal("finish");
    equal(countTo(30), result(stub), "signals in the order sent");
    env.hasEvents(stub.getExecution(), 31, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
    notFound("signal to a closed workflow", () -> stub.signal("add", 1));
    WorkflowStub unknown = env.client().newUntypedWorkflowStub(env.id("never-started"));
    notFound("signal to an unknown workflow", () -> unknown.signal("add", 1));
  }

  private static void notFound(String what, Runnable action) {
    Callable<String> call =
        () -> {
          action.run();
          return "accepted";
        };
    throwing(WorkflowNotFoundException.class, what, call);
  }

  static void signalWithStart(Env env) {
    env.worker(Messages::registerCollect);
    WorkflowStub first = sendWithStart(env, 0);
    WorkflowStub second = sendWithStart(env, 1);
    equal(
        first.getExecution().getRunId(),
        second.getExecution().getRunId(),
        "run that gets the second signal");
    first.signal("finish");
    equal("[0, 1]", result(first), "values");
    WorkflowStub third = sendWithStart(env, 2);
    isTrue(
        !third.getExecution().getRunId().equals(first.getExecution().getRunId()),
        "a closed workflow is started anew");
    third.signal("finish");
    equal("[2]", result(third), "values of the new run");
  }

  private static WorkflowStub sendWithStart(Env env, int value) {
    WorkflowStub stub =
        env.client().newUntypedWorkflowStub("CollectWorkflow", env.options("collect").build());
    stub.signalWithStart("add", new Object[] {value}, new Object[] {new int[0]});
    return stub;
  }

  static void queryOpen(Env env) {
    env.worker(Messages::registerCollect);
    WorkflowStub stub = env.start(CollectWorkflow.class, "collect", new int[0]);
    equal("[]", values(stub, 0), "values at first");
    for (int i = 0; i < 10; i++) {
      stub.signal("add", i);
      // A query sees every signal that was acknowledged before it was sent.
      equal(countTo(i + 1), values(stub, 0), "values after a signal");
    }
    equal("[8, 9]", values(stub, 8), "query with an argument");
    WorkflowQueryException failed =
        throwing(WorkflowQueryException.class, "a handler that fails", () -> values(stub, 99));
    isTrue(
        String.valueOf(failed.getCause()).contains("there are only 10 values"),
        "the message of the handler in " + failed.getCause());
    throwing(
        WorkflowQueryException.class,
        "an unknown query",
        () -> stub.query("noSuchQuery", Object.class));
    stub.signal("finish");
    equal(countTo(10), result(stub), "values at the end");
  }

  static void queryClosed(Env env) {
    WorkerFactory worker = env.worker(Messages::registerCollect);
    WorkflowStub stub = env.start(CollectWorkflow.class, "collect", new int[] {4});
    stub.signal("add", 5);
    stub.signal("finish");
    equal("[4, 5]", result(stub), "values at the end");
    equal("[4, 5]", values(stub, 0), "values after the end");
    // A new worker has to read the history of the closed run first.
    env.stop(worker);
    env.worker(Messages::registerCollect);
    equal("[5]", values(stub, 1), "values on another worker");

    WorkflowClient openOnly =
        WorkflowClient.newInstance(
            env.client().getWorkflowServiceStubs(),
            WorkflowClientOptions.newBuilder(env.client().getOptions())
                .setQueryRejectCondition(QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN)
                .build());
    WorkflowStub closed = openOnly.newUntypedWorkflowStub(env.id("collect"));
    WorkflowQueryConditionallyRejectedException rejected =
        throwing(
            WorkflowQueryConditionallyRejectedException.class,
            "a query that wants an open workflow",
            () -> values(closed, 0));
    equal(
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
        rejected.getWorkflowExecutionStatus(),
        "status in the rejection");
  }

  @ActivityInterface
  public interface Cleaner {
    String cleanUp();
  }

  public static final class CleanerActivities implements Cleaner {
    @Override
    public String cleanUp() {
      return "cleaned up";
    }
  }

  @WorkflowInterface
  public interface CleanupWorkflow {
    @WorkflowMethod
    void run();
  }

  public static final class CleanupWorkflowImpl implements CleanupWorkflow {
    private final Cleaner cleaner =
        Workflow.newActivityStub(Cleaner.class, Catalog.activityOptions());

    /** Waits to be canceled and then runs an activity that the cancellation does not reach. */
    @Override
    public void run() {
      try {
        Workflow.sleep(Duration.ofMinutes(1));
      } catch (CanceledFailure canceled) {
        Workflow.newDetachedCancellationScope(cleaner::cleanUp).run();
        throw canceled;
      }
    }
  }

  static void cancelWithCleanup(Env env) throws Exception {
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(CleanupWorkflowImpl.class);
          worker.registerActivitiesImplementations(new CleanerActivities());
        });
    WorkflowStub stub = env.start(CleanupWorkflow.class, "cancel");
    WorkflowExecution run = stub.getExecution();
    env.eventually(
        "the timer is started",
        () -> env.events(run, EventType.EVENT_TYPE_TIMER_STARTED).size() == 1);
    stub.cancel();
    throwing(
        CanceledFailure.class, "result of a canceled workflow", () -> stub.getResult(Object.class));
    env.hasStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED, run);
    env.hasEvents(run, 1, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
    env.hasEvents(run, 1, EventType.EVENT_TYPE_TIMER_CANCELED);
    env.hasEvents(run, 1, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    WorkflowStub unknown = env.client().newUntypedWorkflowStub(env.id("never-started"));
    notFound("cancel of an unknown workflow", unknown::cancel);
  }

  static void terminate(Env env) {
    env.worker(Messages::registerCollect);
    WorkflowStub stub = env.start(CollectWorkflow.class, "collect", new int[0]);
    values(stub, 0);
    stub.terminate("no longer needed", "why");
    throwing(
        TerminatedFailure.class,
        "result of a terminated workflow",
        () -> stub.getResult(Object.class));
    WorkflowExecution run = stub.getExecution();
    env.hasStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED, run);
    List<HistoryEvent> events = env.history(run);
    HistoryEvent last = events.get(events.size() - 1);
    isTrue(last.hasWorkflowExecutionTerminatedEventAttributes(), "termination is the last event");
    WorkflowExecutionTerminatedEventAttributes attributes =
        last.getWorkflowExecutionTerminatedEventAttributes();
    equal("no longer needed", attributes.getReason(), "reason");
    equal(1, attributes.getDetails().getPayloadsCount(), "details");
    notFound("terminate a closed workflow", () -> stub.terminate("again"));
  }
}
