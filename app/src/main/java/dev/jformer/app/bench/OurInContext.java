package dev.jformer.app.bench;

import dev.jformer.data.incontext.LinearFunctions;
import dev.jformer.data.incontext.PromptSource;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.InContextModel;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.InContextLearning;

/** Training steps of a small model that learns linear functions in context, data included. */
final class OurInContext extends TrainingSteps {
  static final int BATCH = 64;
  private static final int EXAMPLES = 41;
  private static final LinearFunctions FUNCTIONS = new LinearFunctions();

  private final InContextLearning task;
  private long index;

  OurInContext(int steps) {
    this(seeded(), steps);
  }

  private OurInContext(InContextModel model, int steps) {
    super("training step, linear functions in context, 3x64", model, steps);
    task = new InContextLearning(model, new PromptSource(FUNCTIONS, EXAMPLES, BATCH, 1), 1);
  }

  private static InContextModel seeded() {
    Random.seed(1);
    try (Scope scope = Scope.open()) {
      return new InContextModel.Config()
          .withInputs(FUNCTIONS.inputs())
          .withLength(EXAMPLES)
          .withStack(s -> s.layers(3).width(64))
          .withBlock(b -> b.mixer(new SoftmaxAttention.Config(4, 0)))
          .build();
    }
  }

  @Override
  Tensor loss() {
    return task.loss(index++);
  }
}
