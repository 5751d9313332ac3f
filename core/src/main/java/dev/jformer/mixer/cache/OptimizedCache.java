package dev.jformer.mixer.cache;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A key-value cache whose keys and values gradients may change, for <a
 * href="https://arxiv.org/abs/2112.08653">Reconsidering the Past: Optimizing Hidden States in
 * Language Models</a>. As long as {@link #step} is not called, it holds what a full cache holds.
 *
 * <p>Where gradients are recorded, what {@link #append} returns depends on {@link #past}. Each key
 * and value has running means of its own for Adam, which begin when its token is appended.
 */
public final class OptimizedCache implements Cache {
  /** Configuration of the optimized cache. */
  @AutoService(Cache.Config.class)
  public record Config() implements Cache.Config {
    @Override
    public String type() {
      return "optimized";
    }

    @Override
    public OptimizedCache start(long batch, long heads, long capacity, long headDim) {
      return new OptimizedCache(capacity);
    }
  }

  private final long capacity;
  private final Entries keys = new Entries();
  private final Entries values = new Entries();

  /**
   * Creates an empty cache.
   *
   * @param capacity the most tokens of a sequence
   */
  public OptimizedCache(long capacity) {
    this.capacity = capacity;
  }

  @Override
  public Pair append(Tensor key, Tensor value) {
    if (length() + key.size(2) > capacity) {
      throw new IllegalArgumentException(
          "the cache holds "
              + capacity
              + " tokens: "
              + key.size(2)
              + " more than "
              + length()
              + " do not fit");
    }
    return new Pair(keys.append(key), values.append(value));
  }

  /**
   * The keys and the values that were in the cache before the last tokens were appended, for which
   * gradients can be computed: [B, G, S, d] each; empty if there were none.
   */
  public List<Tensor> past() {
    return keys.past == null ? List.of() : List.of(keys.past, values.past);
  }

  /**
   * Moves the keys and values that were in the cache before the last tokens were appended by one
   * step of Adam.
   *
   * @param gradients of {@link #past}, in its order
   * @param rate of learning
   * @param decay of the running mean of gradients
   * @param squareDecay of the running mean of squared gradients
   */
  public void step(List<Tensor> gradients, double rate, double decay, double squareDecay) {
    try (Scope scope = Scope.open();
        Mode constant = Autograd.noGrad()) {
      keys.step(gradients.get(0), rate, decay, squareDecay);
      values.step(gradients.get(1), rate, decay, squareDecay);
    }
  }

  @Override
  public long length() {
    return keys.length();
  }

  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot keep " + newLength + " tokens: expected at least 0");
    }
    keys.truncate(newLength);
    values.truncate(newLength);
  }

  @Override
  public void select(Tensor rows) {
    keys.select(rows);
    values.select(rows);
  }

  @Override
  public long bytes() {
    return keys.bytes() + values.bytes();
  }

  @Override
  public void close() {
    keys.close();
    values.close();
  }

  /** Keys or values, with what Adam remembers of them; null as long as there are none. */
  private static final class Entries {
    private static final double EPSILON = 1e-8;

    /** What was held before the last tokens came. */
    private Tensor past;

    private Tensor held;
    private Tensor mean;
    private Tensor square;

    /** How often each token's entries were moved: [1, 1, S, 1]. */
    private Tensor steps;

    Tensor append(Tensor added) {
      Tensor all = join(held, added);
      try (Scope scope = Scope.open();
          Mode kept = Autograd.noInference();
          Mode constant = Autograd.noGrad()) {
        Tensor now = all.detach();
        Tensor none = added.zerosLike();
        Tensor first = none.narrow(0, 0, 1).narrow(1, 0, 1).narrow(3, 0, 1);
        release(past);
        past = held;
        held = now.copy().keep();
        mean = replace(mean, join(mean, none));
        square = replace(square, join(square, none));
        steps = replace(steps, join(steps, first));
      }
      return all;
    }

    /** The entries that gradients will be asked for, with those of the next tokens. */
    private static Tensor join(Tensor before, Tensor added) {
      if (before == null) {
        return added;
      }
      if (Autograd.isRecording()) {
        before.requiresGrad(true);
      }
      return Tensor.cat(2, before, added);
    }

    void step(Tensor gradient, double rate, double decay, double squareDecay) {
      long moved = past.size(2);
      long rest = held.size(2) - moved;
      Tensor newMean = mean.narrow(2, 0, moved).mul(decay).add(gradient.mul(1 - decay));
      Tensor newSquare =
          square.narrow(2, 0, moved).mul(squareDecay).add(gradient.square().mul(1 - squareDecay));
      Tensor count = steps.narrow(2, 0, moved).add(1);
      Tensor unbiased = newMean.div(remaining(decay, count));
      Tensor size = newSquare.div(remaining(squareDecay, count)).sqrt().add(EPSILON);
      Tensor change = unbiased.div(size).mul(rate);
      held = replaceFirst(held, held.narrow(2, 0, moved).sub(change), rest);
      mean = replaceFirst(mean, newMean, rest);
      square = replaceFirst(square, newSquare, rest);
      steps = replaceFirst(steps, count, rest);
    }

    /** 1 - β^n, by which a running mean of n values is too small. */
    private static Tensor remaining(double decay, Tensor count) {
      return count.mul(Math.log(decay)).exp().neg().add(1);
    }

    private static Tensor replaceFirst(Tensor old, Tensor first, long rest) {
      return replace(old, Tensor.cat(2, first, old.narrow(2, first.size(2), rest)));
    }

    private static Tensor replace(Tensor old, Tensor next) {
      Tensor kept = next.copy().keep();
      release(old);
      return kept;
    }

    private static void release(Tensor tensor) {
      if (tensor != null) {
        tensor.close();
      }
    }

    long length() {
      return held == null ? 0 : held.size(2);
    }

    void truncate(long newLength) {
      if (newLength >= length()) {
        return;
      }
      change(tensor -> tensor.narrow(2, 0, newLength));
    }

    void select(Tensor rows) {
      if (held == null) {
        return;
      }
      Tensor counts = steps;
      steps = null;
      change(tensor -> tensor.indexSelect(0, rows));
      steps = counts;
    }

    private void change(java.util.function.UnaryOperator<Tensor> to) {
      try (Scope scope = Scope.open();
          Mode kept = Autograd.noInference();
          Mode constant = Autograd.noGrad()) {
        release(past);
        past = null;
        held = replace(held, to.apply(held));
        mean = replace(mean, to.apply(mean));
        square = replace(square, to.apply(square));
        steps = steps == null ? null : replace(steps, to.apply(steps));
      }
    }

    long bytes() {
      long sum = 0;
      for (Tensor tensor : new Tensor[] {past, held, mean, square, steps}) {
        sum += tensor == null ? 0 : tensor.elements() * tensor.dtype().bytes();
      }
      return sum;
    }

    void close() {
      for (Tensor tensor : new Tensor[] {past, held, mean, square, steps}) {
        release(tensor);
      }
    }
  }
}
