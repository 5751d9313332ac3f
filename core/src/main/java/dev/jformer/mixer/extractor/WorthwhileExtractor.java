package dev.jformer.mixer.extractor;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.internal.CausalConvolution;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;

/**
 * The worthwhile Extractor, WE (<a href="https://arxiv.org/abs/2308.07661">Attention Is Not All You
 * Need Anymore</a>): each distance weighs the channels of the tokens themselves, {@code w[j] ∘ x =
 * w[j] ⊙ x}. With linear maps without biases it has l D + 2 D² weights; see {@link Extractor} for
 * everything else.
 */
public final class WorthwhileExtractor extends ChannelExtractor {
  /**
   * A triangular matrix for each channel is faster up to about 64 tokens, Fourier transforms
   * beyond. Measured forward and backward, 2 cores, 8 sequences of 256 tokens and 256 channels, for
   * blocks of at most 16, 32, 64 and 128 tokens: 35, 29, 26 and 31 ms; 64 is best or within 6 % of
   * it from 64 to 4,096 tokens.
   */
  static final CausalConvolution CONVOLUTION = new CausalConvolution(64);

  /** Configuration. */
  @AutoService(TokenMixer.Config.class)
  public record Config() implements TokenMixer.Config {
    @Override
    public String type() {
      return "we";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new WorthwhileExtractor(context);
    }
  }

  WorthwhileExtractor(BlockContext context) {
    super(context, context.width(), CONVOLUTION);
  }
}
