package dev.jformer.mixer.extractor;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.internal.CausalConvolution;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * The super high-performance Extractor, SHE (<a href="https://arxiv.org/abs/2308.07661">Attention
 * Is Not All You Need Anymore</a>): each distance has a matrix, {@code w[j] ∘ x = W[j] x}. With
 * linear maps without biases it has l D² + 2 D² weights, so lengths and widths must be modest; see
 * {@link Extractor} for everything else.
 *
 * <p>Training stores the Fourier transforms of the matrices, about twice their size; in decoding,
 * token t reads t of them.
 */
public final class SuperHighExtractor extends Extractor {
  /**
   * Products with windows of tokens take as many times the memory of x as a block has tokens; they
   * are faster up to about 16 tokens, Fourier transforms beyond. Measured forward and backward, 2
   * cores, 8 sequences of 256 tokens and 128 channels, for blocks of at most 8, 16, 32 and 64
   * tokens: 167, 138, 169 and 214 ms.
   */
  static final CausalConvolution CONVOLUTION = new CausalConvolution(16);

  /** Configuration. */
  @AutoService(TokenMixer.Config.class)
  public record Config() implements TokenMixer.Config {
    @Override
    public String type() {
      return "she";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new SuperHighExtractor(context);
    }
  }

  private final Parameter weights;

  /** Declares the parameter {@code weights} [l, D, D], W[j] transposed for each distance j. */
  SuperHighExtractor(BlockContext context) {
    super(context);
    int width = context.width();
    this.weights =
        parameter(
            "weights",
            Initializer.normal(1 / Math.sqrt(width)).create(context.length(), width, width));
  }

  @Override
  Tensor extract(Tensor sources) {
    return CONVOLUTION.matrices(sources, first(weights, sources.size(1)));
  }

  @Override
  Tensor extractNewest(Tensor sources) {
    Tensor rows = first(weights, sources.size(1)).flatten(0, 1);
    return sources.flatten(1, 2).to(rows.dtype()).matmul(rows);
  }
}
