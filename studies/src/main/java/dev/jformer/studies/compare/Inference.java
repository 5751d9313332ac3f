package dev.jformer.studies.compare;

import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.run.ForwardPasses;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.TrainedModel;
import dev.jformer.run.Training;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * How a model runs; its weights do not matter for that.
 *
 * @param readTokens tokens, or images, per second when a whole sequence is read at once, batch 1;
 *     NaN for models that take more than one input
 * @param writtenTokens tokens per second when one is written after the other, batch 1; NaN if the
 *     model cannot
 * @param stateBytes memory for one sequence of the model's length being written; NaN if it cannot
 */
public record Inference(double readTokens, double writtenTokens, double stateBytes) {
  private static final int WRITTEN = 64;
  private static final int REPEATS = 5;

  /** Measures a recipe's model as a training begins with it. */
  public static Inference measure(Recipe recipe, PreparedData data) {
    try (Scope scope = Scope.open();
        Model model = Training.of(recipe, data).withOwnShape().build();
        Mode mode = Autograd.inference()) {
      model.train(false);
      return model instanceof CausalLm lm ? language(lm) : other(model);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot build " + recipe.model().type(), e);
    }
  }

  private static Inference language(CausalLm model) {
    CausalLm.Config config = model.config();
    Tensor ids = Tensor.zeros(DType.INT64, 1, config.length());
    double read = config.length() / median(InterleavedTimer.Work.of(() -> model.logits(ids)));
    try {
      return write(model, config, read);
    } catch (UnsupportedOperationException e) {
      return new Inference(read, Double.NaN, Double.NaN);
    }
  }

  private static Inference other(Model model) {
    double read =
        TrainedModel.of(null, model).passes().map(passes -> read(passes, model)).orElse(Double.NaN);
    return new Inference(read, Double.NaN, Double.NaN);
  }

  private static double read(ForwardPasses passes, Model model) {
    Tensor input = passes.input(model, 1);
    return passes.units(model)
        / median(InterleavedTimer.Work.of(() -> passes.forward(model, input, null)));
  }

  private static Inference write(CausalLm model, CausalLm.Config config, double read) {
    int count = Math.min(WRITTEN, config.length() / 2);
    double[] bytes = new double[1];
    try (Mode one = Engine.singleThreaded()) {
      double seconds =
          median(
              () -> {
                try (Scope round = Scope.open();
                    CausalLm.Decoding decoding = model.decode(1, config.length())) {
                  decoding.next(Tensor.zeros(DType.INT64, 1, config.length() - count));
                  Tensor next = Tensor.zeros(DType.INT64, 1, 1);
                  long start = System.nanoTime();
                  for (int i = 0; i < count; i++) {
                    try (Scope step = Scope.open()) {
                      decoding.next(next);
                    }
                  }
                  bytes[0] = decoding.bytes();
                  return (System.nanoTime() - start) / 1e9;
                }
              });
      return new Inference(read, count / seconds, bytes[0]);
    }
  }

  private static double median(InterleavedTimer.Work work) {
    return InterleavedTimer.measure(List.of(work), 1, REPEATS, (piece, round) -> {}).of(0).median();
  }
}
