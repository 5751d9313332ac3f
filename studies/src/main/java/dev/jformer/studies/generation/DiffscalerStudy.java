package dev.jformer.studies.generation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.computed;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.adapt.Adapter;
import dev.jformer.adapt.AdapterSettings;
import dev.jformer.adapt.Affiner;
import dev.jformer.adapt.BitFit;
import dev.jformer.adapt.Lora;
import dev.jformer.adapt.NoAdapter;
import dev.jformer.hub.Models;
import dev.jformer.model.diffusion.DiffusionModel;
import dev.jformer.model.diffusion.DiffusionTransformer;
import dev.jformer.model.diffusion.UNet;
import dev.jformer.run.Recipe;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.tensor.Scope;
import dev.jformer.train.AdamW;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Diffscaler: Enhancing the Generative Prowess of Diffusion Transformers (<a
 * href="https://arxiv.org/abs/2404.09976">arXiv 2404.09976</a>): a Diffusion Transformer and a
 * convolutional U-Net of about as many weights that learned the digits 0 to 4 are adapted to the
 * digits 5 to 9, and to articles of clothing, by Affiners, LoRA, biases alone, and all weights.
 */
@AutoService(Study.class)
public final class DiffscalerStudy implements Study {
  private static final String AFFINER = "Affiner";
  private static final String FULL = "all weights";
  private static final String LORA = "LoRA";
  private static final String BITFIT = "BitFit";
  private static final String UNTUNED = "not tuned";
  private static final String DISTANCE = "Fréchet distance";
  private static final List<String> TARGETS = List.of("digits 5 to 9", "articles of clothing");
  private static final double FULL_RATE = 1e-3;
  private static final double ADAPTER_RATE = 4e-3;

  /**
   * A kind of base.
   *
   * @param noun with its article
   * @param prefix of the names of what is measured with it
   * @param model configuration of the model
   * @param loraRank the rank with which LoRA has about as many weights as Affiners
   */
  private record Base(String noun, String prefix, DiffusionModel.Config model, int loraRank) {}

  /**
   * What was measured with a base.
   *
   * @param folder of the trained base
   * @param weights number of its weights
   * @param runs what came of the trainings, by target
   * @param untuned distances of the images that the base makes without tuning, by target
   */
  private record Findings(
      Base base,
      Path folder,
      long weights,
      Map<String, Measured<DiffusionTrial.Result>> runs,
      Map<String, Double> untuned) {
    static Findings of(ExperimentContext lab, Base base) {
      Path folder = trained(lab, base);
      return new Findings(
          base, folder, count(folder), new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    void measure(ExperimentContext lab, String target, GreyImages images, ImageJudge judge) {
      runs.put(target, adapted(lab, this, target, images, judge));
      untuned.put(target, DiffscalerStudy.untuned(lab, this, target, judge));
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    Findings transformer =
        Findings.of(lab, new Base("a Diffusion Transformer", "", transformer(lab), 2));
    Findings convolutions = Findings.of(lab, new Base("a U-Net", "U-Net ", unet(lab), 1));
    List<Findings> all = List.of(transformer, convolutions);
    for (String target : TARGETS) {
      try (GreyImages images = images(lab, target);
          ImageJudge judge = ImageJudge.of(lab, "classifier of " + target, images, 2)) {
        all.forEach(findings -> findings.measure(lab, target, images, judge));
      }
    }
    all.forEach(findings -> claims(lab, findings));
    compare(lab, transformer, convolutions);
    all.forEach(findings -> tables(lab, findings));
    notes(lab, all);
  }

  private static void tables(ExperimentContext lab, Findings findings) {
    String prefix = findings.base().prefix();
    for (String target : TARGETS) {
      lab.table(
          findings
              .runs()
              .get(target)
              .table(
                  (prefix.isEmpty() ? "Adapted to " : prefix + "adapted to ") + target,
                  "what is trained",
                  column(DISTANCE, DiffusionTrial.Result::distance),
                  column("held-out loss", DiffusionTrial.Result::loss),
                  fixed("weights trained", DiffusionTrial.Result::parameters),
                  computed(
                      "share of the weights (%)",
                      arm ->
                          Estimate.exactly(100.0 * arm.first().parameters() / findings.weights())),
                  column("seconds", DiffusionTrial.Result::seconds)));
      for (String arm : List.of(AFFINER, FULL)) {
        lab.picture(
            DiffusionTrial.picture(
                prefix + target + ", " + arm,
                Path.of(file(lab, prefix + target, arm).replace("%d", "1"))));
      }
    }
  }

  private static GreyImages images(ExperimentContext lab, String target) {
    if (lab.scale() == Scale.SMOKE) {
      return GreyImages.madeUp(8, 2, target.equals(TARGETS.get(0)) ? 2 : 4);
    }
    return target.equals(TARGETS.get(0))
        ? GreyImages.digits(label -> label >= 5)
        : GreyImages.fashion(8, 4000, 1000, label -> label < 5);
  }

  private static DiffusionTransformer.Config transformer(ExperimentContext lab) {
    return new DiffusionTransformer.Config()
        .with(
            c ->
                c.size(8)
                    .classes(lab.pick(2, 5, 5))
                    .patch(2)
                    .layers(lab.pick(1, 3, 12))
                    .width(lab.pick(16, 80, 384))
                    .headDim(lab.pick(8, 16, 64)));
  }

  private static UNet.Config unet(ExperimentContext lab) {
    return new UNet.Config()
        .with(
            c ->
                c.size(8)
                    .classes(lab.pick(2, 5, 5))
                    .widths(lab.pick(List.of(8, 8), List.of(16, 32, 40), List.of(128, 256, 384)))
                    .blocks(lab.pick(1, 1, 3))
                    .conditionWidth(lab.pick(16, 80, 384))
                    .groups(lab.pick(4, 8, 32))
                    .headDim(lab.pick(8, 20, 64)));
  }

  /** The folder of a model that learned the first digits, trained at first use. */
  private static Path trained(ExperimentContext lab, Base base) {
    String name = base.prefix() + "base";
    Path folder = lab.files(name.replace(' ', '-'));
    if (Files.exists(folder.resolve("config.json"))) {
      return folder;
    }
    try (GreyImages images =
            lab.scale() == Scale.SMOKE
                ? GreyImages.madeUp(8, 2, 0)
                : GreyImages.digits(label -> label < 5);
        ImageJudge judge = ImageJudge.of(lab, "classifier of digits 0 to 4", images, 2)) {
      DiffusionTrial trial =
          new DiffusionTrial(
              images,
              judge,
              base.model(),
              training(lab.pick(5, 1500, 20_000), lab.pick(4, 64, 128), FULL_RATE),
              recipe -> recipe,
              lab.pick(12, 200, 2000),
              file(lab, "digits 0 to 4", name));
      lab.measure(
          name,
          DiffusionTrial.Result.class,
          progress ->
              trial
                  .keeping(folder)
                  .run(
                      new Trial.Session(
                          1, lab.text(), (done, text) -> progress.accept(done), null)));
    }
    return folder;
  }

  private static long count(Path base) {
    try (DiffusionModel model = load(base)) {
      return model.parameterCount();
    }
  }

  private static DiffusionModel load(Path folder) {
    try {
      return (DiffusionModel) Models.load(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot load the base", e);
    }
  }

  private static Measured<DiffusionTrial.Result> adapted(
      ExperimentContext lab,
      Findings findings,
      String target,
      GreyImages images,
      ImageJudge judge) {
    Base base = findings.base();
    int rank = lab.pick(1, 1, 8);
    Arms<Adapter> arms =
        Arms.<Adapter>of(AFFINER, new Affiner(new AdapterSettings(rank)))
            .arm(LORA, new Lora(new AdapterSettings(base.loraRank() * rank)))
            .arm(BITFIT, new BitFit())
            .arm(FULL, new NoAdapter());
    return arms.learn(
        lab,
        base.prefix() + target,
        lab.pick(1, 2, 3),
        (arm, adapter) -> {
          UnaryOperator<Recipe> start =
              recipe -> recipe.withFrom(findings.folder()).withAdapter(adapter);
          double rate = adapter.isNone() ? FULL_RATE : ADAPTER_RATE;
          return new DiffusionTrial(
              images,
              judge,
              base.model(),
              training(lab.pick(4, 500, 10_000), lab.pick(4, 64, 128), rate),
              start,
              lab.pick(12, 300, 5000),
              file(lab, base.prefix() + target, arm));
        });
  }

  /** The distance of the images that a base makes without tuning. */
  private static double untuned(
      ExperimentContext lab, Findings findings, String target, ImageJudge judge) {
    return lab.measure(
            findings.base().prefix() + UNTUNED + ", " + target,
            DiffusionTrial.Result.class,
            () -> {
              try (DiffusionModel model = load(findings.folder());
                  Scope scope = Scope.open()) {
                model.train(false);
                double distance =
                    judge.distance(DiffusionTrial.make(model, lab.pick(12, 300, 5000)));
                return new DiffusionTrial.Result(0, distance, 0, 0, 0, 0);
              }
            })
        .distance();
  }

  private static TrainingConfig training(int steps, int batch, double rate) {
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(batch)
                    .learningRate(rate)
                    .schedule(new Schedule(Schedule.Shape.COSINE, Math.max(1, steps / 20), 0.05))
                    .optimizer(new AdamW.Config().withWeightDecay(0))
                    .ema(0.99)
                    .evaluateEvery(steps)
                    .checkpointEvery(steps));
  }

  private static String file(ExperimentContext lab, String target, String arm) {
    String name = (target + " " + arm).replaceAll("[^A-Za-z0-9]+", "-");
    return lab.files("pictures").resolve(name + "-%d.png").toString();
  }

  private static void claims(ExperimentContext lab, Findings findings) {
    String noun = findings.base().noun();
    List<Check> near = new ArrayList<>();
    List<Check> biases = new ArrayList<>();
    List<Check> loras = new ArrayList<>();
    findings
        .runs()
        .forEach(
            (target, runs) -> {
              String name = target + ": " + DISTANCE;
              near.add(runs.ratioAtMost(name, AFFINER, FULL, DiffusionTrial.Result::distance, 1.1));
              biases.add(runs.below(name, AFFINER, BITFIT, DiffusionTrial.Result::distance));
              loras.add(runs.below(name, AFFINER, LORA, DiffusionTrial.Result::distance));
            });
    double trained = findings.runs().get(TARGETS.get(0)).first(AFFINER).parameters();
    near.add(
        Check.atMost("share of the weights that is trained", trained / findings.weights(), 0.05));
    lab.claim(
        "Affiners with at most 5 % of the weights of "
            + noun
            + " come within 10 % of the Fréchet distance of tuning all weights, on two data sets",
        "near full tuning with a few per cent of the weights (tables 1 and 2)",
        FULL,
        Check.all(near));
    lab.claim(
        "Affiners of "
            + noun
            + " have a lower Fréchet distance than biases alone (BitFit), on two data sets",
        "",
        BITFIT,
        Check.all(biases));
    lab.claim(
        "Affiners of "
            + noun
            + " have a lower Fréchet distance than LoRA with about as many weights, on two data"
            + " sets",
        "",
        LORA,
        Check.all(loras));
  }

  private static void compare(ExperimentContext lab, Findings transformer, Findings convolutions) {
    lab.claim(
        "Affiners of a Diffusion Transformer have a lower Fréchet distance than Affiners of a U-Net"
            + " with about as many weights, on two data sets",
        "Transformers are significantly better than convolutions when tuned on small data sets",
        "U-Net",
        Check.each(
            TARGETS,
            target ->
                Check.below(
                    target + ": " + DISTANCE,
                    transformer.runs().get(target).of(AFFINER, DiffusionTrial.Result::distance),
                    convolutions.runs().get(target).of(AFFINER, DiffusionTrial.Result::distance))));
  }

  private static void notes(ExperimentContext lab, List<Findings> all) {
    lab.note(
        "The bases learned digits of 8 x 8 pixels, classes 0 to 4: a Diffusion Transformer of %s"
            + " weights and a convolutional U-Net of %s. Each data set has five classes, whose"
            + " embeddings all arms train. Affiners have rank 1 in all linear layers and"
            + " convolutions of the blocks. LoRA has rank %s in the Transformer and %s in the"
            + " U-Net, where A has a weight for each pixel of the kernel. AdamW with a peak rate of"
            + " %s for adapters and %s for all weights, cosine decay, a moving average. Rates and"
            + " sizes were set before the results were seen.",
        all.get(0).weights(),
        all.get(1).weights(),
        all.get(0).base().loraRank(),
        all.get(1).base().loraRank(),
        ADAPTER_RATE,
        FULL_RATE);
    StringBuilder distances = new StringBuilder();
    for (Findings findings : all) {
      findings
          .untuned()
          .forEach(
              (target, distance) ->
                  distances.append(
                      Check.sentence("; %s, %s: %s", findings.base().noun(), target, distance)));
    }
    lab.note(
        "Fréchet distances are those of features of a classifier of each data set. The bases'"
            + " images without tuning are at: "
            + distances.substring(2)
            + ".");
    lab.note(
        "The paper adapts models of ImageNet to four data sets without classes. Here A of a"
            + " convolution's Affiner has the layer's kernel and B a kernel of one pixel.");
  }
}
