package dev.jformer.mixer.linear;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Attention to projected keys and values of <a href="https://arxiv.org/abs/2006.04768">Linformer:
 * Self-Attention with Linear Complexity</a>, one of the mixers of <a
 * href="https://arxiv.org/abs/2103.14636">A Practical Survey on Faster and Lighter
 * Transformers</a>. Keys and values are projected along the sequence, from T tokens to k rows, by
 * learned matrices E and F that all heads of a layer share; queries attend to those rows. So it
 * computes {@code softmax(Q (E K)ᵀ / √d) F V}. Time and memory are O(T k). Each row depends on all
 * tokens, so it cannot be causal. Shorter sequences use the first columns of E and F; padding adds
 * nothing to a row.
 */
public final class Linformer extends Attention {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param rows k, number of rows
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int rows) implements TokenMixer.Config {
    /** Defaults: 64 rows. */
    public Config() {
      this(4, 64);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, 0);
      Checks.atLeast("rows", rows, 1);
    }

    @Override
    public String type() {
      return "linformer";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Linformer(this, context, position);
    }
  }

  private final int longest;
  private final Parameter keys;
  private final Parameter values;

  Linformer(Config config, BlockContext context, Position position) {
    super(config.heads(), 0, context, position);
    if (context.causal()) {
      throw new IllegalArgumentException(
          "linformer mixes all tokens of a sequence into each of its rows: it cannot be used in a"
              + " causal model");
    }
    refuseBias();
    this.longest = context.length();
    // A row of independent tokens of deviation 1 then has deviation 1.
    Initializer normal = Initializer.normal(1 / Math.sqrt((double) context.length()));
    this.keys = parameter("keys", normal.create(config.rows(), context.length()));
    this.values = parameter("values", normal.create(config.rows(), context.length()));
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    long length = h.key().size(2);
    if (length > longest) {
      throw new IllegalArgumentException(
          "a sequence of "
              + length
              + " tokens is too long for the mixer's matrices: expected at most "
              + longest);
    }
    Tensor key = project(keys, kept(h.key(), mask.paddingMask()));
    Tensor value = project(values, kept(h.value(), mask.paddingMask()));
    return Functional.attention(h.query(), key, value, null, false, null);
  }

  private static Tensor kept(Tensor x, Tensor paddingMask) {
    return paddingMask == null ? x : x.maskedFill(paddingMask.not().unsqueeze(1).unsqueeze(3), 0);
  }

  private static Tensor project(Parameter matrix, Tensor x) {
    return matrix.value().narrow(1, 0, x.size(2)).matmul(x);
  }

  @Override
  protected Tensor weights(Heads h, AttentionMask mask) {
    throw new UnsupportedOperationException("Linformer has no weights between tokens");
  }
}
