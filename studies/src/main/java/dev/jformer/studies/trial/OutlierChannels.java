package dev.jformer.studies.trial;

import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Gives a model what large language models have and small ones lack: a few channels, the same in
 * all blocks, in which what the linear layers are given is many times as large as in the others.
 * The normalisation before a linear layer makes these channels larger, and the layer's weights for
 * them are smaller by as much, so the model computes what it did. Unlike in large models, where
 * outliers come with usual weights, these weights are harder to round then, too.
 */
public final class OutlierChannels {
  private OutlierChannels() {}

  /**
   * A copy of a model, with outliers.
   *
   * @param model of blocks that normalise first, with plain linear layers
   * @param count how many channels
   * @param factor how many times as large they become
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
