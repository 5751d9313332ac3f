package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.cache.ConvState;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A depthwise convolution over neighbouring tokens, one of the mixers that MetaFormer's authors
 * compare (<a href="https://arxiv.org/abs/2111.11418">MetaFormer Is Actually What You Need for
 * Vision</a>). Tokens of an image have neighbours in two dimensions, those of a sequence in one; in
 * causal models the neighbours are the last {@code size} tokens up to the token itself. Positions
 * outside, and padding, count as zeros.
 */
public final class DepthwiseConvolution extends TokenMixer {
  /**
   * Configuration.
   *
   * @param size width of the kernel in each dimension, an odd number
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int size) implements TokenMixer.Config {
    /** Default: a width of three. */
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
      return "convolution";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new DepthwiseConvolution(size, context);
    }
  }

  private final int size;
  private final int rows;
  private final boolean causal;
  private final Parameter weight;
  private final Parameter bias;

  DepthwiseConvolution(int size, BlockContext context) {
    this.size = size;
    this.rows = context.rows();
    this.causal = context.causal();
    int high = rows == 1 ? 1 : size;
    this.weight =
        parameter("weight", Initializer.uniformFanIn().create(context.width(), 1, high, size));
    this.bias = context.bias() ? parameter("bias", Tensor.zeros(context.width())) : null;
  }

  @Override
  public Tensor forward(Tensor x, Tensor paddingMask) {
    Tensor seen = paddingMask == null ? x : x.maskedFill(paddingMask.not().unsqueeze(2), 0);
    return causal ? along(Functional.pad(seen, 0, 0, 0, size - 1, 0)) : around(seen);
  }

  /** Convolves sequences that begin with the {@code size - 1} tokens before the first result. */
  private Tensor along(Tensor x) {
    Tensor kernel = weight.value().squeeze(2);
    Tensor b = bias == null ? null : bias.value();
    return Functional.conv1d(x.transpose(1, 2), kernel, b, 1, 0, 1, x.size(2)).transpose(1, 2);
  }

  private Tensor around(Tensor x) {
    if (rows == 1) {
      return along(Functional.pad(x, 0, 0, 0, size / 2, size / 2));
    }
    Tensor b = bias == null ? null : bias.value();
    Tensor planes = TokenGrid.of(x, rows).planes();
    return new TokenGrid(Functional.conv2d(planes, weight.value(), b, 1, size / 2, x.size(2)))
        .tokens();
  }

  @Override
  public State start(long batch, long capacity) {
    return causal ? new ConvState(size - 1) : super.start(batch, capacity);
  }

  @Override
  public Tensor step(Tensor x, State state) {
    Tensor all = ((ConvState) state).append(x);
    long missing = x.size(1) + size - 1 - all.size(1);
    return along(missing == 0 ? all : Functional.pad(all, 0, 0, 0, missing, 0));
  }
}
