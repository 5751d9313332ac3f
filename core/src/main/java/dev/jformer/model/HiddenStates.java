package dev.jformer.model;

import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Collects the hidden states that the blocks of a model's stacks put out while it runs whole
 * sequences, with their gradients.
 *
 * <pre>{@code
 * try (HiddenStates states = HiddenStates.collect()) {
 *   model.logits(ids);
 *   Tensor last = states.stacks().get(0).last();
 * }
 * }</pre>
 *
 * Stacks report to the innermost open collector of the calling thread; without one reports cost
 * nothing.
 */
public final class HiddenStates implements AutoCloseable {
  private static final ThreadLocal<HiddenStates> INNERMOST = new ThreadLocal<>();

  private final HiddenStates outer = INNERMOST.get();
  private final List<Stack> stacks = new ArrayList<>();

  /**
   * The states of one pass through a stack.
   *
   * @param layers the output of each block, first to last: [B, T, D]
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   */
  public record Stack(List<Tensor> layers, Tensor paddingMask) {
    /** The output of the last block. */
    public Tensor last() {
      return layers.get(layers.size() - 1);
    }
  }

  private HiddenStates() {
    INNERMOST.set(this);
  }

  /** Opens a collector. */
  public static HiddenStates collect() {
    return new HiddenStates();
  }

  /** The stacks that have run, in order: the encoder's and the decoder's of a translator. */
  public List<Stack> stacks() {
    return List.copyOf(stacks);
  }

  /**
   * Reports that a stack begins to run; models of your own report so too.
   *
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   */
  public static void begin(Tensor paddingMask) {
    HiddenStates collector = INNERMOST.get();
    if (collector != null) {
      collector.stacks.add(new Stack(new ArrayList<>(), paddingMask));
    }
  }

  /** Whether stacks of the calling thread report to a collector. */
  static boolean isCollected() {
    return INNERMOST.get() != null;
  }

  /** Reports the output [B, T, D] of a block of the stack that began last. */
  public static void add(Tensor states) {
    HiddenStates collector = INNERMOST.get();
    if (collector != null) {
      collector.stacks.get(collector.stacks.size() - 1).layers().add(states);
    }
  }

  /** Ends collecting. */
  @Override
  public void close() {
    if (outer == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(outer);
    }
  }
}
