package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageGrid;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.diffusion.DiffusionModel;
import dev.jformer.tensor.Scope;
import dev.jformer.train.DiffusionTraining;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** The job of making images: a diffusion model learns images of classes. */
@AutoService(Job.class)
public record DiffusionJob() implements Job {
  @Override
  public String type() {
    return "diffusion";
  }

  @Override
  public Class<ImageData> data() {
    return ImageData.class;
  }

  @Override
  public Class<DiffusionModel.Config> model() {
    return DiffusionModel.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    ImageData data = (ImageData) recipe.data();
    check(recipe, data);
    DiffusionModel.Config model;
    try (PretrainedStart start = PretrainedStart.of(recipe)) {
      model = start.config(model());
    }
    ImageFile file =
        ImageReading.read(
            Path.of(data.source()),
            workspace.folder().resolve(RunFolder.DATA),
            model.size(),
            model.framing(),
            workspace.progress());
    try {
      ImageReading.keepClasses(file, data.source(), workspace);
      return new Data(data.source(), file, workspace);
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private static void check(Recipe recipe, ImageData data) {
    Augmentation changes = data.augmentation();
    if (changes.mixup() > 0 || changes.cutmix() > 0) {
      throw new RunException(
          "data.augmentation mixes images (mixup "
              + changes.mixup()
              + ", cutmix "
              + changes.cutmix()
              + "), so a model would learn to make mixtures: set both to 0");
    }
    if (data.smoothing() > 0) {
      throw new RunException(
          "data.smoothing is "
              + data.smoothing()
              + ", but a diffusion model predicts no classes: leave it 0");
    }
    if (recipe.training().recompute()) {
      throw new RunException(
          "training.recompute is true, but blocks of a diffusion model cannot be recomputed: their"
              + " condition needs a gradient; set it to false");
    }
  }

  /** Prepares images in memory, which are not closed with the data. */
  public static PreparedData of(ImageFile images) {
    return new Data("", images, null);
  }

  private static final class Data extends PreparedImages {
    /** Images in a row of a sample, and the most rows. */
    private static final int COLUMNS = 10;

    private static final int ROWS = 2;

    /** The least width and height of an image in a sample. */
    private static final int SHOWN = 48;

    Data(String source, ImageFile file, Workspace workspace) {
      super(source, file, workspace);
    }

    @Override
    public Job job() {
      return new DiffusionJob();
    }

    @Override
    public DiffusionModel.Config fit(Model.Config config) {
      DiffusionModel.Config images = (DiffusionModel.Config) config;
      requireSize(images.size(), "makes");
      return images.withClasses(file.header().classes().size());
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      ImageData data = (ImageData) recipe.data();
      return new DiffusionTraining(
          (DiffusionModel) model,
          new ImageSampler(
              file,
              data.validation(),
              data.augmentation(),
              recipe.training().batch(),
              recipe.training().seed()));
    }

    @Override
    public Set<String> ownWeights() {
      return Set.of(DiffusionModel.CLASSES);
    }

    @Override
    public DataSummary summary(Task task) {
      DiffusionTraining images = (DiffusionTraining) task;
      int classes = file.header().classes().size();
      return new DataSummary(
          source,
          "images",
          images.trainingImages(),
          images.heldOutImages(),
          classes == 1 ? "1 class" : classes + " classes");
    }

    /** Images of the first classes, one of each in a row. */
    @Override
    public byte[] picture(Model model) {
      DiffusionModel diffusion = (DiffusionModel) model;
      int columns = Math.min(COLUMNS, file.header().classes().size());
      int[] labels = new int[ROWS * columns];
      java.util.Arrays.setAll(labels, i -> i % columns);
      try (Scope scope = Scope.open()) {
        return ImageGrid.png(
            ImageGenerator.of(diffusion, labels, new ImageSampling(), done -> {}),
            columns,
            Math.max(1, SHOWN / diffusion.config().size()));
      }
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      new ClassNames(file.header().classes()).save(folder);
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof DiffusionModel.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (DiffusionModel) model);
  }

  private static final class Use extends TrainedModel {
    private final DiffusionModel model;

    Use(Path folder, DiffusionModel model) {
      super(new DiffusionJob(), folder, model, null);
      this.model = model;
    }

    @Override
    public boolean makesImages() {
      return true;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      DiffusionModel.Config config = model.config();
      ClassNames classes = ClassNames.load(folder(), config.classes());
      Path data = request.only();
      try (TemporaryFolder scratch = TemporaryFolder.create("images");
          ImageJudge judge =
              request.judging() == null ? null : ImageJudge.load(request.judging(), config.size());
          ImageFile file =
              ImageReading.read(data, scratch.path(), config.size(), config.framing(), progress)) {
        int[] numbers = classes.numbers(file.header().classes(), data.toString());
        Metrics metrics = DiffusionTraining.evaluate(model, file, numbers);
        if (judge != null) {
          metrics = metrics.with(judge.judge(model, file, numbers, progress));
        }
        return EvaluationResult.of(data.toString(), file.count(), "images", metrics);
      }
    }
  }
}
