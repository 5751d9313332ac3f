package dev.jformer.testing;

import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * Runs each test in a {@link Scope} of its own, with the engine's random numbers started from
 * {@link #seed()}. A failing test prints the seed.
 */
public final class Scoped
    implements BeforeEachCallback, AfterTestExecutionCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace SPACE =
      ExtensionContext.Namespace.create(Scoped.class);

  /** The seed of all random data in tests; {@code -Djformer.test.seed=N} tries another. */
  public static long seed() {
    return Long.getLong("jformer.test.seed", 1);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(SPACE).put("scope", Scope.open());
    Random.seed(seed());
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    boolean failed =
        context
            .getExecutionException()
            .filter(thrown -> !(thrown instanceof TestAbortedException))
            .isPresent();
    if (failed) {
      System.out.println(
          context.getDisplayName() + " failed; reproduce with -Djformer.test.seed=" + seed());
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    context.getStore(SPACE).remove("scope", Scope.class).close();
  }
}
