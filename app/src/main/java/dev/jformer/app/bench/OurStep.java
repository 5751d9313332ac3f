package dev.jformer.app.bench;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;

/** Training steps of our model, as the trainer does them. */
final class OurStep implements Workload {
  private final String name;
  private final CausalLm model;
  private final AdamW optimizer;
  private final Tensor ids;
  private final Tensor targets;
  private final boolean bf16;
  private final int steps;

  OurStep(String name, GptShape shape, boolean bf16, int steps) {
    this.name = name;
    this.bf16 = bf16;
    this.steps = steps;
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      this.model = shape.build();
      this.optimizer = new AdamW(model, new AdamW.Config());
      this.ids = Tensor.randint(0, GptShape.VOCAB, shape.batch(), shape.length()).keep();
      this.targets = Tensor.randint(0, GptShape.VOCAB, shape.batch(), shape.length()).keep();
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double run() {
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      model.clearGrads();
      try (Scope scope = Scope.open()) {
        Tensor loss;
        try (Mode mode = Autograd.autocast(DType.BFLOAT16, bf16)) {
          loss = model.loss(ids, targets);
        }
        loss.backward();
        loss.item();
      }
      optimizer.clipGradients(1);
      optimizer.step(1e-3);
    }
    return (System.nanoTime() - start) / 1e6 / steps;
  }

  @Override
  public void close() {
    optimizer.close();
    model.close();
    ids.close();
    targets.close();
  }
}
