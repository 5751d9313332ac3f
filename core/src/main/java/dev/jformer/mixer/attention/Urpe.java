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
 * sum to what C makes of them. Works with every position encoding; the paper's has none but
 * relative biases.
 *
 * <p>C starts as all ones, which is softmax attention. It has a number for each head and each
 * distance within the model's length L: 2L - 1, or L in causal models. Pairs farther apart take the
 * number of the farthest. The authors' code with a number for each distance cannot go beyond L; its
 * other form, with numbers for buckets of distances, goes on with the last, as here. It shares one
 * C among all layers; here each has its own, of which theirs is a special case.
 *
 * <p>The T×S matrix is held, as the definition demands it. No additive bias can stand for C: its
 * numbers may become negative or zero and have no logarithm then; and even where all are positive,
 * softmax(l + log C) is normalised anew, which takes away the very thing that C is there for. The
 * lost factors could be had back from the logarithms of both normalisers, in one fused pass for
 * each sign of C and one without it; but the kernel wants the bias as a T×S matrix for each head,
 * gives no gradient to it, and none flows through a zero's logarithm.
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
    public TokenMixer build(BlockContext site, Position position) {
      return new Urpe(this, site, position);
    }
  }

  private final int length;
  private final Parameter factors;

  Urpe(Config config, BlockContext site, Position position) {
    super(config.heads(), config.keyValueHeads(), site, position);
    this.length = site.length();
    int distances = isCausal() ? length : 2 * length - 1;
    this.factors = parameter("factors", Initializer.constant(1).create(heads(), distances));
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask pairs) {
    return weights(h, pairs).matmul(repeatGroups(h.value()));
  }

  /** A ⊙ C: [B, H, T, S]. Its rows do not sum to one. */
  @Override
  protected Tensor weights(Heads h, AttentionMask pairs) {
    return super.weights(h, pairs).mul(factors(pairs.start(), h.query().size(2), h.key().size(2)));
  }

  /** C of queries from {@code start} on and keys from 0 on: [H, queries, keys]. */
  private Tensor factors(long start, long queries, long keys) {
    // Distances 1 - L … L - 1 in this order; a causal model's end with 0.
    Tensor index = Toeplitz.distances(start, queries, keys).add((long) length - 1);
    Tensor clamped = index.clamp(0, factors.value().size(1) - 1.0).to(DType.INT64);
    return Toeplitz.matrix(factors.value().indexSelect(1, clamped), queries, keys);
  }
}
