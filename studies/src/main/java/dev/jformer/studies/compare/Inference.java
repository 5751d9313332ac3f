package dev.jformer.studies.compare;

import dev.jformer.model.CausalLm;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * How a model runs; its weights do not matter for that.
 *
 * @param readTokens tokens per second when a whole sequence is read at once, batch 1
 * @param writtenTokens tokens per second when one is written after the other, batch 1; NaN if the
 *     model cannot
 * @param stateBytes memory for one sequence of the model's length being written; NaN if it cannot
 */
public record Inference(double readTokens, double writtenTokens, double stateBytes) {
  private static final int WRITTEN = 64;
  private static final int REPEATS = 5;

  /** Measures a model of this configuration with random weights. */
  public static Inference measure(CausalLm.Config config) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      Random.seed(1);
      CausalLm model = config.build();
      try {
        model.train(false);
        Tensor ids = Tensor.zeros(DType.INT64, 1, config.length());
        double read = config.length() / median(InterleavedTimer.Work.of(() -> model.logits(ids)));
        try {
          return write(model, config, read);
        } catch (UnsupportedOperationException e) {
          return new Inference(read, Double.NaN, Double.NaN);
        }
      } finally {
        model.close();
      }
    }
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
