package dev.jformer.model;

import dev.jformer.mixer.cache.Cache;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * The recurrent module of a {@link RecurrentLm}: makes a state of the hidden states of a window,
 * and of the state the keys and values that stand in front of those of the next window. With p the
 * pooled hidden states:
 *
 * <pre>
 * s' = W gelu(V p + a) + b                                      feed-forward
 * r, z = σ(G [p, s] + g);  n = tanh(V p + a + r (W s + b))      gated
 * s' = (1 - z) n + z s
 * k, v = E s' + c
 * </pre>
 *
 * <p>E is small at first, so that the state's keys and values begin near zero.
 */
final class Recurrence extends Module {
  private final RecurrenceConfig config;
  private final long states;
  private final long groups;
  private final long headDim;
  private final Slot<Layer> gates;
  private final Slot<Layer> read;
  private final Slot<Layer> inner;
  private final Slot<Layer> emit;

  /**
   * Creates a module with random weights.
   *
   * @param width D, of the hidden states
   * @param groups G, heads of keys and values
   * @param headDim d
   */
  Recurrence(RecurrenceConfig config, int width, int groups, int headDim, double deviation) {
    this.config = config;
    this.states = config.state() == 0 ? width : config.state();
    this.groups = groups;
    this.headDim = headDim;
    Initializer fanIn = Initializer.uniformFanIn();
    this.read = child("read", Layer.class, new Linear(width, states, true, fanIn));
    this.inner = child("inner", Layer.class, new Linear(states, states, true, fanIn));
    this.gates =
        isGated()
            ? child("gates", Layer.class, new Linear(width + states, 2 * states, true, fanIn))
            : null;
    long emitted = 2L * groups * config.slots() * headDim;
    this.emit =
        child(
            "emit", Layer.class, new Linear(states, emitted, true, Initializer.normal(deviation)));
  }

  private boolean isGated() {
    return config.update() == RecurrenceConfig.Update.GATED;
  }

  /**
   * Computes the state after a window.
   *
   * @param hidden [B, T, D], the final hidden states of the window
   * @param before [B, R], the state before it; null for none
   * @return [B, R]
   */
  Tensor next(Tensor hidden, Tensor before) {
    Tensor pooled =
        config.pooling() == RecurrenceConfig.Pooling.MEAN
            ? hidden.mean(1, false)
            : hidden.select(1, hidden.size(1) - 1);
    Tensor seen = read.get().forward(pooled);
    if (!isGated()) {
      return inner.get().forward(Functional.gelu(seen));
    }
    Tensor state = before == null ? seen.mul(0).detach() : before;
    Tensor both = gates.get().forward(Tensor.cat(1, pooled, state)).sigmoid();
    List<Tensor> parts = both.split(1, states, states);
    Tensor fresh = seen.add(parts.get(0).mul(inner.get().forward(state))).tanh();
    return fresh.add(parts.get(1).mul(state.sub(fresh)));
  }

  /** The keys and values of a state: [B, R] to [B, G, M, d] each. */
  Cache.Pair prefix(Tensor state) {
    Tensor both = emit.get().forward(state).unflatten(1, 2, groups, config.slots(), headDim);
    return new Cache.Pair(both.select(1, 0), both.select(1, 1));
  }
}
