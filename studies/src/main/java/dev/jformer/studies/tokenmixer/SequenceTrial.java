package dev.jformer.studies.tokenmixer;

import dev.jformer.data.FrameSource;
import dev.jformer.model.sequence.SequenceModel;
import dev.jformer.nn.temporal.SpikeCount;
import dev.jformer.studies.Trial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.FrameClassification;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Trains a classifier of sequences, and measures its answers on the way, its spikes and its cost.
 */
final class SequenceTrial {
  /** The positions, in percent of a sequence, at which running answers are measured. */
  static final List<Integer> SHARES =
      List.of(5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 68, 70, 75, 80, 85, 90, 95, 100);

  /** How much of the accuracy counts as having been enough of the sequence. */
  static final double ENOUGH = 0.99;

  private SequenceTrial() {}

  /**
   * What a model gives.
   *
   * @param percentRight of the test's sequences
   * @param operations for a sequence, products and additions, in millions
   * @param spikes for a sequence; 0 without neurons that fire
   * @param rate share of neurons that fire in a step, in percent
   * @param difference largest difference of logits, streamed and whole; NaN if it does not stream
   * @param agreement share of streamed answers that are those of the whole, in percent
   * @param early percent right after each of the shares; empty without running answers
   * @param earlyOfSound the same of shares of the recorded sound, without the silence after it
   */
  public record Outcome(
      double percentRight,
      long parameters,
      double seconds,
      double operations,
      double spikes,
      double rate,
      double difference,
      double agreement,
      List<Double> early,
      List<Double> earlyOfSound) {
    /** The smallest share, in percent, after which a model is nearly as accurate as at the end. */
    double needed() {
      for (int i = 0; i < early.size(); i++) {
        if (early.get(i) >= ENOUGH * percentRight) {
          return SHARES.get(i);
        }
      }
      return Double.NaN;
    }

    /** Percent right after a share of the sequence. */
    double after(int share) {
      return early.isEmpty() ? Double.NaN : early.get(SHARES.indexOf(share));
    }

    /** Percent right when the sound ends; NaN if sequences are no sounds. */
    double atSoundsEnd() {
      return earlyOfSound.isEmpty() ? Double.NaN : earlyOfSound.get(SHARES.size() - 1);
    }
  }

  /** A model and the rate that it learns with. */
  record Setting(SequenceModel.Config model, double rate) {}

  /**
   * Sequences to learn and to be tested on.
   *
   * @param steps of a training
   */
  record Data(
      String name, int features, int length, int classes, int steps, int seeds, Sampling sampling) {
    interface Sampling {
      FrameSource of(int batch, long seed);
    }
  }

  /** Passes the test's sequences, their classes, and the frames of each that are sound. */
  interface Test {
    void each(Consumer<Sequences> consumer);
  }

  /** Some sequences of a test; {@code heard} is null if sequences are no sounds. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Sequences(Tensor frames, Tensor labels, int[] heard) {}

  /** A trial that trains a model and measures it whole and as a stream. */
  static Trial<Outcome> of(Setting setting, Data data, Test test) {
    int batch = 32;
    TrainingConfig training =
        Small.training(data.steps(), batch, 1).with(t -> t.learningRate(setting.rate()));
    TaskTrial<SequenceModel, FrameClassification> trial =
        new TaskTrial<>(
            session -> {
              SequenceModel model =
                  setting.model().sized(data.features(), data.length(), data.classes()).build();
              try (Scope scope = Scope.open()) {
                FrameSource frames = data.sampling().of(batch, session.seed());
                FrameClassification.standardise(model, frames);
              }
              return model;
            },
            training,
            (model, session) ->
                new FrameClassification(
                    model, data.sampling().of(batch, session.seed()), "sequences"));
    return trial.examined(
        Outcome.class, (model, task, result) -> outcome(model, result, data, test));
  }

  private static Outcome outcome(SequenceModel model, TrainingResult result, Data data, Test test) {
    Tally tally = new Tally(model, !model.looksAhead());
    SpikeCount count;
    try (SpikeCount counting = SpikeCount.open()) {
      test.each(tally::add);
      count = counting;
    }
    double[] streamed = model.looksAhead() ? new double[] {Double.NaN, Double.NaN} : null;
    if (streamed == null) {
      streamed = streamed(model, test);
    }
    double spikes = count.spikes() / tally.count;
    double operations =
        spikes > 0
            ? count.additions() / tally.count + realProducts(model)
            : model.looksAhead() ? whole(model, data) : products(model);
    return new Outcome(
        tally.percentRight(),
        model.parameterCount(),
        result.seconds(),
        operations / 1e6,
        spikes,
        100 * count.rate(),
        streamed[0],
        streamed[1],
        tally.percent(tally.early),
        tally.percent(tally.earlyOfSound));
  }

  /** The right answers at the end of sequences and after shares of them. */
  private static final class Tally {
    private final SequenceModel model;
    private final boolean running;
    private final long[] early = new long[SHARES.size()];
    private final long[] earlyOfSound = new long[SHARES.size()];
    private boolean sounds;
    private long right;
    private long count;

    Tally(SequenceModel model, boolean running) {
      this.model = model;
      this.running = running;
    }

    void add(Sequences some) {
      double[] labels = some.labels().toDoubles();
      int length = (int) some.frames().size(1);
      count += labels.length;
      if (!running) {
        double[] found = model.logits(some.frames()).argmax(1).toDoubles();
        for (int i = 0; i < labels.length; i++) {
          right += found[i] == labels[i] ? 1 : 0;
        }
        return;
      }
      double[] found = model.running(some.frames()).argmax(2).toDoubles();
      for (int i = 0; i < labels.length; i++) {
        right += found[i * length + length - 1] == labels[i] ? 1 : 0;
        for (int s = 0; s < SHARES.size(); s++) {
          early[s] += found[i * length + last(s, length)] == labels[i] ? 1 : 0;
          if (some.heard() != null) {
            sounds = true;
            earlyOfSound[s] += found[i * length + last(s, some.heard()[i])] == labels[i] ? 1 : 0;
          }
        }
      }
    }

    /** The last frame of a share of so many. */
    private static int last(int share, int frames) {
      return Math.max(1, (int) Math.round(SHARES.get(share) * frames / 100.0)) - 1;
    }

    double percentRight() {
      return 100.0 * right / count;
    }

    List<Double> percent(long[] rights) {
      List<Double> all = new ArrayList<>();
      if (running && (rights == early || sounds)) {
        Arrays.stream(rights).forEach(each -> all.add(100.0 * each / count));
      }
      return all;
    }
  }

  /** The largest difference of logits frame by frame, and the percentage of equal answers. */
  private static double[] streamed(SequenceModel model, Test test) {
    double[] found = {0, 0};
    long[] answers = new long[2];
    BiConsumer<Tensor, Tensor> compare =
        (whole, piece) -> {
          found[0] = Math.max(found[0], whole.sub(piece).abs().max().item());
          double[] a = whole.argmax(1).toDoubles();
          double[] b = piece.argmax(1).toDoubles();
          for (int i = 0; i < a.length; i++) {
            answers[0] += a[i] == b[i] ? 1 : 0;
            answers[1]++;
          }
        };
    boolean[] done = {false};
    test.each(
        some -> {
          if (done[0]) {
            return;
          }
          done[0] = true; // some tens of sequences are enough
          Tensor running = model.running(some.frames());
          try (SequenceModel.Stream stream = model.stream()) {
            for (int t = 0; t < some.frames().size(1); t++) {
              Tensor next = stream.next(some.frames().narrow(1, t, 1));
              compare.accept(running.select(1, t), next.select(1, 0));
            }
          }
        });
    found[1] = 100.0 * answers[0] / answers[1];
    return found;
  }

  /** Operations of a stream for a sequence: two for each weight and number of the memory. */
  private static double products(SequenceModel model) {
    double weights =
        model.parameters().values().stream()
            .filter(p -> p.isTrainable() && p.value().rank() > 1)
            .mapToDouble(p -> p.value().elements())
            .sum();
    return model.config().length() * (2 * weights + 2.0 * model.config().unweightedProducts());
  }

  /** Operations with numbers that are no spikes, for a sequence. */
  private static double realProducts(SequenceModel model) {
    double first = model.parameters().get("embedding.convolutions.0.weight").value().elements();
    return model.config().length() * (2 * first + 2.0 * model.config().unweightedProducts());
  }

  private static double whole(SequenceModel model, Data data) {
    try (Scope scope = Scope.open()) {
      Tensor one = Tensor.zeros(1, data.length(), data.features());
      return Flops.of(() -> model.logits(one));
    }
  }
}
