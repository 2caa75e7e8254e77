package stele.interop.harness;

/** A check of a scenario did not hold. */
public final class CheckFailed extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CheckFailed(String message) {
    super(message);
  }
}
