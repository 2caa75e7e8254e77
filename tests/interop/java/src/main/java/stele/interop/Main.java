package stele.interop;

import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import stele.interop.harness.Env;
import stele.interop.harness.Runner;
import stele.interop.harness.Scenario;
import stele.interop.scenarios.Catalog;

/**
 * Drives a server with the official Java SDK.
 *
 * <pre>
 *   run --address HOST:PORT --namespace NAME --out FILE.jsonl [--only a,b]
 *   worker --address HOST:PORT --namespace NAME --task-queue NAME --role NAME
 *   list
 * </pre>
 *
 * <p>{@code run} ends with 0 only when all scenarios passed; {@code worker} is the process that a
 * scenario starts and kills.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0 || arguments.length % 2 == 0) {
      System.err.println("usage: run|worker|list [--name value]...");
      System.exit(2);
    }
    Map<String, String> flags = new HashMap<>();
    for (int i = 1; i < arguments.length; i += 2) {
      flags.put(arguments[i], arguments[i + 1]);
    }
    switch (arguments[0]) {
      case "run" -> System.exit(run(flags) ? 0 : 1);
      case "worker" -> {
        serve(flags);
        System.exit(0);
      }
      case "list" -> Catalog.all().forEach(scenario -> System.out.println(scenario.name()));
      default -> System.exit(2);
    }
  }

  private static boolean run(Map<String, String> flags) throws Exception {
    List<Scenario> selected = choose(flags.get("--only"));
    Runner runner = new Runner(connect(flags), address(flags));
    String out = flags.get("--out");
    if (out == null) {
      return runner.runAll(selected, System.out);
    }
    try (PrintStream file = new PrintStream(out, StandardCharsets.UTF_8)) {
      return runner.runAll(selected, file);
    }
  }

  /** Picks scenarios by name; a name that does not exist is an error. */
  private static List<Scenario> choose(String only) {
    List<Scenario> all = Catalog.all();
    if (only == null || only.isEmpty()) {
      return all;
    }
    List<String> names = Arrays.asList(only.split(","));
    List<Scenario> selected = all.stream().filter(s -> names.contains(s.name())).toList();
    if (selected.size() != names.size()) {
      throw new IllegalArgumentException("unknown scenario among " + names);
    }
    return selected;
  }

  /** Serves a role until standard input closes, so that the process never outlives its parent. */
  private static void serve(Map<String, String> flags) throws IOException {
    Env env = new Env(connect(flags), address(flags), flags.get("--task-queue"));
    env.worker(Catalog.roles().get(flags.get("--role")));
    while (System.in.read() >= 0) {
      // Nothing is ever sent.
    }
    env.close();
  }

  private static String address(Map<String, String> flags) {
    return flags.getOrDefault("--address", "127.0.0.1:7233");
  }

  private static WorkflowClient connect(Map<String, String> flags) {
    WorkflowServiceStubs service =
        WorkflowServiceStubs.newServiceStubs(
            WorkflowServiceStubsOptions.newBuilder().setTarget(address(flags)).build());
    return WorkflowClient.newInstance(
        service,
        WorkflowClientOptions.newBuilder()
            .setNamespace(flags.getOrDefault("--namespace", "default"))
            .build());
  }
}
