package dev.jformer.mixer.attention;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Position;
import dev.jformer.position.Toeplitz;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Attention with universal relative positions (URPE), of <a
 * href="https://arxiv.org/abs/2205.13401">Your Transformer May Not be as Powerful as You
 * Expect</a>. The softmax matrix A of each head is multiplied, element by element, by a learned
 * Toeplitz matrix C, so that query i takes a_ij c_(j-i) of key j. Rows of A sum to one, and so a
 * relative encoding in the logits alone says nothing where all tokens are the same; rows of A ⊙ C
 * sum to what C makes of them. It works with every position encoding; the paper has only relative
 * biases.
 *
 * <p>C starts as all ones, which is softmax attention. It has a number for each head and each
 * distance within the model's length L: 2L - 1, or L in causal models. Pairs farther apart use the
 * number of the largest distance. The authors' code with a number for each distance cannot go
 * beyond L; its other form, with numbers for buckets of distances, uses the last one, as here. It
 * shares one C among all layers; here each layer has its own, of which theirs is a special case.
 *
 * <p>The T×S matrix is stored, as the definition requires. An additive bias cannot replace C: its
 * numbers may become negative or zero and then have no logarithm; and even if all are positive,
 * softmax(l + log C) is normalised again, which removes the effect of C. The lost factors could be
 * recovered from the logarithms of both normalisers, in one fused pass for each sign of C and one
 * without it; but the kernel needs the bias as a T×S matrix for each head and computes no gradient
 * for it, and the logarithm of zero has none.
 */
public final class Urpe extends Attention {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads) implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4, 0);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
    }

    @Override
    public String type() {
      return "urpe";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Urpe(this, context, position);
    }
  }

  private final int length;
  private final Parameter factors;

  Urpe(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    this.length = context.length();
    int distances = isCausal() ? length : 2 * length - 1;
    this.factors = parameter("factors", Initializer.constant(1).create(heads(), distances));
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    return weights(h, mask).matmul(repeatGroups(h.value()));
  }

  /** The weights A ⊙ C: [B, H, T, S]. Their rows do not sum to one. */
  @Override
  protected Tensor weights(Heads h, AttentionMask mask) {
    return super.weights(h, mask).mul(factors(mask.start(), h.query().size(2), h.key().size(2)));
  }

  /** The matrix C of queries from {@code start} on and keys from 0 on: [H, queries, keys]. */
  private Tensor factors(long start, long queries, long keys) {
    // Distances 1 - L … L - 1 in this order; a causal model's end with 0.
    Tensor index = Toeplitz.distances(start, queries, keys).add((long) length - 1);
    Tensor clamped = index.clamp(0, factors.value().size(1) - 1.0).to(DType.INT64);
    return Toeplitz.matrix(factors.value().indexSelect(1, clamped), queries, keys);
  }
}
