package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Site;
import dev.jformer.position.Position;

/**
 * The minimalist Extractor, ME (arXiv 2308.07661): each distance has one number, {@code w[j] ∘ x =
 * w[j] x}. With linear maps without biases it has l + 2 D² weights; see {@link Extractor} for the
 * rest.
 */
public final class MinimalistExtractor extends ChannelExtractor {
  /** One triangular matrix serves all channels and sequences, and pays for long blocks. */
  static final CausalConvolution CONVOLUTION = new CausalConvolution(512);

  /** Configuration. */
  @AutoService(TokenMixer.Config.class)
  public record Config() implements TokenMixer.Config {
    @Override
    public String type() {
      return "me";
    }

    @Override
    public TokenMixer build(Site site, Position position) {
      return new MinimalistExtractor(site);
    }
  }

  MinimalistExtractor(Site site) {
    super(site, 1, CONVOLUTION);
  }
}
