package dev.jformer.train;

import dev.jformer.model.Model;
import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;

/**
 * The layer of a model that computes its logits: the last linear layer that runs.
 *
 * @param name its dotted name
 * @param weight its weight, [K, D]
 */
public record OutputLayer(String name, Tensor weight) {
  /**
   * Finds the layer, by running the model in inference mode.
   *
   * @throws IllegalArgumentException if the logits do not come from a plain linear layer
   */
  public static OutputLayer of(Model model, Passes<?> passes) {
    Map<String, Module> modules = model.modules();
    String[] last = new String[1];
    long classes;
    boolean training = model.isTraining();
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        ForwardHook hook =
            ForwardHook.on(
                model,
                name -> modules.get(name) instanceof Linear,
                seen -> last[0] = seen.layer())) {
      classes = passes.logits(model).size(1);
    } finally {
      model.train(training);
    }
    Tensor weight = ((Linear) modules.get(last[0])).weight().value();
    if (weight.size(0) != classes) {
      throw new IllegalArgumentException(
          "the last linear layer of the model, "
              + last[0]
              + ", has "
              + weight.size(0)
              + " outputs, but there are "
              + classes
              + " classes: expected a model whose logits are those of a linear layer");
    }
    return new OutputLayer(last[0], weight);
  }
}
