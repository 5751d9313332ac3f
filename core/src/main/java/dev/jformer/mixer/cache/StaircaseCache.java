package dev.jformer.mixer.cache;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A cache of keys and values with staircase adaptive quantization, of <a
 * href="https://arxiv.org/abs/2410.18441">The Nature of Mathematical Modeling and Probabilistic
 * Optimization Engineering in Generative AI</a>, similar to <a
 * href="https://arxiv.org/abs/2402.02750">KIVI: A Tuning-Free Asymmetric 2bit Quantization for KV
 * Cache</a>. The newest tokens are kept as they are, older ones in ever fewer bits.
 *
 * <p>Tokens are quantized in groups of {@code group} in a row, counted from the first token. Keys
 * have a scale and an offset for each channel of a group, values for each token and run of {@code
 * channels} channels, both float16. A group's age is the number of tokens after its last one; when
 * that reaches a step's {@code after}, the group is rounded again, from its stored values. So a
 * group that goes from 8 to 4 to 2 bits is rounded three times, and the stored values depend only
 * on the keys and values, to the bit, not on how many tokens came at a time.
 *
 * <p>Tokens that come together see each other unrounded, and earlier tokens as they were stored at
 * that time; groups age only afterwards. So a prompt read at once is attended to more exactly than
 * one read token by token, and in a model of several layers the stored values of later layers
 * differ by that.
 *
 * <p>In a step, packed tokens are unpacked, used and released again, one layer at a time.
 */
public final class StaircaseCache implements Cache {
  /**
   * A step of the staircase.
   *
   * @param after the age from which this step applies, in tokens
   * @param bits bits of a number: 8, 4 or 2; 16 for float16
   */
  public record Step(int after, int bits) {
    /** Defaults: 8 bits for all but the newest 128 tokens. */
    public Step() {
      this(128, 8);
    }

    /** Checks the values. */
    public Step {
      if (after < 0) {
        throw new IllegalArgumentException("after is " + after + ": expected at least 0 tokens");
      }
      if (!Set.of(16, 8, 4, 2).contains(bits)) {
        throw new IllegalArgumentException("bits is " + bits + ": expected 16, 8, 4 or 2");
      }
    }
  }

  /**
   * Configuration.
   *
   * @param group number of consecutive tokens that are quantized together, a multiple of 4
   * @param channels number of channels of a value that share a scale, a divisor of a head's width
   *     or more than that
   * @param steps with growing ages and falling bits; tokens younger than the first step's age are
   *     stored unchanged
   */
  @AutoService(Cache.Config.class)
  public record Config(int group, int channels, List<Step> steps) implements Cache.Config {
    /** Defaults: 8 bits after 128 tokens, 4 after 512 and 2 after 2048, in groups of 32. */
    public Config() {
      this(32, 32, List.of(new Step(128, 8), new Step(512, 4), new Step(2048, 2)));
    }

    /** Checks the values. */
    public Config {
      if (group < 4 || group % 4 != 0) {
        throw new IllegalArgumentException(
            "group is " + group + ": expected a positive multiple of 4, so that bytes are full");
      }
      Checks.atLeast("channels", channels, 1);
      if (steps == null || steps.isEmpty()) {
        throw new IllegalArgumentException(
            "steps is empty: expected at least one; use the cache 'full' for no quantization");
      }
      steps = List.copyOf(steps);
      for (int i = 1; i < steps.size(); i++) {
        Step before = steps.get(i - 1);
        Step step = steps.get(i);
        if (step.after() <= before.after() || step.bits() >= before.bits()) {
          throw new IllegalArgumentException(
              "steps go from "
                  + before
                  + " to "
                  + step
                  + ": expected a greater age and fewer bits at each step");
        }
      }
    }

    @Override
    public String type() {
      return "staircase";
    }

    @Override
    public StaircaseCache start(long batch, long heads, long capacity, long headDim) {
      if (channels < headDim && headDim % channels != 0) {
        throw new IllegalArgumentException(
            "channels is " + channels + ": expected a divisor of the heads' width " + headDim);
      }
      return new StaircaseCache(this, batch, heads, capacity, headDim);
    }
  }

  /** Groups of one precision, oldest first. */
  private static final class Level implements AutoCloseable {
    private final PackedTokens.Kind kind;
    private PackedTokens packed;

    Level(int bits, int perScale) {
      this.kind = new PackedTokens.Kind(bits, perScale);
    }

    long groups() {
      return packed == null ? 0 : packed.groups();
    }

    /** Adds groups [B, G, n, group, d] after the present ones. */
    void push(Tensor groups) {
      PackedTokens added = PackedTokens.of(groups, kind);
      put(packed == null ? added : packed.followedBy(added));
    }

    /** Removes the oldest groups and returns them: [B, G, n, group, d] of a type. */
    Tensor pop(long count, DType dtype) {
      Tensor values = packed.first(count).unpacked(dtype);
      put(count == groups() ? null : packed.without(count));
      return values;
    }

    private void put(PackedTokens other) {
      PackedTokens old = packed;
      packed = other == null ? null : other.kept();
      if (old != null) {
        old.close();
      }
    }

    long bytes() {
      return packed == null ? 0 : packed.bytes();
    }

    @Override
    public void close() {
      put(null);
    }
  }

  private final Config config;
  private final long batch;
  private final long heads;
  private final long capacity;
  private final long headDim;

  /** One level for each step, newest tokens first. */
  private final List<Level> keyLevels = new ArrayList<>();

  private final List<Level> valueLevels = new ArrayList<>();

  /** The newest tokens, unquantized, followed by room for more. */
  private Tensor keys;

  private Tensor values;
  private long recent;

  StaircaseCache(Config config, long batch, long heads, long capacity, long headDim) {
    this.config = config;
    this.batch = batch;
    this.heads = heads;
    this.capacity = capacity;
    this.headDim = headDim;
    int perScale = (int) Math.min(config.channels(), headDim);
    for (Step step : config.steps()) {
      keyLevels.add(new Level(step.bits(), 0));
      valueLevels.add(new Level(step.bits(), perScale));
    }
  }

  /** Number of groups at a step or beyond. */
  private long groupsFrom(int step) {
    return keyLevels.subList(step, keyLevels.size()).stream().mapToLong(Level::groups).sum();
  }

  private long quantized() {
    return groupsFrom(0) * config.group();
  }

  @Override
  public Pair append(Tensor key, Tensor value) {
    long added = key.size(2);
    if (length() + added > capacity) {
      throw new IllegalArgumentException(
          "the cache holds "
              + capacity
              + " tokens: "
              + added
              + " more than "
              + length()
              + " do not fit");
    }
    if (keys == null) {
      keys = room(key.dtype());
      values = room(value.dtype());
    }
    boolean fits = recent + added <= keys.size(2);
    if (fits) {
      keys.narrow(2, recent, added).copy_(key.detach());
      values.narrow(2, recent, added).copy_(value.detach());
    }
    long now = recent + added;
    Tensor newestKeys = fits ? keys.narrow(2, 0, now) : joined(keys, key);
    Tensor newestValues = fits ? values.narrow(2, 0, now) : joined(values, value);
    Pair all = new Pair(whole(keyLevels, newestKeys), whole(valueLevels, newestValues));
    recent = now;
    age(newestKeys, newestValues);
    return all;
  }

  private Tensor joined(Tensor before, Tensor added) {
    return Tensor.cat(2, before.narrow(2, 0, recent), added.to(before.dtype()));
  }

  private Tensor room(DType dtype) {
    long most = Math.min(capacity, (long) config.steps().get(0).after() + config.group());
    // Outside of inference mode, so that later steps may run in it or not.
    try (Mode mode = Autograd.noInference()) {
      return Tensor.zeros(dtype, batch, heads, most, headDim).keep();
    }
  }

  /** The unpacked older tokens followed by the newest. */
  private Tensor whole(List<Level> levels, Tensor newest) {
    long older = quantized();
    if (older == 0) {
      return newest;
    }
    long length = older + newest.size(2);
    Tensor whole = Tensor.empty(newest.dtype(), batch, heads, length, headDim);
    long start = 0;
    for (int i = levels.size() - 1; i >= 0; i--) {
      Level level = levels.get(i);
      long tokens = level.groups() * config.group();
      if (tokens > 0) {
        level.packed.unpackTo(
            whole.narrow(2, start, tokens).unflatten(2, level.groups(), config.group()));
        start += tokens;
      }
    }
    whole.narrow(2, start, newest.size(2)).copy_(newest);
    return whole;
  }

  /** Number of groups that have reached a step's age but are not at it yet. */
  private long due(int step) {
    long old = length() - config.steps().get(step).after();
    return Math.max(0, Math.floorDiv(old, config.group()) - groupsFrom(step));
  }

  private void age(Tensor newestKeys, Tensor newestValues) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noInference();
        Mode constant = Autograd.noGrad()) {
      long leaving = due(0);
      if (leaving > 0 || newestKeys.size(2) > keys.size(2)) {
        long tokens = leaving * config.group();
        if (leaving > 0) {
          keyLevels.get(0).push(groups(newestKeys, leaving));
          valueLevels.get(0).push(groups(newestValues, leaving));
        }
        recent -= tokens;
        keys = rest(keys, newestKeys, tokens);
        values = rest(values, newestValues, tokens);
      }
      for (int step = 1; step < config.steps().size(); step++) {
        long falling = due(step);
        if (falling > 0) {
          fall(keyLevels, step, falling, keys.dtype());
          fall(valueLevels, step, falling, values.dtype());
        }
      }
    }
  }

  private Tensor groups(Tensor newest, long count) {
    return newest.detach().narrow(2, 0, count * config.group()).unflatten(2, count, config.group());
  }

  /** Moves the rest to new memory, because returned tensors may be views of the old one. */
  private Tensor rest(Tensor room, Tensor newest, long from) {
    Tensor next = room(room.dtype());
    long count = newest.size(2) - from;
    next.narrow(2, 0, count).copy_(newest.detach().narrow(2, from, count));
    room.close();
    return next;
  }

  private static void fall(List<Level> levels, int step, long count, DType dtype) {
    levels.get(step).push(levels.get(step - 1).pop(count, dtype));
  }

  @Override
  public long length() {
    return quantized() + recent;
  }

  /**
   * Drops the newest tokens. Quantized groups keep their precision.
   *
   * @throws UnsupportedOperationException if quantized tokens would be dropped, unless all are
   */
  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot keep " + newLength + " tokens: expected at least 0");
    }
    if (newLength == 0) {
      keyLevels.forEach(Level::close);
      valueLevels.forEach(Level::close);
      recent = 0;
      return;
    }
    if (newLength < quantized()) {
      throw new UnsupportedOperationException(
          "cannot keep only "
              + newLength
              + " tokens: the first "
              + quantized()
              + " are quantized and cannot be dropped; increase 'after' of the first step");
    }
    recent = Math.min(recent, newLength - quantized());
  }

  @Override
  public long bytes() {
    long packed =
        keyLevels.stream().mapToLong(Level::bytes).sum()
            + valueLevels.stream().mapToLong(Level::bytes).sum();
    return keys == null ? packed : packed + 2 * keys.elements() * keys.dtype().bytes();
  }

  @Override
  public void close() {
    keyLevels.forEach(Level::close);
    valueLevels.forEach(Level::close);
    if (keys != null) {
      keys.close();
      values.close();
    }
  }
}
