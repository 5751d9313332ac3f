package dev.jformer.mixer.extractor;

import dev.jformer.mixer.internal.CausalConvolution;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/** An Extractor whose extraction weights are numbers that multiply channels. */
abstract class ChannelExtractor extends Extractor {
  private final Parameter weights;
  private final CausalConvolution convolution;

  /**
   * Declares the parameter {@code weights} [l, channels].
   *
   * @param channels D, or 1 for weights that all channels share
   */
  ChannelExtractor(BlockContext context, int channels, CausalConvolution convolution) {
    super(context);
    this.weights = parameter("weights", Initializer.normal(1).create(context.length(), channels));
    this.convolution = convolution;
  }

  @Override
  final Tensor extract(Tensor sources) {
    return convolution.channels(sources, first(weights, sources.size(1)));
  }

  @Override
  final Tensor extractNewest(Tensor sources) {
    return sources.mul(first(weights, sources.size(1))).sum(1, false);
  }
}
