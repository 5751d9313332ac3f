package dev.jformer.compress;

import dev.jformer.config.Checks;
import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import dev.jformer.nn.GrowingPart;
import dev.jformer.nn.Module;
import dev.jformer.nn.Pattention;
import dev.jformer.tensor.Scope;
import java.util.Map;

/**
 * Grows a trained model without changing the function it computes: TokenFormer (<a
 * href="https://arxiv.org/abs/2410.23168">TokenFormer: Rethinking Transformer Scaling with
 * Tokenized Model Parameters</a>) gets more parameter tokens, whose keys are zero until they are
 * trained.
 */
public final class Growth {
  private Growth() {}

  /**
   * Creates a larger copy of a model. Values of the new parameter tokens are drawn from the
   * library's generator.
   *
   * @param times factor by which the number of parameter tokens grows
   * @throws IllegalArgumentException if the model has no part that can grow
   */
  public static Model grow(Model model, int times) {
    Checks.atLeast("times", times, 2);
    Model.Config config =
        Configs.replace(model.config(), GrowingPart.class, part -> part.grown(times));
    if (config.equals(model.config())) {
      throw new IllegalArgumentException(
          "the model has no part that can grow: expected one of TokenFormer, such as the projection"
              + " 'tokenformer' or the channel mixer 'pattention'");
    }
    try (Scope scope = Scope.open()) {
      Model grown = config.build();
      Map<String, Module> old = model.modules();
      grown.copyFrom(model);
      grown
          .modules()
          .forEach(
              (name, module) -> {
                if (module instanceof Pattention larger) {
                  larger.growFrom((Pattention) old.get(name));
                }
              });
      grown.train(model.isTraining());
      return grown;
    }
  }
}
