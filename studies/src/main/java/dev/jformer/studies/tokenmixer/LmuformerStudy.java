package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.audio.RecordingFeatures;
import dev.jformer.data.audio.RecordingSampler;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.PixelFrames;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.sequence.LmuFormer;
import dev.jformer.model.sequence.LmuShape;
import dev.jformer.model.sequence.SequenceEncoder;
import dev.jformer.model.sequence.SequenceModel;
import dev.jformer.model.sequence.SpikingLmuFormer;
import dev.jformer.nn.Activation;
import dev.jformer.position.Sinusoidal;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.tokenmixer.SequenceTrial.Data;
import dev.jformer.studies.tokenmixer.SequenceTrial.Outcome;
import dev.jformer.studies.tokenmixer.SequenceTrial.Sequences;
import dev.jformer.studies.tokenmixer.SequenceTrial.Setting;
import dev.jformer.studies.tokenmixer.SequenceTrial.Test;
import dev.jformer.studies.trial.Digits;
import dev.jformer.tensor.Scope;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

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
    LmuShape shape = new LmuShape().withWidth(width(lab));
    LmuFormer.Config lmu = new LmuFormer.Config().withShape(shape);
    SpikingLmuFormer.Config spiking =
        new SpikingLmuFormer.Config().withShape(shape.withWidth(2 * width(lab)));
    return Arms.of(LMU, new Setting(lmu, 2.5e-3))
        .arm(SPIKING, new Setting(spiking, 5e-3))
        .control(
            FORGETFUL, new Setting(lmu.withShape(shape.with(c -> c.order(1).window(1))), 2.5e-3))
        .arm(LARGE, new Setting(transformer(layers(lab), large(lab)), 1e-3))
        .control(SMALL, new Setting(transformer(1, small(lab)), 1e-3))
        .learn(lab, data.name(), data.seeds(), setting -> SequenceTrial.of(setting, data, test));
  }

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
            runs.of(LMU, o -> o.after(68)),
            runs.of(LMU, Outcome::percentRight).times(SequenceTrial.ENOUGH)));
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
            Measured.Curve.at(SequenceTrial.SHARES, Outcome::early)));
  }
}
