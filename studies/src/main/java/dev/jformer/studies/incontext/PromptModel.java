package dev.jformer.studies.incontext;

import dev.jformer.incontext.LinearSelfAttention;
import dev.jformer.incontext.RegressionPrompts;
import dev.jformer.model.BlockConfig;
import dev.jformer.model.StackConfig;
import dev.jformer.model.TransformerStack;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Optimizer;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;
import java.util.random.RandomGenerator;

/**
 * A model that reads whole prompts of regression and predicts the query's output: linear attention,
 * or a Transformer without positions.
 */
interface PromptModel {
  /** Predictions, [B], for prompts [B, d+1, N+1]. */
  Tensor predict(Tensor prompts);

  /** What is trained. */
  Module module();

  /** One layer of linear attention. */
  static PromptModel linear(int dimensions, double scale) {
    return of(new LinearSelfAttention(dimensions, scale));
  }

  /** Linear attention with its weights. */
  static PromptModel of(LinearSelfAttention layer) {
    return new PromptModel() {
      @Override
      public Tensor predict(Tensor prompts) {
        return layer.forward(prompts);
      }

      @Override
      public Module module() {
        return layer;
      }
    };
  }

  /** A Transformer of several layers, whose last token is read. */
  static PromptModel transformer(int dimensions, int layers, int width) {
    Deep deep = new Deep(dimensions + 1, layers, width);
    return new PromptModel() {
      @Override
      public Tensor predict(Tensor prompts) {
        return deep.forward(prompts);
      }

      @Override
      public Module module() {
        return deep;
      }
    };
  }

  /** Columns in, the last output out. */
  final class Deep extends Module {
    private final Slot<Linear> in;
    private final Slot<TransformerStack<?>> stack;
    private final Slot<Linear> out;

    private Deep(int rows, int layers, int width) {
      in =
          child(
              "in",
              Linear.class,
              new Linear(rows, width, true, Initializer.normal(1 / Math.sqrt(rows))));
      StackConfig config =
          new StackConfig()
              .withLayers(layers)
              .withWidth(width)
              .withPosition(new NoPosition.Config())
              .withBlock(new BlockConfig());
      stack =
          child(
              "stack",
              TransformerStack.class,
              TransformerStack.of(config, new TransformerStack.Setting(512)));
      out =
          child(
              "out",
              Linear.class,
              new Linear(width, 1, true, Initializer.normal(1 / Math.sqrt(width))));
    }

    Tensor forward(Tensor prompts) {
      Tensor states = stack.get().forward(in.get().forward(prompts.transpose(1, 2)), null, null);
      long last = states.size(1) - 1;
      return out.get().forward(states.select(1, last)).squeeze(1);
    }
  }

  /** A batch of prompts: [B, d+1, N+1] and the answers [B]. */
  record Batch(Tensor prompts, Tensor answers) {
    static Batch draw(RegressionPrompts source, int count, RandomGenerator random) {
      int rows = source.variances().length + 1;
      int columns = source.examples() + 1;
      float[] values = new float[count * rows * columns];
      float[] answers = new float[count];
      for (int b = 0; b < count; b++) {
        RegressionPrompts.Prompt prompt = source.draw(random);
        answers[b] = (float) prompt.answer();
        for (int i = 0; i < rows; i++) {
          for (int n = 0; n < columns; n++) {
            values[(b * rows + i) * columns + n] = (float) prompt.columns()[i][n];
          }
        }
      }
      return new Batch(Tensor.of(values, count, rows, columns), Tensor.of(answers, count));
    }
  }

  /** Trains with AdamW at a rate that falls to 0. */
  default void train(
      RegressionPrompts source, int steps, int batch, double rate, long seed, DoubleConsumer done) {
    SplittableRandom random = new SplittableRandom(seed);
    try (Optimizer optimizer = new AdamW.Config().withWeightDecay(0).build(module())) {
      for (int step = 0; step < steps; step++) {
        try (Scope scope = Scope.open()) {
          Batch drawn = Batch.draw(source, batch, random);
          module().clearGrads();
          predict(drawn.prompts()).sub(drawn.answers()).square().mean().mul(0.5).backward();
          optimizer.clipGradients(1);
          optimizer.step(rate * (1 - (double) step / steps));
        }
        done.accept((step + 1.0) / steps);
      }
    }
  }

  /** The mean squared error on prompts drawn anew. */
  default double error(RegressionPrompts source, int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double error = 0;
    int batch = 500;
    for (int at = 0; at < count; at += batch) {
      try (Scope scope = Scope.open()) {
        Batch drawn = Batch.draw(source, batch, random);
        error += predict(drawn.prompts()).detach().sub(drawn.answers()).square().sum().item();
      }
    }
    return error / (batch * Math.ceil((double) count / batch));
  }
}
