package dev.jformer.app.bench;

import dev.jformer.data.incontext.LinearFunctions;
import dev.jformer.data.incontext.PromptSource;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.InContextModel;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.InContextLearning;

/** Training steps of a small model that learns linear functions in context, data included. */
final class OurInContext implements Workload {
  static final int BATCH = 64;
  static final int EXAMPLES = 41;

  private final InContextModel model;
  private final InContextLearning task;
  private final AdamW optimizer;
  private final int steps;
  private long index;

  OurInContext(int steps) {
    this.steps = steps;
    Random.seed(1);
    LinearFunctions functions = new LinearFunctions();
    try (Scope scope = Scope.open()) {
      model =
          new InContextModel.Config()
              .withInputs(functions.inputs())
              .withLength(EXAMPLES)
              .withStack(s -> s.layers(3).width(64))
              .withBlock(b -> b.mixer(new SoftmaxAttention.Config(4, 0)))
              .build();
    }
    task = new InContextLearning(model, new PromptSource(functions, EXAMPLES, BATCH, 1), 1);
    optimizer = new AdamW(model, new AdamW.Config());
  }

  @Override
  public String name() {
    return "training step, linear functions in context, 3x64";
  }

  @Override
  public double run() {
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      model.clearGrads();
      try (Scope scope = Scope.open()) {
        Tensor loss = task.loss(index++);
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
  }
}
