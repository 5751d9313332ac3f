package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.FrameSource;
import dev.jformer.data.audio.RecordingFeatures;
import dev.jformer.data.audio.RecordingSampler;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.PixelFrames;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.sequence.LmuFormer;
import dev.jformer.model.sequence.SequenceEncoder;
import dev.jformer.model.sequence.SequenceModel;
import dev.jformer.model.sequence.SpikingLmuFormer;
import dev.jformer.nn.Activation;
import dev.jformer.nn.temporal.SpikeCount;
import dev.jformer.position.Sinusoidal;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Digits;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * LMUFormer (<a href="https://arxiv.org/abs/2402.04882">LMUFormer: Low Complexity Yet Powerful
 * Spiking Model With Legendre Memory Units</a>): small classifiers of spoken digits and of
 * handwritten ones, pixel by pixel, beside Transformers of as many weights and of more than twenty
 * times as many, whole and streamed, with and without spikes.
 */
@AutoService(Study.class)
public final class LmuformerStudy implements Study {
  private static final String LMU = "LMUFormer";
  private static final String SPIKING = "LMUFormer, spiking";
  private static final String FORGETFUL = "LMUFormer without memory";
  private static final String LARGE = "Transformer";
  private static final String SMALL = "Transformer, as small";
  private static final String SPOKEN = "spoken digits";
  private static final String PIXELS = "digits pixel by pixel";

  /** The positions, in percent of a sequence, at which running answers are measured. */
  private static final List<Integer> SHARES =
      List.of(5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 68, 70, 75, 80, 85, 90, 95, 100);

  /** How much of the accuracy counts as having been enough of the sequence. */
  private static final double ENOUGH = 0.99;

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
  private record Setting(SequenceModel.Config model, double rate) {}

  /**
   * Sequences to learn and to be tested on.
   *
   * @param steps of a training
   */
  private record Data(
      String name, int features, int length, int classes, int steps, int seeds, Sampling sampling) {
    interface Sampling {
      FrameSource of(int batch, long seed);
    }
  }

  /** Passes the test's sequences, their classes, and the frames of each that are sound. */
  private interface Test {
    void each(Consumer<Sequences> consumer);
  }

  /** Some sequences of a test; {@code heard} is null if sequences are no sounds. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Sequences(Tensor frames, Tensor labels, int[] heard) {}

  @Override
  public void run(ExperimentContext lab) {
    Map<String, Measured<Outcome>> found = new LinkedHashMap<>();
    try (Digits digits = new Digits(lab.scale())) {
      Data data =
          new Data(
              PIXELS,
              1,
              64,
              10,
              lab.pick(2, 500, 6000),
              lab.pick(1, 2, 5),
              (batch, seed) -> new PixelFrames(digits.sampler(batch, seed), 17));
      Test test =
          consumer ->
              ImageSampler.all(
                  digits.test(),
                  (images, labels) ->
                      consumer.accept(new Sequences(PixelFrames.of(images, 17), labels, null)));
      found.put(PIXELS, experiment(lab, data, test));
    }
    RecordingFeatures recordings = SpokenDigits.read(lab.scale());
    Data data =
        new Data(
            SPOKEN,
            recordings.settings().bands(),
            recordings.settings().frames(),
            recordings.classes().size(),
            lab.pick(2, 800, 8000),
            lab.pick(1, 2, 5),
            (batch, seed) -> sampler(recordings, batch, seed));
    found.put(SPOKEN, experiment(lab, data, test(recordings)));
    found.forEach((name, runs) -> claims(lab, name, runs));
    found.forEach((name, runs) -> report(lab, name, runs));
    lab.note(
        "LMUFormer: one block of width %d after four causal convolutions, a memory of as many"
            + " numbers over the whole sequence. Without memory: one number over one frame. The"
            + " spiking version is twice as wide and learns at twice the rate: as wide, it had 27"
            + " %% right after 320 of 400 updates of a trial on recordings. Transformers look both"
            + " ways, with sinusoidal positions and 4 heads: %d blocks of width %d, or one block of"
            + " width %d. Batches of 32, AdamW with cosine decay at 2.5e-3 (Transformers 1e-3), %d"
            + " updates of pixels and %d of recordings; no augmentation. The model after the last"
            + " update is tested.",
        width(lab),
        layers(lab),
        large(lab),
        small(lab),
        lab.pick(2, 500, 6000),
        lab.pick(2, 800, 8000));
    lab.note(
        "Pixels: 1,797 digits of 8 x 8 greys, row by row, the last fifth by other writers as the"
            + " test. Speech: 3,000 recordings of one second of 8 kHz, silence at their end, 40 mel"
            + " bands each 10 ms; the first five of each speaker and digit are the test."
            + " Operations are those of a stream: products with weights and with the memory's"
            + " matrix; with spikes, additions of weights that spikes reach, the products of the"
            + " first convolution and of the memory's matrix. Running answers by the mean of the"
            + " states so far.");
  }

  private static RecordingSampler sampler(RecordingFeatures recordings, int batch, long seed) {
    return new RecordingSampler(
        recordings, 0.1, RecordingSampler.Split.INDEX, new RecordingSampler.Hiding(), batch, seed);
  }

  private static Test test(RecordingFeatures recordings) {
    int[] all = sampler(recordings, 1, 1).heldOutRecordings();
    return consumer -> {
      for (int from = 0; from < all.length; from += 50) {
        int[] some = Arrays.copyOfRange(all, from, Math.min(all.length, from + 50));
        try (Scope scope = Scope.open()) {
          int[] heard = Arrays.stream(some).map(recordings::heard).toArray();
          consumer.accept(new Sequences(recordings.frames(some), recordings.labels(some), heard));
        }
      }
    };
  }

  // ---- Models

  private static int width(ExperimentContext lab) {
    return lab.pick(8, 24, 64);
  }

  private static int layers(ExperimentContext lab) {
    return lab.pick(2, 3, 6);
  }

  private static int large(ExperimentContext lab) {
    return lab.pick(48, 108, 256);
  }

  private static int small(ExperimentContext lab) {
    return lab.pick(8, 36, 96);
  }

  private static SequenceModel.Config transformer(int layers, int width) {
    return new SequenceEncoder.Config()
        .withStack(s -> s.layers(layers).width(width).position(new Sinusoidal.Config()))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(4, 0))
                    .ffn(new Mlp.Config(Activation.GELU, 4, 0)));
  }

  private static Measured<Outcome> experiment(ExperimentContext lab, Data data, Test test) {
    LmuFormer.Config lmu = new LmuFormer.Config().with(c -> c.width(width(lab)));
    SpikingLmuFormer.Config spiking = new SpikingLmuFormer.Config().with(c -> c.width(width(lab)));
    return Arms.of(LMU, new Setting(lmu, 2.5e-3))
        .arm(SPIKING, new Setting(spiking, 5e-3))
        .control(FORGETFUL, new Setting(lmu.with(c -> c.order(1).window(1)), 2.5e-3))
        .arm(LARGE, new Setting(transformer(layers(lab), large(lab)), 1e-3))
        .control(SMALL, new Setting(transformer(1, small(lab)), 1e-3))
        .learn(lab, data.name(), data.seeds(), setting -> trial(setting, data, test));
  }

  private static Trial<Outcome> trial(Setting setting, Data data, Test test) {
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

  // ---- Measurements

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
    return model.config().length() * (2 * weights + memory(model));
  }

  /** Operations with numbers that are no spikes, for a sequence. */
  private static double realProducts(SequenceModel model) {
    double first = model.parameters().get("embedding.convolutions.0.weight").value().elements();
    return model.config().length() * (2 * first + memory(model));
  }

  private static double memory(SequenceModel model) {
    double order = 0;
    double layers = 0;
    if (model.config() instanceof LmuFormer.Config plain) {
      order = plain.order() == 0 ? plain.width() : plain.order();
      layers = plain.layers();
    } else if (model.config() instanceof SpikingLmuFormer.Config spiking) {
      order = spiking.order() == 0 ? 2 * spiking.width() : spiking.order();
      layers = spiking.layers();
    }
    return layers * 2 * order * (order + 1);
  }

  private static double whole(SequenceModel model, Data data) {
    try (Scope scope = Scope.open()) {
      Tensor one = Tensor.zeros(1, data.length(), data.features());
      return Flops.of(() -> model.logits(one));
    }
  }

  // ---- Report

  private static void claims(ExperimentContext lab, String data, Measured<Outcome> runs) {
    lab.claim(
        "LMUFormer is within 2 points of a Transformer with at least 20 times as many weights on "
            + data,
        "96.5 % against 98.1 % of AST with 53 times as many (table 2)",
        SMALL,
        Check.all(
            runs.atLeast("% right", LMU, LARGE, Outcome::percentRight, 2),
            Check.atLeast(
                "times as many weights", runs.ratio(LARGE, LMU, Outcome::parameters), 20)));
    lab.claim(
        "LMUFormer is more accurate than a Transformer of as many weights on " + data,
        "",
        SMALL,
        runs.above("% right", LMU, SMALL, Outcome::percentRight));
    lab.claim(
        "The memory makes LMUFormer more accurate on " + data,
        "",
        FORGETFUL,
        runs.above("% right", LMU, FORGETFUL, Outcome::percentRight));
    lab.claim(
        "Streamed frame by frame, LMUFormer gives what it gives at once on " + data,
        "exactly equal (section 3)",
        Check.atMost(
            "largest difference of logits",
            runs.arm(LMU).values(Outcome::difference).stream().max(Double::compare).orElseThrow(),
            1e-4),
        Check.sentence(
            "Of the answers of the spiking version, whose steps can round to another side, %s %%"
                + " agree.",
            runs.of(SPIKING, Outcome::agreement)));
    lab.claim(
        "After 68 % of a sequence LMUFormer has 99 % of its accuracy on " + data,
        "99 % after 68 % (section 5.4)",
        Check.atLeast(
            "% right after 68 %",
            runs.of(LMU, o -> o.after(68)), runs.of(LMU, Outcome::percentRight).times(ENOUGH)));
    lab.claim(
        "The spiking version is within 2 points of LMUFormer on " + data,
        "96.1 % against 96.5 % (table 2)",
        LMU,
        runs.atLeast("% right", SPIKING, LMU, Outcome::percentRight, 2));
    lab.claim(
        "The spiking version takes fewer operations than LMUFormer on " + data,
        "",
        LMU,
        runs.below("million operations", SPIKING, LMU, Outcome::operations));
  }

  private static void report(ExperimentContext lab, String data, Measured<Outcome> runs) {
    lab.table(
        runs.table(
            "Classifiers of " + data,
            "model",
            column("accuracy (%)", Outcome::percentRight),
            fixed("weights", Outcome::parameters),
            column("million operations", Outcome::operations),
            column("thousand spikes", o -> o.spikes() / 1000),
            column("neurons that fire (%)", Outcome::rate),
            column("seconds of training", Outcome::seconds)));
    Measured<Outcome> streams = runs.without(LARGE, SMALL);
    lab.table(
        streams.table(
            "Answers on the way, " + data,
            "model",
            column("share for 99 % of the accuracy (%)", Outcome::needed),
            column("accuracy after half (%)", o -> o.after(50)),
            column("accuracy at the sound's end (%)", Outcome::atSoundsEnd),
            column("largest difference of streamed logits", Outcome::difference),
            column("streamed answers that agree (%)", Outcome::agreement)));
    lab.figure(
        streams.figure(
            "Accuracy of the running mean, " + data,
            "share of the sequence (%)",
            "accuracy (%)",
            Measured.Curve.at(SHARES, Outcome::early)));
  }
}
