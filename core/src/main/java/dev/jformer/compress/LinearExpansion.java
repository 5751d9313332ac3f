package dev.jformer.compress;

import dev.jformer.config.Checks;
import dev.jformer.model.HasStack;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.DepthLines;
import dev.jformer.train.Expansion;
import java.util.List;
import java.util.Map;

/**
 * Expands a learngene to a model of any depth (<a
 * href="https://arxiv.org/abs/2312.05614">Transformer as Linear Expansion of Learngene</a>). The
 * blocks of a model that was trained by {@link dev.jformer.train.LearngeneOptimizer} lie on a line;
 * a model of N blocks gets those at 0, 1/N, ... (N - 1)/N of it. All other weights are copied.
 * Expanded to two blocks it is the smallest model that all depths can be made of.
 */
public final class LinearExpansion {
  private LinearExpansion() {}

  /**
   * Creates a model of another depth.
   *
   * @param depth number of blocks
   * @throws IllegalArgumentException if the model has no stack of blocks, or they do not lie on a
   *     line
   */
  public static Model expand(Model model, int depth) {
    Checks.atLeast("depth", depth, 1);
    if (!(model.config() instanceof HasStack<?> config)) {
      throw new IllegalArgumentException(
          model.config().noun() + " has no single stack of blocks: only such a model is expanded");
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      List<DepthLines.Line> lines = DepthLines.of(model.parameters());
      check(lines);
      Tensor random = Random.state();
      Model expanded = config.withStack(stack -> stack.layers(depth)).build();
      Random.restore(random);
      try {
        expanded.copyFrom(model);
        fill(lines, expanded.parameters(), depth);
        expanded.train(model.isTraining());
        return expanded;
      } catch (RuntimeException | Error e) {
        expanded.close();
        throw e;
      }
    }
  }

  private static void check(List<DepthLines.Line> lines) {
    for (DepthLines.Line line : lines) {
      if (line.depth() < 2) {
        throw new IllegalArgumentException(
            "the model has one block only, which says nothing of others: expected at least two");
      }
      if (!Expansion.isLinear(line)) {
        throw new IllegalArgumentException(
            "the blocks are not a linear expansion: "
                + line.stack()
                + ".*."
                + line.name()
                + " is not on a line through the depth. Train the model with --set"
                + " training.optimizer=learngene");
      }
    }
  }

  private static void fill(List<DepthLines.Line> lines, Map<String, Parameter> weights, int depth) {
    for (DepthLines.Line line : lines) {
      Expansion expansion = Expansion.of(line);
      for (int block = 0; block < depth; block++) {
        String name = line.stack() + "." + block + "." + line.name();
        weights.get(name).copyFrom(expansion.at((double) block / depth));
      }
    }
  }
}
