package dev.jformer.studies.generation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.model.diffusion.DiffusionTransformer;
import dev.jformer.model.diffusion.ExpertBlocks;
import dev.jformer.model.diffusion.LayerScaling;
import dev.jformer.model.diffusion.Masking;
import dev.jformer.model.diffusion.PatchMixer;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Stretching Each Dollar: Diffusion Training from Scratch on a Micro-Budget (<a
 * href="https://arxiv.org/abs/2407.15811">arXiv 2407.15811</a>): Diffusion Transformers learn
 * articles of clothing with equal numbers of operations, with patches left out behind a patch mixer
 * or before all blocks, with all patches, and as a smaller model with all patches.
 */
@AutoService(Study.class)
public final class MicroDiffusionStudy implements Study {
  private static final String DEFERRED = "deferred masking";
  private static final String NAIVE = "naive masking";
  private static final String SMALLER = "smaller model, all patches";
  private static final String WHOLE = "all patches, fewer updates";
  private static final String PARTS = "deferred masking, experts, widths that grow";
  private static final double SHARE = 0.75;
  private static final double FINISH = 0.15;

  @Override
  public void run(ExperimentContext lab) {
    try (GreyImages images =
            lab.scale() == Scale.SMOKE
                ? GreyImages.madeUp(8, 3, 0)
                : GreyImages.fashion(
                    14, lab.pick(0, 12_000, 60_000), lab.pick(0, 1000, 10_000), label -> true);
        ImageJudge judge = ImageJudge.of(lab, "classifier", images, 2)) {
      run(lab, images, judge);
    }
  }

  private static void run(ExperimentContext lab, GreyImages images, ImageJudge judge) {
    Arms<DiffusionTransformer.Config> arms = arms(lab, images);
    Map<String, DiffusionTransformer.Config> models = arms.settings();
    int batch = lab.pick(4, 64, 256);
    double budget = new UpdateCost(models.get(DEFERRED), batch).of(lab.pick(6, UPDATES, 40_000));
    Measured<DiffusionTrial.Result> runs =
        arms.learn(
            lab,
            "",
            lab.pick(1, 3, 3),
            (arm, model) ->
                new DiffusionTrial(
                    images,
                    judge,
                    model,
                    training(new UpdateCost(model, batch).updates(budget), batch),
                    recipe -> recipe,
                    lab.pick(12, 500, 10_000),
                    file(lab, arm)));
    TimedArms times = times(lab, arms, batch);
    claims(lab, runs, times, models, batch);
    lab.table(
        runs.table(
            "Images of clothing after equal operations",
            "arm",
            column("Fréchet distance", DiffusionTrial.Result::distance),
            column("held-out loss", DiffusionTrial.Result::loss),
            fixed("updates", DiffusionTrial.Result::updates),
            fixed("operations (1e12)", run -> run.flops() / 1e12),
            column("seconds", DiffusionTrial.Result::seconds),
            fixed("weights", DiffusionTrial.Result::parameters)));
    lab.table(updates(models, times, batch));
    runs.names()
        .forEach(
            arm ->
                lab.picture(
                    DiffusionTrial.picture(
                        "Made by: " + arm, Path.of(file(lab, arm).replace("%d", "1")))));
    notes(lab, images, judge, batch);
  }

  /** Updates with deferred masking, whose operations all arms get. */
  private static final int UPDATES = 1000;

  private static Arms<DiffusionTransformer.Config> arms(ExperimentContext lab, GreyImages images) {
    DiffusionTransformer.Config plain =
        new DiffusionTransformer.Config()
            .with(
                c ->
                    c.size(images.size())
                        .classes(images.classes())
                        .patch(2)
                        .layers(lab.pick(2, 4, 12))
                        .width(lab.pick(16, 64, 384))
                        .headDim(lab.pick(8, 16, 64))
                        .patchMixer(new PatchMixer(1, lab.pick(0, 32, 0)))
                        .masking(new Masking(Masking.Place.NONE, SHARE, FINISH)));
    DiffusionTransformer.Config deferred = placed(plain, Masking.Place.DEFERRED);
    return Arms.of(DEFERRED, deferred)
        .control(NAIVE, placed(plain, Masking.Place.NAIVE))
        .control(
            SMALLER,
            plain.with(
                c ->
                    c.width(lab.pick(8, 48, 192))
                        .layers(lab.pick(1, 2, 12))
                        .patchMixer(new PatchMixer(1, 0))))
        .control(WHOLE, plain)
        .arm(
            PARTS,
            deferred.with(
                c ->
                    c.scaling(new LayerScaling(0.5, 1, 0.5, 4))
                        .experts(new ExpertBlocks(lab.pick(2, 8, 8), 2, 2))));
  }

  private static DiffusionTransformer.Config placed(
      DiffusionTransformer.Config model, Masking.Place place) {
    Masking masking = model.masking();
    return model.withMasking(new Masking(place, masking.share(), masking.finish()));
  }

  private static TrainingConfig training(int steps, int batch) {
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(batch)
                    .learningRate(2e-3)
                    .schedule(new Schedule(Schedule.Shape.COSINE, Math.max(1, steps / 20), 0.05))
                    .optimizer(new AdamW.Config().withWeightDecay(0.01))
                    .ema(0.995)
                    .evaluateEvery(steps)
                    .checkpointEvery(steps));
  }

  private static String file(ExperimentContext lab, String arm) {
    return lab.files("pictures").resolve(arm.replaceAll("[^a-z]+", "-") + "-%d.png").toString();
  }

  private static TimedArms times(
      ExperimentContext lab, Arms<DiffusionTransformer.Config> arms, int batch) {
    return lab.measure(
        "times of updates",
        TimedArms.class,
        () -> {
          Map<String, Runnable> work = new LinkedHashMap<>();
          Random.seed(1);
          List<DiffusionTransformer> models =
              arms.settings().values().stream().map(DiffusionTransformer.Config::build).toList();
          int i = 0;
          for (String arm : arms.settings().keySet()) {
            DiffusionTransformer model = models.get(i++);
            work.put(arm, () -> update(model, batch));
          }
          try {
            return TimedArms.measure(work, 2, lab.pick(2, 15, 30));
          } finally {
            models.forEach(DiffusionTransformer::close);
          }
        });
  }

  /** The passes of an update, forward and backward. */
  private static void update(DiffusionTransformer model, int batch) {
    DiffusionTransformer.Config c = model.config();
    long[] shape = {batch, c.channels(), c.size(), c.size()};
    model.clearGrads();
    try (Scope scope = Scope.open()) {
      Tensor labels = Tensor.randint(0, c.classes(), batch);
      model.loss(Tensor.rand(shape), labels, c.edm().draw(batch), Tensor.randn(shape)).backward();
    }
  }

  private static Table updates(
      Map<String, DiffusionTransformer.Config> models, TimedArms times, int batch) {
    List<List<String>> rows = new java.util.ArrayList<>();
    models.forEach(
        (arm, model) -> {
          UpdateCost cost = new UpdateCost(model, batch);
          rows.add(
              Table.row(
                  arm,
                  cost.masked() / 1e9,
                  cost.whole() / 1e9,
                  1e3 * times.seconds(arm),
                  times.ratio(arm, WHOLE).value()));
        });
    return new Table(
        "An update of " + batch + " images, before the finish",
        List.of(
            "arm",
            "operations (1e9)",
            "with all patches (1e9)",
            "ms, forward and backward",
            "as a multiple of all patches"),
        rows);
  }

  private static void claims(
      ExperimentContext lab,
      Measured<DiffusionTrial.Result> runs,
      TimedArms times,
      Map<String, DiffusionTransformer.Config> models,
      int batch) {
    lab.claim(
        "With equal operations, deferred masking makes images of a lower Fréchet distance than"
            + " naive masking",
        "the better the more patches are left out (figure 5)",
        NAIVE,
        runs.below("Fréchet distance", DEFERRED, NAIVE, DiffusionTrial.Result::distance));
    lab.claim(
        "With equal operations, deferred masking makes images of a lower Fréchet distance than a"
            + " smaller model that sees all patches",
        "masking at 75 % is better than a smaller model (section 5.2)",
        SMALLER,
        runs.below("Fréchet distance", DEFERRED, SMALLER, DiffusionTrial.Result::distance));
    lab.claim(
        "With equal operations, deferred masking makes images of a lower Fréchet distance than the"
            + " same model with all patches and fewer updates",
        "",
        WHOLE,
        runs.below("Fréchet distance", DEFERRED, WHOLE, DiffusionTrial.Result::distance));
    lab.claim(
        "With equal operations, deferred masking has a lower held-out loss than naive masking",
        "",
        NAIVE,
        runs.below("held-out loss", DEFERRED, NAIVE, DiffusionTrial.Result::loss));
    UpdateCost cost = new UpdateCost(models.get(DEFERRED), batch);
    lab.claim(
        "Leaving out three quarters of the patches behind the mixer saves at least half of the"
            + " operations and of the time of an update",
        "75 % of the patches dropped make training 2.5 times as cheap (table 4)",
        WHOLE,
        Check.all(
            Check.atMost(
                "operations, as a share of all patches'", cost.masked() / cost.whole(), 0.5),
            Check.atMost("time, as a share of all patches'", times.ratio(DEFERRED, WHOLE), 0.5)));
    lab.claim(
        "With equal operations, experts in every second block and widths that grow with the depth"
            + " lower the Fréchet distance of deferred masking",
        "12.0 to 11.8 and 11.4 with experts (section 5.3)",
        DEFERRED,
        runs.below("Fréchet distance", PARTS, DEFERRED, DiffusionTrial.Result::distance));
  }

  private static void notes(ExperimentContext lab, GreyImages images, ImageJudge judge, int batch) {
    DiffusionTrial.Result real =
        lab.measure(
            "training images",
            DiffusionTrial.Result.class,
            () ->
                new DiffusionTrial.Result(
                    0, judge.distanceOf(images.training(), lab.pick(12, 500, 10_000)), 0, 0, 0, 0));
    lab.note(
        "Fashion-MNIST, reduced to %d x %d pixels by means of 2 x 2: %,d images to learn from, a"
            + " tenth of them held out, patches of 2 x 2. Batches of %d, AdamW, cosine decay, a"
            + " moving average of the weights; classes as condition, dropped for a tenth of the"
            + " images.",
        images.size(), images.size(), images.training().count(), batch);
    lab.note(
        "The Fréchet distance is that of the features of a classifier of this data (%.1f %% of the"
            + " test images right), of %,d made images and %,d test images; 10 steps of Heun's"
            + " method, no guidance. That of as many training images is %s.",
        100 * judge.accuracy(),
        lab.pick(12, 500, 10_000),
        images.test().count(),
        Check.sentence("%s", real.distance()));
    lab.note(
        "Both kinds of masking leave out 75 %% of the patches and end with %.0f %% of the updates"
            + " on all patches, as the paper's training does. Naive masking here is the same"
            + " network, whose mixer sees the patches that stay. The paper's models are 100 times"
            + " larger and learn captions; its distances are of other features and not comparable.",
        100 * FINISH);
    lab.note(
        "A first run had two seeds, which did not tell four of the six comparisons apart; a third"
            + " seed was added then, and nothing else changed.");
  }
}
