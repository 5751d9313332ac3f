package dev.jformer.studies.compare;

import dev.jformer.run.ForwardPasses;
import dev.jformer.run.TrainedModel;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.InterleavedTimer.Work;
import dev.jformer.studies.trial.Timings;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The speed of a model in inference, and the memory of generation.
 *
 * @param reading tokens or images per second of a forward pass over whole inputs, batch 1: the
 *     median of several rounds; NaN if unknown
 * @param writing generated tokens per second, batch 1, likewise; NaN if the model does not generate
 * @param stateBytes memory for generating one sequence of the model's length; NaN if it does not
 *     generate
 */
public record Inference(Estimate reading, Estimate writing, double stateBytes) {
  static final Inference UNKNOWN = new Inference(unknown(), unknown(), Double.NaN);

  private static final int WRITTEN = 64;
  private static final int REPEATS = 7;

  private static Estimate unknown() {
    return Estimate.exactly(Double.NaN);
  }

  /** Tokens or images per second of a forward pass; NaN if unknown. */
  public double readUnits() {
    return reading.value();
  }

  /** Generated tokens per second; NaN if the model does not generate. */
  public double writtenTokens() {
    return writing.value();
  }

  /** Measures models in turns, so that changes of the machine's speed affect all of them alike. */
  static List<Inference> measure(List<TrainedModel> models) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      List<Estimate> reading = read(models);
      List<Writing> writing = models.stream().map(Writing::of).toList();
      List<Estimate> written = write(writing);
      List<Inference> all = new ArrayList<>();
      for (int i = 0; i < models.size(); i++) {
        all.add(new Inference(reading.get(i), written.get(i), writing.get(i).bytes));
      }
      return all;
    }
  }

  private static List<Estimate> read(List<TrainedModel> models) {
    List<Work> work = new ArrayList<>();
    List<Long> units = new ArrayList<>();
    for (TrainedModel model : models) {
      Optional<ForwardPasses> passes = model.passes();
      if (passes.isEmpty()) {
        work.add(() -> Double.NaN);
        units.add(0L);
        continue;
      }
      Tensor input = passes.get().input(model.model(), 1);
      work.add(Work.of(() -> passes.get().forward(model.model(), input, null)));
      units.add(passes.get().units(model.model()));
    }
    return speeds(work, units);
  }

  private static List<Estimate> write(List<Writing> writing) {
    try (Mode one = Engine.singleThreaded()) {
      return speeds(
          writing.stream().map(each -> (Work) each::seconds).toList(),
          writing.stream().map(each -> each.count).toList());
    }
  }

  private static List<Estimate> speeds(List<Work> work, List<Long> units) {
    Timings timings = InterleavedTimer.measure(work, 1, REPEATS, (piece, round) -> {});
    List<Estimate> speeds = new ArrayList<>();
    for (int i = 0; i < work.size(); i++) {
      speeds.add(units.get(i) == 0 ? unknown() : speed(units.get(i), timings.seconds().get(i)));
    }
    return speeds;
  }

  /** Median speed of rounds that took these seconds. */
  static Estimate speed(double units, List<Double> seconds) {
    return Timings.Statistics.of(seconds.stream().map(s -> units / s).toList()).estimate();
  }

  /** Generates tokens at the end of a sequence of the model's length. */
  private static final class Writing {
    private final TrainedModel model;
    private final long count;
    private double bytes = Double.NaN;

    private Writing(TrainedModel model, long count) {
      this.model = model;
      this.count = count;
    }

    static Writing of(TrainedModel model) {
      try (Scope scope = Scope.open();
          ForwardPasses.Decoding decoding = decode(model)) {
        return new Writing(
            model, decoding == null ? 0 : Math.min(WRITTEN, decoding.capacity() / 2));
      } catch (UnsupportedOperationException e) {
        return new Writing(model, 0); // its mixers accept whole sequences only
      }
    }

    private static ForwardPasses.Decoding decode(TrainedModel model) {
      return model.passes().flatMap(passes -> passes.decoding(model.model())).orElse(null);
    }

    double seconds() {
      if (count == 0) {
        return Double.NaN;
      }
      try (Scope scope = Scope.open();
          ForwardPasses.Decoding decoding = decode(model)) {
        decoding.next(Tensor.zeros(DType.INT64, 1, decoding.capacity() - count));
        Tensor next = Tensor.zeros(DType.INT64, 1, 1);
        long start = System.nanoTime();
        for (long i = 0; i < count; i++) {
          try (Scope step = Scope.open()) {
            decoding.next(next);
          }
        }
        bytes = decoding.bytes();
        return (System.nanoTime() - start) / 1e9;
      }
    }
  }
}
