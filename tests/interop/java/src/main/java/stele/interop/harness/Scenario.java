package stele.interop.harness;

/**
 * One behaviour shown end to end with the SDK.
 *
 * @param name the name that all languages use for it
 * @param body what is done and checked
 * @param alone true for one that takes all the processor there is
 */
public record Scenario(String name, Body body, boolean alone) {
  public Scenario(String name, Body body) {
    this(name, body, false);
  }

  /** What a scenario does; anything thrown means that it failed. */
  @FunctionalInterface
  public interface Body {
    void run(Env env) throws Exception;
  }
}
