package dev.jformer.app.bench;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** Training steps of a GPT on random tokens. */
final class OurStep extends TrainingSteps {
  private final CausalLm model;
  private final Tensor ids;
  private final Tensor targets;
  private final boolean bf16;

  OurStep(String name, GptShape shape, boolean bf16, int steps) {
    this(name, shape, seeded(shape), bf16, steps);
  }

  private OurStep(String name, GptShape shape, CausalLm model, boolean bf16, int steps) {
    super(name, model, steps);
    this.model = model;
    this.bf16 = bf16;
    try (Scope scope = Scope.open()) {
      this.ids = Tensor.randint(0, GptShape.VOCAB, shape.batch(), shape.length()).keep();
      this.targets = Tensor.randint(0, GptShape.VOCAB, shape.batch(), shape.length()).keep();
    }
  }

  private static CausalLm seeded(GptShape shape) {
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      return shape.build();
    }
  }

  @Override
  Tensor loss() {
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, bf16)) {
      return model.loss(ids, targets);
    }
  }

  @Override
  public void close() {
    super.close();
    ids.close();
    targets.close();
  }
}
