package stele.interop.harness;

import java.util.Objects;
import java.util.concurrent.Callable;

/** Checks that end a scenario when they do not hold. */
public final class Checks {
  private Checks() {}

  public static void equal(Object want, Object got, String what) {
    if (!Objects.equals(want, got)) {
      throw new CheckFailed(what + ": want " + want + ", got " + got);
    }
  }

  public static void isTrue(boolean condition, String what) {
    if (!condition) {
      throw new CheckFailed("expected: " + what);
    }
  }

  /** The action must throw an exception that has one of the given type in its chain of causes. */
  public static <T extends Throwable> T throwing(Class<T> type, String what, Callable<?> action) {
    Object result;
    try {
      result = action.call();
    } catch (Exception thrown) {
      return inChain(type, what, thrown);
    }
    throw new CheckFailed(what + ": want " + type.getSimpleName() + ", got " + result);
  }

  /** Finds an exception of a type in a chain of causes. */
  public static <T extends Throwable> T inChain(Class<T> type, String what, Throwable thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return type.cast(cause);
      }
    }
    throw new CheckFailed(what + ": want " + type.getSimpleName() + ", got " + thrown);
  }
}
