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
 * Optimization Engineering in Generative AI</a>, in the manner of <a
 * href="https://arxiv.org/abs/2402.02750">KIVI: A Tuning-Free Asymmetric 2bit Quantization for KV
 * Cache</a>. The newest tokens are kept as they are, older ones in ever fewer bits.
 *
 * <p>Tokens are quantized in groups of {@code group} in a row, counted from the first token. Keys
 * have a scale and an offset for each channel of a group, values for each token and run of {@code
 * channels} channels, both float16. A group's age is the number of tokens that came after its last
 * one; when that reaches a step's {@code after}, the group is rounded anew, from what it was kept
 * as until then. So one that goes from 8 to 2 bits by way of 4 is rounded three times, and what is
 * kept is a function of the keys and values alone, to the bit, however many of them came at a time.
 *
 * <p>Tokens that come together see each other as they are, and those before them as they were kept
 * when they came; only then groups age. So a prompt read at once is attended to more exactly than
 * one read token by token, except for what was kept before it, and in a model of several layers
 * what the later layers keep differs by that.
 *
 * <p>In a step what is kept in few bits is unpacked, used and released again, a layer at a time.
 */
public final class StaircaseCache implements Cache {
  /**
   * A step of the staircase.
   *
   * @param after from which age on, in tokens
   * @param bits of a number: 8, 4 or 2; 16 for float16
   */
  public record Step(int after, int bits) {
    /** 8 bits for all but the newest 128 tokens. */
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
   * @param group how many tokens in a row are quantized together, a multiple of 4
   * @param channels how many channels of a value share a scale, a divisor of a head's width or more
   *     than that
   * @param steps with growing ages and falling bits; tokens younger than the first one's age are
   *     kept as they are
   */
  @AutoService(Cache.Config.class)
  public record Config(int group, int channels, List<Step> steps) implements Cache.Config {
    /** 8 bits after 128 tokens, 4 after 512 and 2 after 2048, in groups of 32. */
    public Config() {
      this(32, 32, List.of(new Step(128, 8), new Step(512, 4), new Step(2048, 2)));
    }

    /** Checks the values. */
    public Config {
      if (group < 4 || group % 4 != 0) {
        throw new IllegalArgumentException(
            "group is " + group + ": expected a positive multiple of 4, as many as fill bytes");
      }
      Checks.atLeast("channels", channels, 1);
      if (steps == null || steps.isEmpty()) {
        throw new IllegalArgumentException(
            "steps is empty: expected at least one; the cache 'full' keeps all as it is");
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
                  + ": expected a greater age and fewer bits at each one");
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
  private static final class Flight implements AutoCloseable {
    private final PackedTokens.Kind kind;
    private PackedTokens packed;

    Flight(int bits, int perScale) {
      this.kind = new PackedTokens.Kind(bits, perScale);
    }

    long groups() {
      return packed == null ? 0 : packed.groups();
    }

    /** Adds groups [B, G, n, group, d] that follow those here. */
    void push(Tensor groups) {
      PackedTokens added = PackedTokens.of(groups, kind);
      put(packed == null ? added : packed.followedBy(added));
    }

    /** Takes the oldest groups away: [B, G, n, group, d] of a type. */
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

  /** One for each step, newest tokens first. */
  private final List<Flight> keyFlights = new ArrayList<>();

  private final List<Flight> valueFlights = new ArrayList<>();

  /** The newest tokens as they are, in front of room for more. */
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
      keyFlights.add(new Flight(step.bits(), 0));
      valueFlights.add(new Flight(step.bits(), perScale));
    }
  }

  /** Groups at a step or beyond. */
  private long groupsFrom(int step) {
    return keyFlights.subList(step, keyFlights.size()).stream().mapToLong(Flight::groups).sum();
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
    Pair all = new Pair(whole(keyFlights, newestKeys), whole(valueFlights, newestValues));
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

  /** What is quantized, and the newest after it. */
  private Tensor whole(List<Flight> flights, Tensor newest) {
    long older = quantized();
    if (older == 0) {
      return newest;
    }
    long length = older + newest.size(2);
    Tensor whole = Tensor.empty(newest.dtype(), batch, heads, length, headDim);
    long start = 0;
    for (int i = flights.size() - 1; i >= 0; i--) {
      Flight flight = flights.get(i);
      long tokens = flight.groups() * config.group();
      if (tokens > 0) {
        flight.packed.unpackTo(
            whole.narrow(2, start, tokens).unflatten(2, flight.groups(), config.group()));
        start += tokens;
      }
    }
    whole.narrow(2, start, newest.size(2)).copy_(newest);
    return whole;
  }

  /** Groups that are due at a step, of those that have not come to it. */
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
          keyFlights.get(0).push(groups(newestKeys, leaving));
          valueFlights.get(0).push(groups(newestValues, leaving));
        }
        recent -= tokens;
        keys = rest(keys, newestKeys, tokens);
        values = rest(values, newestValues, tokens);
      }
      for (int step = 1; step < config.steps().size(); step++) {
        long falling = due(step);
        if (falling > 0) {
          fall(keyFlights, step, falling, keys.dtype());
          fall(valueFlights, step, falling, values.dtype());
        }
      }
    }
  }

  private Tensor groups(Tensor newest, long count) {
    return newest.detach().narrow(2, 0, count * config.group()).unflatten(2, count, config.group());
  }

  /** New room, for what was handed out may be a view of the old one. */
  private Tensor rest(Tensor room, Tensor newest, long from) {
    Tensor next = room(room.dtype());
    long count = newest.size(2) - from;
    next.narrow(2, 0, count).copy_(newest.detach().narrow(2, from, count));
    room.close();
    return next;
  }

  private static void fall(List<Flight> flights, int step, long count, DType dtype) {
    flights.get(step).push(flights.get(step - 1).pop(count, dtype));
  }

  @Override
  public long length() {
    return quantized() + recent;
  }

  /**
   * Forgets the newest tokens. What is quantized stays as it is, in the precision of the age it had
   * come to.
   *
   * @throws UnsupportedOperationException if tokens would go that are quantized, except for all
   */
  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot go back to " + newLength + " tokens: expected at least 0");
    }
    if (newLength == 0) {
      keyFlights.forEach(Flight::close);
      valueFlights.forEach(Flight::close);
      recent = 0;
      return;
    }
    if (newLength < quantized()) {
      throw new UnsupportedOperationException(
          "cannot go back to "
              + newLength
              + " tokens: the first "
              + quantized()
              + " are quantized, and only what is kept as it is can be forgotten; a first step"
              + " after more tokens keeps more");
    }
    recent = Math.min(recent, newLength - quantized());
  }

  @Override
  public long bytes() {
    long packed =
        keyFlights.stream().mapToLong(Flight::bytes).sum()
            + valueFlights.stream().mapToLong(Flight::bytes).sum();
    return keys == null ? packed : packed + 2 * keys.elements() * keys.dtype().bytes();
  }

  @Override
  public void close() {
    keyFlights.forEach(Flight::close);
    valueFlights.forEach(Flight::close);
    if (keys != null) {
      keys.close();
      values.close();
    }
  }
}
