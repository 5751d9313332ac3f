package dev.jformer.studies.generation;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.inpaint.Codec;
import dev.jformer.model.inpaint.Put;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.train.AdamW;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reduce Information Loss in Transformers for Pluralistic Image Inpainting (<a
 * href="https://arxiv.org/abs/2205.05076">arXiv 2205.05076</a>): hidden parts of articles of
 * clothing are filled in by Transformers that read features of the visible patches, codes of them,
 * or their mean greys.
 */
@AutoService(Study.class)
public final class PutStudy implements Study {
  private static final String FEATURES = "features";
  private static final String CODES = "codes";
  private static final String MEANS = "mean greys";

  /** The share of the range of greys by which fills of an image must differ. */
  private static final double DIFFERENT = 0.02;

  @Override
  public void run(ExperimentContext lab) {
    Map<String, Put.Input> arms = new LinkedHashMap<>();
    arms.put(FEATURES, Put.Input.UNQUANTIZED);
    arms.put(CODES, Put.Input.QUANTIZED);
    arms.put(MEANS, Put.Input.DOWNSAMPLED);
    String pictures = lab.files("pictures").resolve("%s-%d.png").toString();
    try (GreyImages images = images(lab)) {
      PutTrial trial =
          new PutTrial(
              images,
              model(lab, images.size()),
              training(lab, lab.pick(2, 400, 40_000), 2e-3),
              training(lab, lab.pick(2, 600, 80_000), 2e-3),
              arms,
              lab.pick(0.25, 0.05, 0.05),
              lab.pick(3, 6, 50),
              lab.pick(4, 150, 1000),
              lab.pick(2, 30, 500),
              pictures);
      List<PutTrial.Result> runs = lab.learn("fills", trial, lab.pick(1, 3, 3));
      Measured<PutTrial.Fill> fills = Measured.within(runs, PutTrial.Result::fills);
      Measured<PutTrial.Drawing> drawings =
          Measured.ofRuns(
              Map.of("auto-encoder", runs.stream().map(PutTrial.Result::drawing).toList()));
      claims(lab, fills, drawings);
      tables(lab, fills, drawings);
      for (String arm : arms.keySet()) {
        Path file = Path.of(pictures.replace("%s", PutTrial.name(arm)).replace("%d", "1"));
        lab.picture(
            DiffusionTrial.picture(
                "Reads " + arm + ": visible pixels, five fills, and the whole image", file));
      }
      notes(lab, images);
    }
  }

  private static GreyImages images(ExperimentContext lab) {
    return lab.scale() == Scale.SMOKE
        ? GreyImages.madeUp(8, 2, 0)
        : GreyImages.fashion(
            28, lab.pick(0, 12_000, 60_000), lab.pick(0, 1000, 10_000), label -> true);
  }

  private static Put.Config model(ExperimentContext lab, int size) {
    Codec codec =
        new Codec()
            .with(
                c ->
                    c.codes(lab.pick(8, 64, 512))
                        .hiddenCodes(lab.pick(4, 64, 512))
                        .codeWidth(lab.pick(4, 32, 256))
                        .encoderWidth(lab.pick(8, 128, 256))
                        .encoderBlocks(lab.pick(1, 4, 8))
                        .decoderWidth(lab.pick(8, 64, 256))
                        .decoderBlocks(lab.pick(1, 2, 8)));
    return new Put.Config()
        .with(c -> c.size(size).channels(1).patch(lab.pick(2, 4, 4)).codec(codec))
        .withStack(s -> s.layers(lab.pick(1, 3, 12)).width(lab.pick(8, 64, 512)))
        .withBlock(b -> b.mixer(new SoftmaxAttention.Config(lab.pick(2, 4, 8), 0)).bias(true));
  }

  private static TrainingConfig training(ExperimentContext lab, int steps, double rate) {
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(lab.pick(4, 64, 128))
                    .learningRate(rate)
                    .schedule(new Schedule(Schedule.Shape.COSINE, Math.max(1, steps / 20), 0.05))
                    .optimizer(new AdamW.Config().withWeightDecay(0.01))
                    .evaluateEvery(steps)
                    .checkpointEvery(steps));
  }

  private static void claims(
      ExperimentContext lab, Measured<PutTrial.Fill> fills, Measured<PutTrial.Drawing> drawings) {
    lab.claim(
        "Visible pixels of all fills are those of the image, to the bit",
        "",
        Check.atMost("largest difference", fills.largest(PutTrial.Fill::visible), 0));
    for (String other : List.of(CODES, MEANS)) {
      String what =
          other.equals(CODES)
              ? "codes of them"
              : "their mean greys, as of an image that is scaled down";
      lab.claim(
          "A Transformer that reads features of visible patches fills in with a smaller error than"
              + " one that reads "
              + what,
          "better than with quantised inputs, and than methods that scale images down",
          other,
          Check.below(
              "error on hidden pixels as a multiple of that with " + other,
              fills.ratio(FEATURES, other, PutTrial.Fill::error),
              1));
      lab.claim(
          "A Transformer that reads features of visible patches has a lower loss on hidden patches"
              + " than one that reads "
              + what,
          "",
          other,
          Check.below(
              "loss as a multiple of that with " + other,
              fills.ratio(FEATURES, other, PutTrial.Fill::loss),
              1));
    }
    lab.claim(
        "The most probable fills have a smaller error than spreading the greys of visible pixels",
        "",
        PutTrial.SPREADING,
        fills.below("error on hidden pixels", FEATURES, PutTrial.SPREADING, PutTrial.Fill::error));
    lab.claim(
        "Five fills of an image differ from each other by more than 2 % of the range of greys, in"
            + " the mean",
        "pluralistic fills",
        Check.above(
            "mean distance of two fills", fills.of(FEATURES, PutTrial.Fill::diversity), DIFFERENT));
    lab.claim(
        "The reference branch of the decoder makes the error on visible pixels smaller, before"
            + " these are put in",
        "",
        "codes alone",
        Check.below(
            "error with the branch as a multiple of that without",
            drawings.beside(
                "auto-encoder", "auto-encoder", (a, b) -> a.withReference() / a.withoutReference()),
            1));
  }

  private static void tables(
      ExperimentContext lab, Measured<PutTrial.Fill> fills, Measured<PutTrial.Drawing> drawings) {
    lab.table(
        fills.table(
            "Hidden parts of test images",
            "what is read",
            column("error, most probable (%)", f -> 100 * f.error()),
            column("PSNR, most probable (dB)", PutTrial.Fill::decibels),
            column("error, drawn (%)", f -> 100 * f.drawnError()),
            column("distance of two fills (%)", f -> 100 * f.diversity()),
            column("loss (nats per hidden patch)", PutTrial.Fill::loss),
            column("codes right (%)", f -> 100 * f.accuracy()),
            column("largest change of a visible pixel", PutTrial.Fill::visible),
            column("seconds", PutTrial.Fill::seconds)));
    lab.table(
        drawings.table(
            "The auto-encoder",
            "",
            column("codes in use", PutTrial.Drawing::used),
            column("error of images from codes alone (%)", d -> 100 * d.error()),
            column("error of visible pixels with the reference (%)", d -> 100 * d.withReference()),
            column("without it (%)", d -> 100 * d.withoutReference()),
            column("seconds", PutTrial.Drawing::seconds)));
  }

  private static void notes(ExperimentContext lab, GreyImages images) {
    lab.note(
        "Fashion-MNIST, %d x %d pixels in patches of 4 x 4, %,d images to learn from, a twentieth"
            + " of them held out. Masks hide a tenth to six tenths of the pixels by rectangles and"
            + " strokes. %d + %d codes; %d images are filled in with the most probable codes, %d of"
            + " them five times with codes drawn from the %d most probable.",
        images.size(),
        images.size(),
        images.training().count(),
        lab.pick(8, 64, 512),
        lab.pick(4, 64, 512),
        lab.pick(4, 150, 1000),
        lab.pick(2, 30, 500),
        lab.pick(3, 6, 50));
    lab.note(
        "The codes are learned once for each seed, and all Transformers of the seed have them; they"
            + " differ in what they read only, so ratios are taken seed by seed. The input that is"
            + " scaled down is the features of patches of one grey, their mean, as much as an image"
            + " of a pixel for each patch holds; the baselines of the paper scale images down and"
            + " round their colours too.");
    lab.note(
        "The paper's models are larger, learn photographs of 256 x 256 pixels, and have adversarial"
            + " and perceptual losses, which are left out here. Errors are mean absolute"
            + " differences on hidden pixels, as shares of the range of greys.");
    lab.note("Settings were not changed after a result at this scale was seen.");
  }
}
