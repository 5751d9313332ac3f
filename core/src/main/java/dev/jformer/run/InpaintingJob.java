package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageGrid;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.ImageSource;
import dev.jformer.data.image.RandomMasks;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.inpaint.Put;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.CodeLearning;
import dev.jformer.train.InpaintingTraining;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The job of filling in hidden parts of images. The codes of patches are learned first, in a
 * pretraining with {@link CodeLearning}, unless the run begins with a trained model.
 */
@AutoService(Job.class)
public record InpaintingJob() implements Job {
  @Override
  public String type() {
    return "inpainting";
  }

  @Override
  public Class<MaskedImageData> data() {
    return MaskedImageData.class;
  }

  @Override
  public Class<Put.Config> model() {
    return Put.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    MaskedImageData data = (MaskedImageData) recipe.data();
    check(recipe);
    Put.Config model;
    try (PretrainedStart start = PretrainedStart.of(recipe)) {
      model = start.config(model());
    }
    ImageFile file =
        ImageReading.read(
            ImageSource.unlabelled(Path.of(data.source())),
            workspace.folder().resolve(RunFolder.DATA),
            model.size(),
            model.framing(),
            workspace.progress());
    return new Data(data.source(), file, workspace);
  }

  private static void check(Recipe recipe) {
    if (recipe.from().isEmpty() && !(recipe.pretraining().objective() instanceof CodeLearning)) {
      throw new RunException(
          "pretraining.objective is "
              + recipe.pretraining().objective().type()
              + ", but the codes of patches must be learned first: set it to codes, or begin with a"
              + " trained model (--from)");
    }
  }

  /** Prepares images in memory, which are not closed with the data. */
  public static PreparedData of(ImageFile images) {
    return new Data("", images, null);
  }

  private static final class Data extends PreparedImages {
    /** Images in a picture, and ways in which each is filled in. */
    private static final int ROWS = 4;

    private static final int FILLS = 4;

    /** The least width and height of an image in a picture. */
    private static final int SHOWN = 64;

    private InpaintingTraining last;

    Data(String source, ImageFile file, Workspace workspace) {
      super(source, file, workspace);
    }

    @Override
    public Job job() {
      return new InpaintingJob();
    }

    @Override
    public Put.Config fit(Model.Config config) {
      Put.Config images = (Put.Config) config;
      requireSize(images.size(), "takes");
      return images;
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      MaskedImageData data = (MaskedImageData) recipe.data();
      long seed = recipe.training().seed();
      ImageSampler sampler =
          new ImageSampler(
              file, data.validation(), data.augmentation(), recipe.training().batch(), seed);
      last = new InpaintingTraining((Put) model, sampler, data.masks(), seed);
      return last;
    }

    @Override
    public DataSummary summary(Task task) {
      ImageSampler sampler = ((InpaintingTraining) task).sampler();
      return new DataSummary(
          source, "images", sampler.trainingImages(), sampler.heldOutImages(), "");
    }

    /** Held-out images with a hidden part, filled in several ways, and as they are, in rows. */
    @Override
    public byte[] picture(Model model) {
      List<Tensor> shown = new ArrayList<>();
      try (Scope scope = Scope.open()) {
        SplittableRandom random = new SplittableRandom(1);
        last.sampler()
            .heldOut(
                (pixels, labels) -> {
                  for (int i = 0; i < pixels.size(0) && shown.size() < ROWS; i++) {
                    shown.add(
                        row((Put) model, pixels.narrow(0, i, 1), last.masks(), random).keep());
                  }
                });
        byte[] png =
            ImageGrid.png(
                Tensor.cat(0, shown.toArray(Tensor[]::new)),
                FILLS + 2,
                Math.max(1, SHOWN / file.header().size()));
        shown.forEach(Tensor::close);
        return png;
      }
    }

    private static Tensor row(Put model, Tensor image, RandomMasks masks, SplittableRandom random) {
      int size = (int) image.size(2);
      Tensor visible = masks.visible(random, 1, size, size);
      Tensor some = image.expand(FILLS, -1, -1, -1);
      Tensor fills =
          Inpainter.of(
              model,
              some,
              visible.expand(FILLS, -1, -1, -1),
              new InpaintingSettings(),
              0,
              done -> {});
      Tensor whole =
          model.config().channels() == 1 ? image.mean(1, true).expand(-1, 3, -1, -1) : image;
      return Tensor.cat(0, image.maskedFill(visible.not(), 0.5), fills, whole);
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof Put.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (Put) model);
  }

  private static final class Use extends TrainedModel {
    private final Put model;

    Use(Path folder, Put model) {
      super(new InpaintingJob(), folder, model, null);
      this.model = model;
    }

    /** Measures the prediction of hidden patches with masks of the default kind. */
    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      Put.Config config = model.config();
      Path data = request.only();
      try (TemporaryFolder scratch = TemporaryFolder.create("images");
          ImageFile file =
              ImageReading.read(
                  ImageSource.unlabelled(data),
                  scratch.path(),
                  config.size(),
                  config.framing(),
                  progress)) {
        Metrics metrics = InpaintingTraining.evaluate(model, file, new RandomMasks());
        return EvaluationResult.of(data.toString(), file.count(), "images", metrics);
      }
    }
  }
}
