package dev.jformer.mixer.recurrent;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * Multi-scale retention, of <a href="https://arxiv.org/abs/2307.08621">Retentive Network: A
 * Successor to Transformer for Large Language Models</a>: linear attention without a denominator,
 * whose head h forgets at the rate γ_h = 1 - 2^(-5-h). Three forms give the same:
 *
 * <pre>
 * S[t] = γ S[t-1] + k[t] v[t]ᵀ        y[t] = q[t]ᵀ S[t] / √d           (decoding)
 * Y = (Q Kᵀ / √d ⊙ D) V               D[t, s] = γ^(t-s) for s ≤ t       (parallel)
 * </pre>
 *
 * and chunks of 64 tokens, parallel inside and recurrent between them, which this class uses for
 * whole sequences too: time and memory are O(T). Each head's result is normalised by itself and
 * gated: {@code O (norm(y) ⊙ swish(G x))}.
 *
 * <p>The paper rotates queries and keys as rotary positions do: choose {@code rope}. Its factors
 * that keep sums small are left out, since the normalisation of each head removes them.
 */
public final class Retention extends Attention {
  private static final long CHUNK = 64;

  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param epsilon added to the variance by which a head's result is normalised
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, double epsilon) implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4, 1e-5);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, 0);
      Checks.moreThan("epsilon", epsilon, 0);
    }

    @Override
    public String type() {
      return "retention";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Retention(this, context, position);
    }
  }

  private final double epsilon;
  private final Slot<Layer> gate;

  Retention(Config config, BlockContext context, Position position) {
    super(config.heads(), 0, context, position);
    RecurrentMixer.requireCausal(this, context);
    refuseBias();
    this.epsilon = config.epsilon();
    this.gate = child("gate", Layer.class, context.linear(context.width(), context.width()));
  }

  /** The powers γ_h^(t+shift) for t = 0 … count - 1: [H, count]. */
  private Tensor powers(long count, long shift, DType dtype) {
    Tensor rates = Tensor.arange(0, heads()).to(DType.FLOAT64).add(5.0).mul(-Math.log(2)).exp();
    Tensor logs = rates.neg().add(1.0).log().unsqueeze(1);
    return logs.matmul(Tensor.arange(shift, shift + count).to(DType.FLOAT64).unsqueeze(0))
        .exp()
        .to(dtype);
  }

  /** D for a number of tokens: γ_h^(t-s), zero for s > t: [H, count, count]. */
  private Tensor decay(long count, DType dtype) {
    Tensor distances = Tensor.arange(0, count).unsqueeze(1).sub(Tensor.arange(0, count));
    Tensor all = powers(count, 0, dtype);
    Tensor index = distances.abs().flatten(0, 1);
    return all.indexSelect(1, index).unflatten(1, count, count).tril(0);
  }

  private Tensor retain(Heads h, Tensor paddingMask, RecurrentState state) {
    DType dtype = h.query().dtype();
    Tensor query = h.query().mul(1 / Math.sqrt(headDim())).contiguous();
    Tensor key = paddingMask == null ? h.key().contiguous() : padded(h.key(), paddingMask);
    Tensor value = h.value().contiguous();
    long length = query.size(2);
    Tensor sum = state == null ? null : state.get(0);
    Tensor[] parts = new Tensor[(int) ((length + CHUNK - 1) / CHUNK)];
    Tensor decay = decay(Math.min(length, CHUNK), dtype);
    for (int i = 0; i < parts.length; i++) {
      long start = i * CHUNK;
      long count = Math.min(CHUNK, length - start);
      Tensor q = query.narrow(2, start, count);
      Tensor k = key.narrow(2, start, count);
      Tensor v = value.narrow(2, start, count);
      Tensor inside = decay.narrow(1, 0, count).narrow(2, 0, count);
      Tensor result = q.matmul(k.t()).mul(inside).matmul(v);
      if (sum != null) {
        result = result.add(q.mul(powers(count, 1, dtype).unsqueeze(2)).matmul(sum));
      }
      parts[i] = result;
      if (state != null || i + 1 < parts.length) {
        Tensor weighted = k.mul(powers(count, 0, dtype).flip(1).unsqueeze(2));
        Tensor added = weighted.t().matmul(v);
        Tensor kept = powers(1, count, dtype).unsqueeze(2);
        sum = sum == null ? added : added.add(sum.mul(kept));
      }
    }
    if (state != null) {
      state.set(0, sum);
    }
    return parts.length == 1 ? parts[0] : Tensor.cat(2, parts);
  }

  private static Tensor padded(Tensor key, Tensor paddingMask) {
    return key.maskedFill(paddingMask.not().unsqueeze(1).unsqueeze(3), 0);
  }

  @Override
  protected Tensor attend(Heads heads, AttentionMask mask) {
    return Scope.tidy(() -> retain(heads, mask.paddingMask(), null));
  }

  @Override
  protected Tensor attend(Heads heads, State state) {
    RecurrentState memory = (RecurrentState) state;
    Tensor result = Scope.tidy(() -> retain(heads, null, memory));
    memory.advance(heads.query().size(2));
    return result;
  }

  @Override
  protected Tensor finish(Tensor result, Tensor x) {
    Tensor normed = Functional.layerNorm(result, null, null, epsilon);
    Tensor gates = Functional.silu(gate.get().forward(x));
    return normed.mul(gates.unflatten(2, heads(), headDim()).transpose(1, 2));
  }

  /** Refuses: each head's result is normalised after the sum, so no matrix of weights gives it. */
  @Override
  public Tensor weights(Tensor x, Tensor paddingMask) {
    throw new UnsupportedOperationException(
        "Retention has no weights between tokens: its sums are normalised afterwards");
  }

  @Override
  public State start(long batch, long capacity) {
    return new RecurrentState(1);
  }
}
