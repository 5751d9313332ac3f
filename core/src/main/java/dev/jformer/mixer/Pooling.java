package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.cache.ConvState;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * PoolFormer's mixer (<a href="https://arxiv.org/abs/2111.11418">MetaFormer Is Actually What You
 * Need for Vision</a>): each token becomes the mean of its neighbours and itself minus itself,
 * because the residual stream adds it again. Tokens of an image have neighbours in two dimensions,
 * those of a sequence in one; in causal models the neighbours are the last {@code size} tokens up
 * to the token itself. Positions outside, and padding, do not count. It has no weights.
 */
public final class Pooling extends TokenMixer {
  /**
   * Configuration.
   *
   * @param size width of the window in each dimension, an odd number
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int size) implements TokenMixer.Config {
    /** Default: the paper's width of 3. */
    public Config() {
      this(3);
    }

    /** Checks the values. */
    public Config {
      if (size < 1 || size % 2 == 0) {
        throw new IllegalArgumentException("size is " + size + ": expected an odd number");
      }
    }

    @Override
    public String type() {
      return "pooling";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Pooling(size, context);
    }
  }

  private final int size;
  private final int rows;
  private final boolean causal;

  Pooling(int size, BlockContext context) {
    this.size = size;
    this.rows = context.rows();
    this.causal = context.causal();
  }

  @Override
  public Tensor forward(Tensor x, Tensor paddingMask) {
    if (causal) {
      return ratio(x, paddingMask, t -> running(t)).sub(x);
    }
    if (paddingMask == null) {
      return TokenGrid.of(x, rows).neighbours(size).sub(x);
    }
    return ratio(x, paddingMask, t -> TokenGrid.of(t, rows).neighbours(size)).sub(x);
  }

  private interface Mean {
    Tensor of(Tensor x);
  }

  /** The mean of tokens that are not padding, as the ratio of two means. */
  private static Tensor ratio(Tensor x, Tensor paddingMask, Mean mean) {
    Tensor kept =
        paddingMask == null
            ? Tensor.ones(1, x.size(1), 1).to(x.dtype()).to(x.device())
            : paddingMask.unsqueeze(2).to(x.dtype());
    Tensor seen = paddingMask == null ? x : x.mul(kept);
    Tensor count = mean.of(kept).clamp(1e-6, 1);
    return mean.of(seen).div(count);
  }

  /** Sums of the last {@code size} tokens, divided by {@code size}. */
  private Tensor running(Tensor x) {
    Tensor padded = Functional.pad(x, 0, 0, 0, size - 1, 0);
    Tensor sum = x;
    for (int back = 1; back < size; back++) {
      sum = sum.add(padded.narrow(1, size - 1L - back, x.size(1)));
    }
    return sum.div(size);
  }

  @Override
  public State start(long batch, long capacity) {
    if (!causal) {
      return super.start(batch, capacity);
    }
    return new ConvState(size - 1);
  }

  @Override
  public Tensor step(Tensor x, State state) {
    ConvState past = (ConvState) state;
    Tensor all = past.append(x);
    Tensor mean = ratio(all, null, t -> running(t));
    return mean.narrow(1, all.size(1) - x.size(1), x.size(1)).sub(x);
  }
}
