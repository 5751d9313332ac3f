package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * MetaFormer's random mixing (<a href="https://arxiv.org/abs/2111.11418">MetaFormer Is Actually
 * What You Need for Vision</a>): tokens are mixed by one matrix that is drawn once and never
 * trained, the softmax of numbers uniform on [0, 1), the same for all channels. Shorter sequences
 * use the upper left corner of the matrix, causal ones its lower triangle; the softmax is over the
 * part used.
 */
public final class RandomMixer extends TokenMixer {
  /** Configuration. */
  @AutoService(TokenMixer.Config.class)
  public record Config() implements TokenMixer.Config {
    @Override
    public String type() {
      return "random";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new RandomMixer(context);
    }
  }

  private final boolean causal;
  private final int longest;
  private final Parameter logits;

  RandomMixer(BlockContext context) {
    this.causal = context.causal();
    this.longest = context.length();
    Initializer uniform = shape -> Tensor.rand(shape);
    this.logits = buffer("logits", uniform.create(context.length(), context.length()));
  }

  @Override
  public Tensor forward(Tensor x, Tensor paddingMask) {
    return matrix(x, paddingMask).matmul(x);
  }

  /** The mixing matrix: [1, T, T], or [B, T, T] if there is padding. */
  private Tensor matrix(Tensor x, Tensor paddingMask) {
    long length = x.size(1);
    if (length > longest) {
      throw new IllegalArgumentException(
          "a sequence of "
              + length
              + " tokens is too long for the mixer's matrix: expected at most "
              + longest);
    }
    Tensor corner = logits.value().narrow(0, 0, length).narrow(1, 0, length).unsqueeze(0);
    corner = corner.to(x.dtype());
    if (causal) {
      Tensor later = Tensor.ones(length, length).triu(1).gt(0);
      corner = corner.maskedFill(later, Double.NEGATIVE_INFINITY);
    }
    if (paddingMask != null) {
      corner = corner.maskedFill(paddingMask.not().unsqueeze(1), Double.NEGATIVE_INFINITY);
    }
    return dev.jformer.tensor.Functional.safeSoftmax(corner, 2);
  }

  @Override
  public Tensor weights(Tensor x, Tensor paddingMask) {
    return matrix(x, paddingMask).unsqueeze(1).expand(x.size(0), 1, -1, -1);
  }
}
