package stele.interop.harness;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.Version;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;

/** Runs scenarios against a server, several at a time, and writes one result line for each. */
public final class Runner {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  /** Most of a scenario is waiting. */
  private static final int AT_ONCE = 8;

  private final WorkflowClient client;
  private final String address;
  private final ObjectMapper mapper = new ObjectMapper();

  public Runner(WorkflowClient client, String address) {
    this.client = client;
    this.address = address;
  }

  /** Runs the scenarios, several at a time and then those that run alone; did all pass? */
  public boolean runAll(List<Scenario> scenarios, PrintStream out)
      throws InterruptedException, ExecutionException, JsonProcessingException {
    ExecutorService pool = Executors.newFixedThreadPool(AT_ONCE);
    List<Callable<Boolean>> together = new ArrayList<>();
    for (Scenario scenario : scenarios) {
      if (!scenario.alone()) {
        together.add(() -> runOne(scenario, out));
      }
    }
    boolean allPassed = true;
    for (Future<Boolean> passed : pool.invokeAll(together)) {
      allPassed &= passed.get();
    }
    pool.shutdown();
    for (Scenario scenario : scenarios) {
      if (scenario.alone()) {
        allPassed &= runOne(scenario, out);
      }
    }
    return allPassed;
  }

  private boolean runOne(Scenario scenario, PrintStream out)
      throws InterruptedException, JsonProcessingException {
    long begin = System.nanoTime();
    String error = attempt(scenario);
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("sdk", "java");
    line.put("version", Version.LIBRARY_VERSION);
    line.put("scenario", scenario.name());
    line.put("ok", error.isEmpty());
    line.put("seconds", (System.nanoTime() - begin) / 1_000_000 / 1000.0);
    line.put("error", error);
    String text = mapper.writeValueAsString(line);
    synchronized (out) {
      out.println(text);
      out.flush();
    }
    return error.isEmpty();
  }

  /** Returns what went wrong, or nothing. */
  private String attempt(Scenario scenario) throws InterruptedException {
    String suffix = String.format("%08x", ThreadLocalRandom.current().nextInt());
    String taskQueue = "interop-java-" + scenario.name() + "-" + suffix;
    String[] error = {"not over after " + LIMIT.toSeconds() + " s"};
    try (Env env = new Env(client, address, taskQueue)) {
      Thread thread =
          new Thread(
              () -> {
                String outcome = "";
                try {
                  scenario.body().run(env);
                } catch (Throwable failure) {
                  outcome = explain(failure);
                }
                synchronized (error) {
                  error[0] = outcome;
                }
              },
              scenario.name());
      thread.setDaemon(true);
      thread.start();
      thread.join(LIMIT.toMillis());
      synchronized (error) {
        String outcome = error[0];
        thread.interrupt();
        return outcome;
      }
    }
  }

  private static String explain(Throwable failure) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      text.append(text.isEmpty() ? "" : "; caused by ").append(cause);
    }
    if (!(failure instanceof CheckFailed) && failure.getStackTrace().length > 0) {
      for (StackTraceElement frame : failure.getStackTrace()) {
        if (frame.getClassName().startsWith("stele.")) {
          text.append("; at ").append(frame);
          break;
        }
      }
    }
    return text.toString().replaceAll("\\s+", " ");
  }
}
