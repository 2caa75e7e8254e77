package stele.interop.scenarios;

import static stele.interop.harness.Checks.equal;
import static stele.interop.harness.Checks.isTrue;
import static stele.interop.harness.Checks.throwing;

import io.grpc.StatusRuntimeException;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.common.v1.WorkflowType;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.api.taskqueue.v1.TaskQueue;
import io.temporal.api.workflowservice.v1.StartWorkflowExecutionRequest;
import io.temporal.api.workflowservice.v1.StartWorkflowExecutionResponse;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.ApplicationFailure;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.util.List;
import java.util.UUID;
import stele.interop.harness.Env;

/** Which workflow an id stands for. */
public final class Identity {
  private Identity() {}

  /** Ends as it is told to. */
  @WorkflowInterface
  public interface ObedientWorkflow {
    @WorkflowMethod
    String run(String how);
  }

  public static final class ObedientWorkflowImpl implements ObedientWorkflow {
    @Override
    public String run(String how) {
      if (how.equals("fail")) {
        throw ApplicationFailure.newFailure("told to fail", "Told");
      }
      return how;
    }
  }

  static void idPolicies(Env env) {
    env.worker(
        worker -> {
          worker.registerWorkflowImplementationTypes(
              ObedientWorkflowImpl.class, Messages.CollectWorkflowImpl.class);
        });
    reusePolicies(env);
    conflictPolicies(env);
    requestIds(env);
  }

  /** Reuse policies are about ids of closed workflows. */
  private static void reusePolicies(Env env) {
    WorkflowIdReusePolicy allow =
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE;
    WorkflowIdReusePolicy failedOnly =
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY;
    WorkflowIdReusePolicy reject =
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE;

    WorkflowStub completed = start(env, "completed", allow, "complete");
    completed.getResult(String.class);
    String runId = completed.getExecution().getRunId();
    for (WorkflowIdReusePolicy policy : List.of(failedOnly, reject)) {
      WorkflowExecutionAlreadyStarted refused =
          throwing(
              WorkflowExecutionAlreadyStarted.class,
              policy.toString(),
              () -> start(env, "completed", policy, "complete"));
      equal(runId, refused.getExecution().getRunId(), "run in the way");
    }
    WorkflowStub again = start(env, "completed", allow, "complete");
    isTrue(!again.getExecution().getRunId().equals(runId), "another run");

    WorkflowStub failed = start(env, "failed", allow, "fail");
    throwing(ApplicationFailure.class, "told to fail", () -> failed.getResult(String.class));
    throwing(
        WorkflowExecutionAlreadyStarted.class,
        "reject duplicate of a failed workflow",
        () -> start(env, "failed", reject, "complete"));
    WorkflowStub secondTry = start(env, "failed", failedOnly, "complete");
    equal("complete", secondTry.getResult(String.class), "result of the second try");
  }

  private static WorkflowStub start(
      Env env, String name, WorkflowIdReusePolicy policy, String how) {
    WorkflowOptions options = env.options(name).setWorkflowIdReusePolicy(policy).build();
    return env.start(ObedientWorkflow.class, options, how);
  }

  /** Conflict policies are about ids of open workflows. */
  private static void conflictPolicies(Env env) {
    WorkflowIdConflictPolicy fail =
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL;
    WorkflowExecution first = startOpen(env, fail);
    WorkflowExecutionAlreadyStarted refused =
        throwing(
            WorkflowExecutionAlreadyStarted.class, "fail on conflict", () -> startOpen(env, fail));
    equal(first.getRunId(), refused.getExecution().getRunId(), "run in the way");
    WorkflowExecution same =
        startOpen(env, WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    equal(first.getRunId(), same.getRunId(), "existing run");
    WorkflowExecution other =
        startOpen(env, WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
    isTrue(!other.getRunId().equals(first.getRunId()), "another run");
    env.hasStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED, first);
    env.hasStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING, other);
    WorkflowStub open = env.client().newUntypedWorkflowStub(env.id("open"));
    open.signal("finish");
    equal(0, open.getResult(int[].class).length, "values of the new run");
  }

  private static WorkflowExecution startOpen(Env env, WorkflowIdConflictPolicy policy) {
    WorkflowOptions options = env.options("open").setWorkflowIdConflictPolicy(policy).build();
    return env.start(Messages.CollectWorkflow.class, options, new int[0]).getExecution();
  }

  /** Request ids make a repeated start harmless. The call is made without the SDK's client. */
  private static void requestIds(Env env) {
    StartWorkflowExecutionRequest request =
        StartWorkflowExecutionRequest.newBuilder()
            .setNamespace(env.namespace())
            .setWorkflowId(env.id("request"))
            .setWorkflowType(WorkflowType.newBuilder().setName("ObedientWorkflow"))
            .setTaskQueue(TaskQueue.newBuilder().setName(env.taskQueue() + "-nobody-polls"))
            .setRequestId(UUID.randomUUID().toString())
            .build();
    StartWorkflowExecutionResponse first = send(env, request);
    equal(first.getRunId(), send(env, request).getRunId(), "run of the repeated request");
    StartWorkflowExecutionRequest another =
        request.toBuilder().setRequestId(UUID.randomUUID().toString()).build();
    StatusRuntimeException refused =
        throwing(StatusRuntimeException.class, "another request", () -> send(env, another));
    equal(
        io.grpc.Status.Code.ALREADY_EXISTS, refused.getStatus().getCode(), "code of the refusal");
    env.client().newUntypedWorkflowStub(request.getWorkflowId()).terminate("done");
  }

  private static StartWorkflowExecutionResponse send(
      Env env, StartWorkflowExecutionRequest request) {
    return env.client()
        .getWorkflowServiceStubs()
        .blockingStub()
        .startWorkflowExecution(request);
  }
}
