package dev.jformer.mixer.extractor;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.internal.CausalConvolution;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;

/**
 * The minimalist Extractor, ME (<a href="https://arxiv.org/abs/2308.07661">Attention Is Not All You
 * Need Anymore</a>): each distance has one number, {@code w[j] ∘ x = w[j] x}. With linear maps
 * without biases it has l + 2 D² weights; see {@link Extractor} for everything else.
 */
public final class MinimalistExtractor extends ChannelExtractor {
  /**
   * One triangular matrix serves all channels and sequences; it is faster up to about 512 tokens,
   * Fourier transforms beyond. Measured forward and backward, 2 cores, one sequence of 2,048 tokens
   * and 256 channels, for blocks of at most 128, 256, 512 and 1,024 tokens: 28, 25, 23 and 27 ms.
   */
  static final CausalConvolution CONVOLUTION = new CausalConvolution(512);

  /** Configuration. */
  @AutoService(TokenMixer.Config.class)
  public record Config() implements TokenMixer.Config {
    @Override
    public String type() {
      return "me";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new MinimalistExtractor(context);
    }
  }

  MinimalistExtractor(BlockContext context) {
    super(context, 1, CONVOLUTION);
  }
}
