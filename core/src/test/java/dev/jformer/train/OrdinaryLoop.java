package dev.jformer.train;

import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * The training loop of a user's first program, run by {@link OrdinaryLoopTest} in a process of its
 * own. Prints the first and the last loss, and the bytes resident after steps 200 and 2,000.
 */
final class OrdinaryLoop {
  private OrdinaryLoop() {}

  public static void main(String[] arguments) {
    Random.seed(1);
    CausalLm.Config config =
        new CausalLm.Config()
            .with(c -> c.vocab(64).length(32))
            .withStack(s -> s.layers(1).width(32))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(2, 0)).dropout(0.1));
    try (CausalLm model = config.build();
        AdamW optimizer = new AdamW(model, new AdamW.Config())) {
      for (int step = 1; step <= 2000; step++) {
        try (Scope scope = Scope.open()) {
          Tensor start = Tensor.randint(0, 64, 8, 1);
          Tensor ids = start.add(Tensor.arange(0, 33)).remainder(64);
          Tensor loss = model.loss(ids.narrow(1, 0, 32), ids.narrow(1, 1, 32));
          model.clearGrads();
          loss.backward();
          optimizer.clipGradients(1);
          optimizer.step(1e-3);
          if (step == 1 || step == 2000) {
            System.out.println(loss.item());
          }
        }
        if (step == 200 || step == 2000) {
          System.out.println(Engine.residentBytes());
        }
      }
    }
  }
}
