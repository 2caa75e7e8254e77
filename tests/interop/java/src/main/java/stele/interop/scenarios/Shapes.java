package stele.interop.scenarios;

import static stele.interop.harness.Checks.equal;
import static stele.interop.harness.Checks.isTrue;

import com.google.protobuf.util.Durations;
import io.grpc.StatusRuntimeException;
import io.temporal.activity.ActivityInterface;
import io.temporal.api.common.v1.Payload;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.history.v1.TimerStartedEventAttributes;
import io.temporal.api.history.v1.WorkflowExecutionStartedEventAttributes;
import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.api.operatorservice.v1.ListSearchAttributesResponse;
import io.temporal.api.operatorservice.v1.OperatorServiceGrpc;
import io.temporal.api.workflow.v1.WorkflowExecutionInfo;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowStub;
import io.temporal.common.SearchAttributeKey;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.ContinueAsNewOptions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import stele.interop.harness.Env;

/** Workflows of several shapes: timers, chains of runs, big payloads, memos, many at once. */
public final class Shapes {
  private Shapes() {}

  @WorkflowInterface
  public interface TimersWorkflow {
    @WorkflowMethod
    String run();
  }

  public static final class TimersWorkflowImpl implements TimersWorkflow {
    /** Starts several timers, cancels one after the first has fired and waits for the rest. */
    @Override
    public String run() {
      long begin = Workflow.currentTimeMillis();
      Promise<Void> slow = Workflow.newTimer(Duration.ofMillis(1500));
      CancellationScope scope =
          Workflow.newCancellationScope(() -> Workflow.newTimer(Duration.ofHours(1)));
      scope.run();
      Promise<Void> quick = Workflow.newTimer(Duration.ofMillis(300));
      Promise<Void> middle = Workflow.newTimer(Duration.ofMillis(800));
      quick.get();
      scope.cancel();
      middle.get();
      slow.get();
      return Workflow.currentTimeMillis() - begin < 1500 ? "too early" : "all over";
    }
  }

  static void timers(Env env) {
    env.worker(worker -> worker.registerWorkflowImplementationTypes(TimersWorkflowImpl.class));
    WorkflowStub stub = env.start(TimersWorkflow.class, "timers");
    equal("all over", stub.getResult(String.class), "end of the timers");
    WorkflowExecution run = stub.getExecution();
    env.hasEvents(run, 4, EventType.EVENT_TYPE_TIMER_STARTED);
    env.hasEvents(run, 1, EventType.EVENT_TYPE_TIMER_CANCELED);
    Map<String, Long> durations = new HashMap<>();
    for (HistoryEvent event : env.events(run, EventType.EVENT_TYPE_TIMER_STARTED)) {
      TimerStartedEventAttributes started = event.getTimerStartedEventAttributes();
      durations.put(
          started.getTimerId(), Durations.toMillis(started.getStartToFireTimeout()));
    }
    List<Long> fired =
        env.events(run, EventType.EVENT_TYPE_TIMER_FIRED).stream()
            .map(event -> durations.get(event.getTimerFiredEventAttributes().getTimerId()))
            .toList();
    equal(List.of(300L, 800L, 1500L), fired, "timers in the order in which they fired");
  }

  @WorkflowInterface
  public interface CountDownWorkflow {
    @WorkflowMethod
    String[] run(int remaining, String[] visited);
  }

  public static final class CountDownWorkflowImpl implements CountDownWorkflow {
    @Override
    public String[] run(int remaining, String[] visited) {
      String[] extended = Arrays.copyOf(visited, visited.length + 1);
      extended[visited.length] = Workflow.getInfo().getRunId();
      if (remaining > 0) {
        ContinueAsNewOptions options =
            ContinueAsNewOptions.newBuilder().setMemo(Map.of("kept", "through the chain")).build();
        Workflow.continueAsNew(options, remaining - 1, extended);
      }
      return extended;
    }
  }

  static void continueAsNew(Env env) {
    env.worker(worker -> worker.registerWorkflowImplementationTypes(CountDownWorkflowImpl.class));
    WorkflowStub stub =
        env.start(
            CountDownWorkflow.class,
            env.options("count-down").setMemo(Map.of("kept", "through the chain")).build(),
            4,
            new String[0]);
    WorkflowExecution first = stub.getExecution();
    String[] visited = stub.getResult(String[].class);
    equal(5, visited.length, "runs");
    equal(first.getRunId(), visited[0], "first run");
    env.hasStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW, first);
    WorkflowExecution current = first.toBuilder().clearRunId().build();
    WorkflowExecutionInfo last = env.describe(current).getWorkflowExecutionInfo();
    equal(visited[4], last.getExecution().getRunId(), "current run");
    equal(
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
        last.getStatus(),
        "status of the last run");
    isTrue(last.getMemo().containsFields("kept"), "the memo is carried over");
    WorkflowExecutionStartedEventAttributes started =
        env.history(last.getExecution()).get(0).getWorkflowExecutionStartedEventAttributes();
    equal(visited[3], started.getContinuedExecutionRunId(), "predecessor of the last run");
    equal(first.getRunId(), started.getFirstExecutionRunId(), "first run of the chain");
  }

  @ActivityInterface
  public interface Echo {
    byte[] echo(byte[] data);
  }

  public static final class EchoActivities implements Echo {
    @Override
    public byte[] echo(byte[] data) {
      return data;
    }
  }

  @WorkflowInterface
  public interface EchoWorkflow {
    @WorkflowMethod
    byte[] run(byte[] data);
  }

  public static final class EchoWorkflowImpl implements EchoWorkflow {
    @Override
    public byte[] run(byte[] data) {
      return Workflow.newActivityStub(Echo.class, Catalog.activityOptions()).echo(data);
    }
  }

  static void payloadOfOneMebibyte(Env env) {
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(EchoWorkflowImpl.class);
          worker.registerActivitiesImplementations(new EchoActivities());
        });
    byte[] data = new byte[1 << 20];
    new Random(1).nextBytes(data);
    WorkflowStub stub = env.start(EchoWorkflow.class, "echo", data);
    isTrue(Arrays.equals(data, stub.getResult(byte[].class)), "the result is what was sent");
    isTrue(
        env.describe(stub.getExecution()).getWorkflowExecutionInfo().getHistorySizeBytes()
            > 4L << 20,
        "the payload is four times in the history");
  }

  @WorkflowInterface
  public interface MemoWorkflow {
    @WorkflowMethod
    void run(String keyword);
  }

  public static final class MemoWorkflowImpl implements MemoWorkflow {
    /** Changes its memo and, when a name is given, a search attribute. */
    @Override
    public void run(String keyword) {
      Map<String, Object> changes = new HashMap<>();
      changes.put("changed", "second");
      changes.put("removed", null);
      changes.put("added", 3);
      Workflow.upsertMemo(changes);
      if (!keyword.isEmpty()) {
        Workflow.upsertTypedSearchAttributes(
            SearchAttributeKey.forKeyword(keyword).valueSet("blue"));
      }
    }
  }

  static void memoAndSearchAttributes(Env env) {
    env.worker(worker -> worker.registerWorkflowImplementationTypes(MemoWorkflowImpl.class));
    String keyword = customKeyword(env);
    Map<String, Object> memo = Map.of("kept", "zero", "changed", "first", "removed", true);
    WorkflowStub stub =
        env.start(MemoWorkflow.class, env.options("memo").setMemo(memo).build(), keyword);
    stub.getResult(Object.class);
    WorkflowExecutionInfo info = env.describe(stub.getExecution()).getWorkflowExecutionInfo();
    Map<String, String> found = new TreeMap<>();
    for (Map.Entry<String, Payload> field : info.getMemo().getFieldsMap().entrySet()) {
      found.put(field.getKey(), field.getValue().getData().toStringUtf8());
    }
    equal("{added=3, changed=\"second\", kept=\"zero\"}", found.toString(), "memo");
    if (!keyword.isEmpty()) {
      Payload color = info.getSearchAttributes().getIndexedFieldsOrThrow(keyword);
      equal("\"blue\"", color.getData().toStringUtf8(), "search attribute");
    }
  }

  /** Finds a custom search attribute of type keyword; there may be none. */
  private static String customKeyword(Env env) {
    ListSearchAttributesResponse attributes;
    try {
      attributes =
          OperatorServiceGrpc.newBlockingStub(
                  env.client().getWorkflowServiceStubs().getRawChannel())
              .listSearchAttributes(
                  ListSearchAttributesRequest.newBuilder().setNamespace(env.namespace()).build());
    } catch (StatusRuntimeException unsupported) {
      return "";
    }
    return attributes.getCustomAttributesMap().entrySet().stream()
        .filter(entry -> entry.getValue() == IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse("");
  }

  @WorkflowInterface
  public interface ChoosingWorkflow {
    @WorkflowMethod
    String run();

    @SignalMethod
    void finish();

    @QueryMethod
    String chosen();
  }

  public static final class ChoosingWorkflowImpl implements ChoosingWorkflow {
    private final List<String> choices = new ArrayList<>();
    private boolean finished;

    /** Makes choices that must not change when the workflow is replayed. */
    @Override
    public String run() {
      choices.add(
          String.valueOf(
              Workflow.sideEffect(Long.class, () -> ThreadLocalRandom.current().nextLong())));
      choices.add(Workflow.randomUUID().toString());
      choices.add(String.valueOf(Workflow.newRandom().nextLong()));
      for (int i = 0; i < 4; i++) {
        int proposal = i / 2;
        int stable =
            Workflow.mutableSideEffect(
                "stable", Integer.class, (before, now) -> !before.equals(now), () -> proposal);
        choices.add("stable " + stable);
        Workflow.sleep(Duration.ofMillis(50));
      }
      choices.add("all");
      Workflow.await(() -> finished);
      return chosen();
    }

    @Override
    public void finish() {
      finished = true;
    }

    @Override
    public String chosen() {
      return String.join(", ", choices);
    }
  }

  private static void registerChoosing(Worker worker) {
    worker.registerWorkflowImplementationTypes(ChoosingWorkflowImpl.class);
  }

  static void sideEffects(Env env) throws Exception {
    WorkerFactory worker = env.worker(Shapes::registerChoosing);
    WorkflowStub stub = env.start(ChoosingWorkflow.class, "choose");
    env.eventually(
        "all choices are made", () -> stub.query("chosen", String.class).endsWith("all"));
    String before = stub.query("chosen", String.class);
    isTrue(
        before.endsWith("stable 0, stable 0, stable 1, stable 1, all"),
        "the mutable side effect in " + before);
    env.stop(worker);
    env.worker(Shapes::registerChoosing);
    equal(before, stub.query("chosen", String.class), "choices after a replay");
    stub.signal("finish");
    equal(before, stub.getResult(String.class), "choices at the end");
    env.hasEvents(stub.getExecution(), 3, EventType.EVENT_TYPE_MARKER_RECORDED);
  }

  @ActivityInterface
  public interface Greeter {
    int greet(int number);
  }

  public static final class GreeterActivities implements Greeter {
    @Override
    public int greet(int number) {
      return number + 1000;
    }
  }

  @WorkflowInterface
  public interface SmallWorkflow {
    @WorkflowMethod
    int run(int number);
  }

  public static final class SmallWorkflowImpl implements SmallWorkflow {
    @Override
    public int run(int number) {
      Workflow.sleep(Duration.ofMillis(100));
      return Workflow.newActivityStub(Greeter.class, Catalog.activityOptions()).greet(number);
    }
  }

  static void hundredAtOnce(Env env) {
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(SmallWorkflowImpl.class);
          worker.registerActivitiesImplementations(new GreeterActivities());
        });
    int count = 100;
    List<CompletableFuture<Integer>> results = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      SmallWorkflow workflow = env.stub(SmallWorkflow.class, String.valueOf(i));
      results.add(WorkflowClient.execute(workflow::run, i));
    }
    int sum = results.stream().mapToInt(CompletableFuture::join).sum();
    equal(count * 1000 + count * (count - 1) / 2, sum, "sum of the results");
  }
}
