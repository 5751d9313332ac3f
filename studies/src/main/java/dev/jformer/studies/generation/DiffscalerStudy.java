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
 * href="https://arxiv.org/abs/2404.09976">arXiv 2404.09976</a>): a Diffusion Transformer that
 * learned the digits 0 to 4 is adapted to the digits 5 to 9, and to articles of clothing, by
 * Affiners, LoRA, biases alone, and all weights.
 */
@AutoService(Study.class)
public final class DiffscalerStudy implements Study {
  private static final String AFFINER = "Affiner";
  private static final String FULL = "all weights";
  private static final String LORA = "LoRA";
  private static final String BITFIT = "BitFit";
  private static final String UNTUNED = "not tuned";
  private static final List<String> TARGETS = List.of("digits 5 to 9", "articles of clothing");
  private static final double FULL_RATE = 1e-3;
  private static final double ADAPTER_RATE = 4e-3;

  @Override
  public void run(ExperimentContext lab) {
    Path base = base(lab);
    Map<String, Measured<DiffusionTrial.Result>> all = new LinkedHashMap<>();
    Map<String, Double> untuned = new LinkedHashMap<>();
    long weights = weights(base);
    for (String target : TARGETS) {
      try (GreyImages images = images(lab, target);
          ImageJudge judge = ImageJudge.of(lab, "classifier of " + target, images, 2)) {
        all.put(target, adapted(lab, base, target, images, judge));
        untuned.put(target, untuned(lab, base, target, judge));
      }
    }
    claims(lab, all, weights);
    for (String target : TARGETS) {
      Measured<DiffusionTrial.Result> runs = all.get(target);
      lab.table(
          runs.table(
              "Adapted to " + target,
              "what is trained",
              column("Fréchet distance", DiffusionTrial.Result::distance),
              column("held-out loss", DiffusionTrial.Result::loss),
              fixed("weights trained", DiffusionTrial.Result::parameters),
              computed(
                  "share of the weights (%)",
                  arm -> Estimate.exactly(100.0 * arm.first().parameters() / weights)),
              column("seconds", DiffusionTrial.Result::seconds)));
      for (String arm : List.of(AFFINER, FULL)) {
        lab.picture(
            DiffusionTrial.picture(
                target + ", " + arm, Path.of(file(lab, target, arm).replace("%d", "1"))));
      }
    }
    notes(lab, untuned);
  }

  private static GreyImages images(ExperimentContext lab, String target) {
    if (lab.scale() == Scale.SMOKE) {
      return GreyImages.madeUp(8, 2, target.equals(TARGETS.get(0)) ? 2 : 4);
    }
    return target.equals(TARGETS.get(0))
        ? GreyImages.digits(label -> label >= 5)
        : GreyImages.fashion(8, 4000, 1000, label -> label < 5);
  }

  private static DiffusionTransformer.Config model(ExperimentContext lab) {
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

  /** The folder of the model that learned the first digits, trained at first use. */
  private static Path base(ExperimentContext lab) {
    Path folder = lab.files("base");
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
              model(lab),
              training(lab.pick(5, 1500, 20_000), lab.pick(4, 64, 128), FULL_RATE),
              recipe -> recipe,
              lab.pick(12, 200, 2000),
              file(lab, "digits 0 to 4", "base"));
      lab.measure(
          "base",
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

  private static long weights(Path base) {
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
      ExperimentContext lab, Path base, String target, GreyImages images, ImageJudge judge) {
    int rank = lab.pick(1, 1, 8);
    Arms<Adapter> arms =
        Arms.<Adapter>of(AFFINER, new Affiner(new AdapterSettings(rank)))
            .arm(LORA, new Lora(new AdapterSettings(2 * rank)))
            .arm(BITFIT, new BitFit())
            .arm(FULL, new NoAdapter());
    return arms.learn(
        lab,
        target,
        lab.pick(1, 2, 3),
        (arm, adapter) -> {
          UnaryOperator<Recipe> start = recipe -> recipe.withFrom(base).withAdapter(adapter);
          double rate = adapter.isNone() ? FULL_RATE : ADAPTER_RATE;
          return new DiffusionTrial(
              images,
              judge,
              model(lab),
              training(lab.pick(4, 500, 10_000), lab.pick(4, 64, 128), rate),
              start,
              lab.pick(12, 300, 5000),
              file(lab, target, arm));
        });
  }

  /** The distance of the images that the base makes without tuning. */
  private static double untuned(ExperimentContext lab, Path base, String target, ImageJudge judge) {
    return lab.measure(
            UNTUNED + ", " + target,
            DiffusionTrial.Result.class,
            () -> {
              try (DiffusionModel model = load(base);
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

  private static void claims(
      ExperimentContext lab, Map<String, Measured<DiffusionTrial.Result>> all, long weights) {
    List<Check> near = new ArrayList<>();
    List<Check> biases = new ArrayList<>();
    List<Check> loras = new ArrayList<>();
    all.forEach(
        (target, runs) -> {
          near.add(
              runs.ratioAtMost(
                  target + ": Fréchet distance",
                  AFFINER,
                  FULL,
                  DiffusionTrial.Result::distance,
                  1.1));
          biases.add(
              runs.below(
                  target + ": Fréchet distance", AFFINER, BITFIT, DiffusionTrial.Result::distance));
          loras.add(
              runs.below(
                  target + ": Fréchet distance", AFFINER, LORA, DiffusionTrial.Result::distance));
        });
    double share = (double) all.get(TARGETS.get(0)).first(AFFINER).parameters() / weights;
    near.add(Check.atMost("share of the weights that is trained", share, 0.05));
    lab.claim(
        "Affiners with at most 5 % of the weights come within 10 % of the Fréchet distance of"
            + " tuning all weights, on two data sets",
        "near full tuning with a few per cent of the weights (tables 1 and 2)",
        FULL,
        Check.all(near));
    lab.claim(
        "Affiners have a lower Fréchet distance than biases alone (BitFit), on two data sets",
        "",
        BITFIT,
        Check.all(biases));
    lab.claim(
        "Affiners have a lower Fréchet distance than LoRA with about as many weights, on two data"
            + " sets",
        "",
        LORA,
        Check.all(loras));
  }

  private static void notes(ExperimentContext lab, Map<String, Double> untuned) {
    StringBuilder distances = new StringBuilder();
    untuned.forEach(
        (target, distance) -> distances.append(Check.sentence("; %s: %s", target, distance)));
    lab.note(
        "The base learned digits of 8 x 8 pixels, classes 0 to 4. Each data set has five classes,"
            + " whose embeddings all arms train. Affiners have rank 1 in all linear layers of the"
            + " blocks, LoRA rank 2; AdamW with a peak rate of %s for adapters and %s for all"
            + " weights, cosine decay, a moving average. Rates were set before the results were"
            + " seen.",
        ADAPTER_RATE, FULL_RATE);
    lab.note(
        "Fréchet distances are those of features of a classifier of each data set. The base's"
            + " images without tuning are at: "
            + distances.substring(2)
            + ".");
    lab.note(
        "The paper adapts a DiT of ImageNet to four data sets without classes, and also a"
            + " convolutional U-Net, which was not measured here.");
  }
}
