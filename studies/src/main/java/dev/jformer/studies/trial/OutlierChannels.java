package dev.jformer.studies.trial;

import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Adds outlier channels to a model: a few channels, the same in all blocks, in which the inputs of
 * linear layers are many times as large as in the others. Large language models have such channels,
 * small ones do not. The gain of the normalisation before a linear layer grows, and the layer's
 * weights for these channels shrink by the same factor, so the model computes the same function.
 * Unlike in large models, the weights become harder to quantize, too.
 */
public final class OutlierChannels {
  private OutlierChannels() {}

  /**
   * Returns a copy of a model with outlier channels.
   *
   * @param model of pre-norm blocks with plain linear layers
   * @param count number of outlier channels
   * @param factor by which the channels grow
   * @throws IllegalArgumentException if the model has no such blocks
   */
  public static Model in(Model model, int count, double factor, long seed) {
    try (Scope scope = Scope.open()) {
      Tensor random = Random.state();
      Model copy = model.config().build();
      Random.restore(random);
      copy.copyFrom(model);
      copy.train(false);
      Map<String, Parameter> parameters = copy.parameters();
      int found = 0;
      for (String name : parameters.keySet()) {
        if (name.endsWith("mixerNorm.weight") || name.endsWith("ffnNorm.weight")) {
          String block = name.replaceAll("(mixer|ffn)Norm\\.weight$", "");
          String next = block + (name.endsWith("mixerNorm.weight") ? "mixer.qkv" : "ffn.up");
          Parameter weight = parameters.get(next + ".weight");
          if (weight == null) {
            throw new IllegalArgumentException("the model has no plain linear layer " + next);
          }
          Tensor gain = parameters.get(name).value().detach();
          Tensor factors = factors((int) gain.elements(), count, factor, seed);
          gain.copy_(gain.mul(factors));
          Parameter bias = parameters.get(name.replaceAll("weight$", "bias"));
          if (bias != null) {
            bias.copyFrom(bias.value().detach().mul(factors));
          }
          weight.copyFrom(weight.value().detach().div(factors));
          found++;
        }
      }
      if (found == 0) {
        throw new IllegalArgumentException(
            "the model "
                + model.config().type()
                + " has no blocks with a gain before linear layers");
      }
      return copy;
    }
  }

  private static Tensor factors(int width, int count, double factor, long seed) {
    float[] factors = new float[width];
    java.util.Arrays.fill(factors, 1);
    new SplittableRandom(seed)
        .ints(0, width)
        .distinct()
        .limit(count)
        .forEach(channel -> factors[channel] = (float) factor);
    return Tensor.of(factors, width);
  }
}
