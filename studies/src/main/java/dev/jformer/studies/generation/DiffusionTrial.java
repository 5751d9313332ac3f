package dev.jformer.studies.generation;

import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageGrid;
import dev.jformer.hub.Models;
import dev.jformer.io.AtomicFile;
import dev.jformer.model.Model;
import dev.jformer.model.diffusion.DiffusionModel;
import dev.jformer.run.DiffusionJob;
import dev.jformer.run.ImageData;
import dev.jformer.run.ImageGenerator;
import dev.jformer.run.ImageSampling;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingObserver;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Picture;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.UnaryOperator;

/**
 * A trial that trains a diffusion model, and measures the held-out loss and the Fréchet distance of
 * images that it makes.
 *
 * @param images to learn from and to compare with
 * @param judge of the images that are made
 * @param model configuration of the model
 * @param training configuration of the training
 * @param start sets what the training begins with, and an adapter
 * @param made how many images are made, as many of each class
 * @param picture the file for some of them, with {@code %d} for the seed
 */
record DiffusionTrial(
    GreyImages images,
    ImageJudge judge,
    DiffusionModel.Config model,
    TrainingConfig training,
    UnaryOperator<Recipe> start,
    int made,
    String picture)
    implements Trial<DiffusionTrial.Result> {
  private static final int ROWS = 3;
  private static final int SAMPLING_STEPS = 10;

  /**
   * What came of a training.
   *
   * @param loss on held-out images, all patches of them
   * @param distance Fréchet distance of the images that were made
   * @param updates of the weights
   * @param flops operations of all updates
   * @param seconds of training
   * @param parameters number of weights that were trained
   */
  record Result(
      double loss, double distance, long updates, double flops, double seconds, long parameters) {}

  /** Returns this trial, which then also saves the model to a folder. */
  Trial<Result> keeping(Path folder) {
    return Trial.of(Result.class, session -> run(session, folder));
  }

  @Override
  public Class<Result> kind() {
    return Result.class;
  }

  @Override
  public Result run(Session session) {
    return run(session, null);
  }

  private Result run(Session session, Path folder) {
    ImageData data = new ImageData().with(d -> d.validation(0.1).augmentation(Augmentation.none()));
    Recipe recipe = start.apply(new Recipe(model, data, training.withSeed(session.seed())));
    Observer observer = new Observer(session, folder);
    try (PreparedData prepared = DiffusionJob.of(images.training())) {
      Training.of(recipe, prepared).withObserver(observer).run();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot train", e);
    }
    return observer.result;
  }

  /** Makes images of a trained model: class after class in turn. */
  static Tensor make(DiffusionModel model, int count) {
    int[] labels = new int[count];
    java.util.Arrays.setAll(labels, i -> i % model.config().classes());
    return ImageGenerator.of(model, labels, new ImageSampling(SAMPLING_STEPS, 1, 1), done -> {});
  }

  /** Draws the first images that were made, a class in each column. */
  static void draw(Tensor made, int classes, Path file) {
    int count = (int) Math.min(made.size(0), (long) ROWS * classes);
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      AtomicFile.write(file, ImageGrid.png(made.narrow(0, 0, count), classes, 2));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }

  /** Reads a picture that a trial drew. */
  static Picture picture(String title, Path file) {
    try {
      return Picture.of(title, Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  private final class Observer implements TrainingObserver {
    private final Session session;
    private final Path folder;
    private Result result;
    private long trainedWeights;

    Observer(Session session, Path folder) {
      this.session = session;
      this.folder = folder;
    }

    @Override
    public void begun(Model built, Task task, long step) {
      trainedWeights = built.trained().stream().mapToLong(p -> p.value().elements()).sum();
    }

    @Override
    public void step(Step step) {
      session
          .progress()
          .at(
              (double) step.step() / step.steps(),
              String.format(Locale.ROOT, "loss %.4f", step.loss()));
    }

    @Override
    public void ended(Model trained, TrainingOutcome outcome) {
      DiffusionModel diffusion = (DiffusionModel) trained;
      diffusion.train(false);
      if (folder != null) {
        try {
          Files.createDirectories(folder);
          Models.save(diffusion, folder);
        } catch (IOException e) {
          throw new UncheckedIOException("cannot save the model", e);
        }
      }
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor images = make(diffusion, made);
        draw(
            images,
            diffusion.config().classes(),
            Path.of(String.format(Locale.ROOT, picture, session.seed())));
        result =
            new Result(
                outcome.last() == null ? Double.POSITIVE_INFINITY : outcome.last().loss(),
                judge.distance(images),
                outcome.steps(),
                new UpdateCost(model, training.batch()).of(outcome.steps()),
                outcome.seconds(),
                trainedWeights);
      }
    }
  }
}
