package dev.jformer.mixer.extractor;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * The higher-performance Extractor, HE (<a href="https://arxiv.org/abs/2308.07661">Attention Is Not
 * All You Need Anymore</a>): a linear map V of all tokens is shared by all distances, and each
 * distance weighs the channels of its result: {@code w[j] ∘ x = w[j] ⊙ V x}. With linear maps
 * without biases it has l D + 3 D² weights; see {@link Extractor} for everything else.
 */
public final class HighExtractor extends ChannelExtractor {
  /** Configuration. */
  @AutoService(TokenMixer.Config.class)
  public record Config() implements TokenMixer.Config {
    @Override
    public String type() {
      return "he";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new HighExtractor(context);
    }
  }

  private final Slot<Layer> value;

  HighExtractor(BlockContext context) {
    super(context, context.width(), WorthwhileExtractor.CONVOLUTION);
    this.value = child("value", Layer.class, context.linear(context.width(), context.width()));
  }

  @Override
  Tensor source(Tensor x) {
    return value.get().forward(x);
  }
}
