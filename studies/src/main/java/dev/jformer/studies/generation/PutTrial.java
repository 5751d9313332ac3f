package dev.jformer.studies.generation;

import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.RandomMasks;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.inpaint.PatchSampler;
import dev.jformer.model.inpaint.PatchVqVae;
import dev.jformer.model.inpaint.Put;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingObserver;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.CodeLearning;
import dev.jformer.train.InpaintingTraining;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A trial that learns the codes of patches once, then Transformers that read different inputs, all
 * with these codes, and measures what they fill in.
 *
 * @param images to learn from and to fill in
 * @param model configuration of the model
 * @param codes training of the codes
 * @param training training of each Transformer
 * @param arms what the Transformers read
 * @param heldOut share of the images that is held out
 * @param topK of the fills that are drawn
 * @param tested how many test images are filled in with the most probable codes
 * @param varied how many of them are filled in several times
 * @param picture the file for some fills, with {@code %s} for the arm and {@code %d} for the seed
 */
record PutTrial(
    GreyImages images,
    Put.Config model,
    TrainingConfig codes,
    TrainingConfig training,
    Map<String, Put.Input> arms,
    double heldOut,
    int topK,
    int tested,
    int varied,
    String picture)
    implements Trial<PutTrial.Result> {
  /** The arm that only spreads the colours of visible pixels. */
  static final String SPREADING = "spreading visible greys";

  /** The number of fills of an image. */
  static final int FILLS = 5;

  private static final int ROWS = 6;

  /**
   * What a Transformer fills in.
   *
   * @param loss in nats per hidden patch of held-out images
   * @param accuracy of the codes of hidden patches
   * @param error of the most probable fills
   * @param decibels of the most probable fills
   * @param drawnError of drawn fills, in the mean
   * @param diversity mean distance of drawn fills of an image from each other
   * @param visible largest difference of visible pixels in any fill
   * @param seconds of training
   */
  record Fill(
      double loss,
      double accuracy,
      double error,
      double decibels,
      double drawnError,
      double diversity,
      double visible,
      double seconds) {}

  /**
   * What the auto-encoder draws, before visible pixels are put in.
   *
   * @param used number of codes of visible patches in use
   * @param error of held-out images that are drawn from their codes alone
   * @param withReference error on visible pixels, with the reference branch
   * @param withoutReference without it
   * @param seconds of training
   */
  record Drawing(
      double used, double error, double withReference, double withoutReference, double seconds) {}

  /** What came of a seed. */
  record Result(Map<String, Fill> fills, Drawing drawing) {}

  @Override
  public Class<Result> kind() {
    return Result.class;
  }

  @Override
  public Result run(Session session) {
    RandomMasks masks = new RandomMasks();
    Fills test = Fills.of(images.test(), tested, masks);
    Random.seed(session.seed());
    Map<String, Fill> fills = new LinkedHashMap<>();
    double parts = arms.size() + 1.0;
    try (Put coder = model.build()) {
      InpaintingTraining task = task(coder, masks, session);
      TrainingOutcome learned =
          learn(coder, new CodeLearning().of(task), codes, session, 0, 1 / parts);
      coder.train(false);
      Drawing drawing = drawing(coder, learned.last(), test, learned.seconds());
      for (Map.Entry<String, Put.Input> arm : arms.entrySet()) {
        Random.seed(session.seed());
        try (Put filler = model.withInput(arm.getValue()).build()) {
          copyCodes(coder, filler);
          double done = (1 + fills.size()) / parts;
          InpaintingTraining own = task(filler, masks, session);
          TrainingOutcome outcome = learn(filler, own, training, session, done, 1 / parts);
          filler.train(false);
          Path file =
              Path.of(String.format(Locale.ROOT, picture, name(arm.getKey()), session.seed()));
          fills.put(arm.getKey(), fill(filler, outcome, test, file));
        }
      }
      fills.put(SPREADING, spreading(test));
      return new Result(fills, drawing);
    }
  }

  /** The name of an arm in the names of files. */
  static String name(String arm) {
    return arm.replaceAll("[^A-Za-z0-9]+", "-");
  }

  private InpaintingTraining task(Put built, RandomMasks masks, Session session) {
    ImageSampler sampler =
        new ImageSampler(
            images.training(), heldOut, Augmentation.none(), training.batch(), session.seed());
    return new InpaintingTraining(built, sampler, masks, session.seed());
  }

  private static void copyCodes(Put from, Put to) {
    to.parameters()
        .forEach(
            (name, parameter) -> {
              if (name.startsWith("codec.")) {
                parameter.copyFrom(from.parameters().get(name).value().detach());
              }
            });
  }

  private static TrainingOutcome learn(
      Put built, Task task, TrainingConfig settings, Session session, double done, double share) {
    try {
      return Training.of(built, task, settings.withSeed(session.seed()))
          .withObserver(
              new TrainingObserver() {
                @Override
                public void step(Step step) {
                  session
                      .progress()
                      .at(
                          done + share * step.step() / step.steps(),
                          String.format(Locale.ROOT, "loss %.4f", step.loss()));
                }
              })
          .run();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot train", e);
    }
  }

  private static Drawing drawing(Put model, Metrics metrics, Fills test, double seconds) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      PatchVqVae codec = model.codec();
      Tensor vectors = codec.codebook().lookUp(model.targets(test.images()));
      Tensor nothing = test.visible().and(test.visible().not());
      double with = test.errorOfVisible(codec.draw(vectors, test.images(), test.visible()));
      double without = test.errorOfVisible(codec.draw(vectors, test.images(), nothing));
      return new Drawing(metrics.get("codes used"), metrics.get("error"), with, without, seconds);
    }
  }

  private Fill fill(Put model, TrainingOutcome outcome, Fills test, Path file) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor probable = test.by(model, new PatchSampler(1, 1), 1);
      double visible = test.visibleDifference(probable);
      Fills some = test.first(varied);
      List<Tensor> drawn = new ArrayList<>();
      double error = 0;
      for (int i = 0; i < FILLS; i++) {
        Tensor one = some.by(model, new PatchSampler(topK, 1), i + 1);
        drawn.add(one);
        error += some.error(one) / FILLS;
        visible = Math.max(visible, some.visibleDifference(one));
      }
      try {
        Files.createDirectories(file.toAbsolutePath().getParent());
        AtomicFile.write(file, some.picture(drawn, ROWS, 2));
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write " + file, e);
      }
      return new Fill(
          outcome.last().loss(),
          outcome.last().get(Metric.ACCURACY),
          test.error(probable),
          test.decibels(probable),
          error,
          some.diversity(drawn),
          visible,
          outcome.seconds());
    }
  }

  private static Fill spreading(Fills test) {
    try (Scope scope = Scope.open()) {
      Tensor fills = test.bySpreading();
      double error = test.error(fills);
      return new Fill(
          Double.NaN,
          Double.NaN,
          error,
          test.decibels(fills),
          error,
          0,
          test.visibleDifference(fills),
          0);
    }
  }
}
