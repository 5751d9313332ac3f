package dev.jformer.mixer.attention;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * PrFlashAttention of <a href="https://arxiv.org/abs/2410.18441">The Nature of Mathematical
 * Modeling and Probabilistic Optimization Engineering in Generative AI</a>. It is softmax attention
 * by blocks, of which those far from the diagonal take part with a probability that falls with
 * their distance; those on the diagonal always do. The paper has no formula for it: here a block of
 * keys that lies δ blocks away takes part with probability p^δ, drawn for all sequences and heads
 * together, anew in every pass of training; out of training all take part. With p = 1 it is exact
 * attention, to the bit.
 */
public final class ProbabilisticFlash extends Attention {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param block number of tokens in a block
   * @param probability p, that of a neighbouring block
   * @param always whether blocks are also left out in inference
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads, int block, double probability, boolean always)
      implements TokenMixer.Config {
    /** Defaults: blocks of 64 tokens, neighbours with probability 0.8. */
    public Config() {
      this(4, 0, 64, 0.8, false);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      Checks.atLeast("block", block, 1);
      if (!(probability >= 0 && probability <= 1)) {
        throw new IllegalArgumentException("probability is " + probability + ": expected 0 to 1");
      }
    }

    @Override
    public String type() {
      return "pr-flash";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new ProbabilisticFlash(this, context, position);
    }
  }

  private final Config config;

  ProbabilisticFlash(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    this.config = config;
    refuseBias();
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    long length = h.query().size(2);
    boolean whole = mask.start() > 0 || length != h.key().size(2);
    if (whole || config.probability() == 1 || !(isTraining() || config.always())) {
      return SoftmaxAttention.fused(h, mask);
    }
    return blocks(
        h, mask.paddingMask(), draw((int) ((length + config.block() - 1) / config.block())));
  }

  /** Draws which blocks of keys take part for which blocks of queries. */
  private boolean[][] draw(int count) {
    float[] numbers = Tensor.rand(count, count).toFloats();
    boolean[][] drawn = new boolean[count][count];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) {
        double probability = Math.pow(config.probability(), Math.abs(i - j));
        boolean ahead = isCausal() && j > i;
        drawn[i][j] = i == j || (!ahead && numbers[i * count + j] < probability);
      }
    }
    return drawn;
  }

  /** Attention of blocks of queries to the blocks of keys that take part. */
  Tensor blocks(Heads h, Tensor paddingMask, boolean[][] drawn) {
    long length = h.query().size(2);
    Tensor padding = paddingMask == null ? null : paddingMask.unsqueeze(1).unsqueeze(1);
    Tensor[] results = new Tensor[drawn.length];
    for (int i = 0; i < drawn.length; i++) {
      long from = (long) i * config.block();
      long size = Math.min(config.block(), length - from);
      List<Tensor> keys = new ArrayList<>();
      List<Tensor> values = new ArrayList<>();
      List<Tensor> masks = new ArrayList<>();
      for (int j = 0; j < drawn[i].length; j++) {
        if (drawn[i][j]) {
          long start = (long) j * config.block();
          long width = Math.min(config.block(), length - start);
          keys.add(h.key().narrow(2, start, width));
          values.add(h.value().narrow(2, start, width));
          Tensor mask = Tensor.ones(size, width);
          Tensor seen = (isCausal() && i == j ? mask.tril(0) : mask).gt(0);
          masks.add(padding == null ? seen : seen.and(padding.narrow(3, start, width)));
        }
      }
      boolean all = !isCausal() && padding == null;
      int columns = padding == null ? 1 : 3;
      results[i] =
          Functional.attention(
              h.query().narrow(2, from, size),
              Tensor.cat(2, keys.toArray(Tensor[]::new)),
              Tensor.cat(2, values.toArray(Tensor[]::new)),
              all ? null : Tensor.cat(columns, masks.toArray(Tensor[]::new)),
              false,
              null);
    }
    return Tensor.cat(2, results);
  }
}
