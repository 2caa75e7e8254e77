package stele.interop.harness;

import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.PendingActivityState;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.workflow.v1.PendingActivityInfo;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionRequest;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import io.temporal.worker.WorkerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What one scenario works with: a client and a task queue that no other scenario uses. Workers and
 * processes that it starts end with it. Used by the thread of its scenario; only {@code close} is
 * called by another, after that thread was told to stop.
 */
public final class Env implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(45);

  /**
   * For busy machines: heartbeats pass often, so that cancellation is quick although heartbeat
   * timeouts are long, and a workflow that waits for the processor does not count as one that hangs.
   */
  private static final WorkerOptions WORKER_OPTIONS =
      WorkerOptions.newBuilder()
          .setMaxHeartbeatThrottleInterval(Duration.ofMillis(200))
          .setDefaultDeadlockDetectionTimeout(20_000)
          .build();

  private final WorkflowClient client;
  private final String address;
  private final String taskQueue;
  private final Deque<Runnable> cleanup = new ArrayDeque<>();

  public Env(WorkflowClient client, String address, String taskQueue) {
    this.client = client;
    this.address = address;
    this.taskQueue = taskQueue;
  }

  public WorkflowClient client() {
    return client;
  }

  public String namespace() {
    return client.getOptions().getNamespace();
  }

  public String taskQueue() {
    return taskQueue;
  }

  /** Starts a worker on the scenario's task queue. */
  public WorkerFactory worker(Consumer<Worker> register) {
    return worker(WorkerFactoryOptions.getDefaultInstance(), register);
  }

  /** Starts a worker with options, such as a cache of another size. */
  public WorkerFactory worker(WorkerFactoryOptions options, Consumer<Worker> register) {
    WorkerFactory factory = WorkerFactory.newInstance(client, options);
    register.accept(factory.newWorker(taskQueue, WORKER_OPTIONS));
    factory.start();
    addCleanup(factory::shutdownNow);
    return factory;
  }

  /** Stops a worker in an orderly way, so that another takes over. */
  public void stop(WorkerFactory factory) {
    factory.shutdown();
    factory.awaitTermination(15, TimeUnit.SECONDS);
    Checks.isTrue(factory.isTerminated(), "the worker stops");
  }

  /** Starts this program once more as a worker in a process of its own, for killing. */
  public Process workerProcess(String role) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process process =
        new ProcessBuilder(
                List.of(
                    java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m",
                    "-cp", System.getProperty("java.class.path"), "stele.interop.Main", "worker",
                    "--address", address, "--namespace", namespace(),
                    "--task-queue", taskQueue, "--role", role))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    addCleanup(process::destroyForcibly);
    return process;
  }

  /** Kills a process without giving it a chance to say goodbye. */
  public void kill(Process process) throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Makes a workflow id that belongs to this run of the scenario. */
  public String id(String name) {
    return taskQueue + "-" + name;
  }

  /** Start options with a limit on how long a workflow may be left over. */
  public WorkflowOptions.Builder options(String name) {
    return WorkflowOptions.newBuilder()
        .setWorkflowId(id(name))
        .setTaskQueue(taskQueue)
        .setWorkflowExecutionTimeout(Duration.ofMinutes(3));
  }

  /** A stub for a workflow that is not started yet. */
  public <T> T stub(Class<T> workflow, String name) {
    return client.newWorkflowStub(workflow, options(name).build());
  }

  /** Starts a workflow by its interface. */
  public WorkflowStub start(Class<?> workflow, String name, Object... arguments) {
    return start(workflow, options(name).build(), arguments);
  }

  /** Starts a workflow by its interface, with options. */
  public WorkflowStub start(Class<?> workflow, WorkflowOptions options, Object... arguments) {
    WorkflowStub stub = client.newUntypedWorkflowStub(Worker.getWorkflowType(workflow), options);
    stub.start(arguments);
    return stub;
  }

  /** Asks again until the condition holds. */
  public void eventually(String what, Callable<Boolean> condition) throws Exception {
    Instant deadline = Instant.now().plus(PATIENCE);
    while (!condition.call()) {
      if (Instant.now().isAfter(deadline)) {
        throw new CheckFailed("waited in vain: " + what);
      }
      Thread.sleep(50);
    }
  }

  /** Reads the whole history of a run and checks that its event ids are contiguous. */
  public List<HistoryEvent> history(WorkflowExecution run) {
    List<HistoryEvent> events =
        client.fetchHistory(run.getWorkflowId(), run.getRunId()).getEvents();
    for (int i = 0; i < events.size(); i++) {
      Checks.equal(i + 1L, events.get(i).getEventId(), "event id");
    }
    return events;
  }

  /** The events of one type in the history of a run. */
  public List<HistoryEvent> events(WorkflowExecution run, EventType type) {
    return history(run).stream().filter(event -> event.getEventType() == type).toList();
  }

  /** The history of a run must have so many events of a type. */
  public void hasEvents(WorkflowExecution run, int want, EventType type) {
    Checks.equal(want, events(run, type).size(), "number of events " + type);
  }

  /** Describes a run; without a run id, the current one. */
  public DescribeWorkflowExecutionResponse describe(WorkflowExecution run) {
    return client
        .getWorkflowServiceStubs()
        .blockingStub()
        .describeWorkflowExecution(
            DescribeWorkflowExecutionRequest.newBuilder()
                .setNamespace(namespace())
                .setExecution(run)
                .build());
  }

  /** A run must have the status; without a run id, the current one. */
  public void hasStatus(WorkflowExecutionStatus want, WorkflowExecution run) {
    WorkflowExecutionStatus got = describe(run).getWorkflowExecutionInfo().getStatus();
    Checks.equal(want, got, "status of " + run.getWorkflowId());
  }

  /** Tells whether the given attempt of the only activity is in a worker's hands. */
  public boolean activityStarted(WorkflowExecution run, int attempt) {
    List<PendingActivityInfo> pending = describe(run).getPendingActivitiesList();
    return pending.size() == 1
        && pending.get(0).getAttempt() == attempt
        && pending.get(0).getState() == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;
  }

  private synchronized void addCleanup(Runnable action) {
    cleanup.push(action);
  }

  @Override
  public synchronized void close() {
    while (!cleanup.isEmpty()) {
      cleanup.pop().run();
    }
  }
}
