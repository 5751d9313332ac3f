package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.Picture;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.model.Model;
import dev.jformer.model.vision.Framing;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The job of image classification: a model learns the classes of images. */
@AutoService(Job.class)
public record ImageClassificationJob() implements Job {
  @Override
  public String type() {
    return "image-classification";
  }

  @Override
  public Class<ImageData> data() {
    return ImageData.class;
  }

  @Override
  public Class<ImageModel.Config> model() {
    return ImageModel.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    ImageData data = (ImageData) recipe.data();
    Path folder = workspace.folder();
    ImageModel.Config images;
    try (PretrainedStart start = PretrainedStart.of(recipe)) {
      images = start.config(model());
    }
    ImageFile file =
        ImageReading.read(
            Path.of(data.source()),
            folder.resolve(RunFolder.DATA),
            images.size(),
            images.framing(),
            workspace.progress());
    try {
      new ClassNames(file.header().classes()).requireTwo(data.source());
      ImageReading.keepClasses(file, data.source(), workspace);
      return new Data(data.source(), file, workspace);
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  /** Prepares images in memory, which are not closed with the data. */
  public static PreparedData of(ImageFile images) {
    return new Data("", images, null);
  }

  private static final class Data extends PreparedImages {
    Data(String source, ImageFile file, Workspace workspace) {
      super(source, file, workspace);
    }

    @Override
    public Job job() {
      return new ImageClassificationJob();
    }

    @Override
    public ImageModel.Config fit(Model.Config config) {
      ImageModel.Config images = (ImageModel.Config) config;
      requireSize(images.size(), "takes");
      return images.withClasses(file.header().classes().size());
    }

    @Override
    public Model build(Model.Config config, Recipe recipe) {
      ImageModel made = (ImageModel) config.build();
      try (Scope scope = Scope.open()) {
        Tensor[] channels = sampler(recipe).channels();
        made.standardise(channels[0], channels[1]);
        return made;
      } catch (RuntimeException | Error e) {
        made.close();
        throw e;
      }
    }

    private ImageSampler sampler(Recipe recipe) {
      ImageData data = (ImageData) recipe.data();
      return new ImageSampler(
          file,
          data.validation(),
          data.augmentation(),
          recipe.training().batch(),
          recipe.training().seed());
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      double smoothing = ((ImageData) recipe.data()).smoothing();
      return new ImageClassification((ImageModel) model, sampler(recipe), smoothing);
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      int size = ((ImageModel) teacher).config().size();
      if (size != file.header().size()) {
        throw new RunException(
            "the teacher in "
                + folder
                + " takes images of "
                + size
                + " pixels a side, the student of "
                + file.header().size()
                + ": set model.size to the teacher's");
      }
      return new ClassNames(file.header().classes()).checkTeacher(folder);
    }

    @Override
    public DataSummary summary(Task task) {
      ImageClassification images = (ImageClassification) task;
      return new DataSummary(
          source,
          "images",
          images.trainingImages(),
          images.heldOutImages(),
          file.header().classes().size() + " classes");
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      new ClassNames(file.header().classes()).save(folder);
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof ImageModel.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (ImageModel) model);
  }

  /** A trained classifier of images. */
  static final class Use extends TrainedModel {
    private final ImageModel model;

    Use(Path folder, ImageModel model) {
      super(new ImageClassificationJob(), folder, model, new Passes());
      this.model = model;
    }

    private int size() {
      return model.config().size();
    }

    private Framing framing() {
      return model.config().framing();
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      ClassNames classes = ClassNames.load(folder(), model.config().classes());
      Path data = request.only();
      try (TemporaryFolder scratch = TemporaryFolder.create("images");
          ImageFile file = ImageReading.read(data, scratch.path(), size(), framing(), progress)) {
        int[] numbers = classes.numbers(file.header().classes(), data.toString());
        ClassificationScores scores = ImageClassification.evaluate(model, file, numbers);
        return EvaluationResult.of(data.toString(), scores.count(), "images", scores.metrics());
      }
    }

    @Override
    void calibrate(CalibrationBatches batches, Path data, List<String> endings) throws IOException {
      try (TemporaryFolder scratch = TemporaryFolder.create("images");
          ImageFile file =
              ImageReading.read(data, scratch.path(), size(), framing(), batches.progress())) {
        int[] numbers =
            ClassNames.exists(folder())
                ? ClassNames.load(folder()).numbers(file.header().classes(), data.toString())
                : null;
        ImageSampler.all(
            file,
            (images, labels) -> {
              Tensor targets =
                  numbers == null
                      ? null
                      : Tensor.of(numbers).to(DType.INT64).indexSelect(0, labels);
              batches.add(images, null, targets);
            });
      }
    }

    /** The names of the classes. */
    List<String> labels() {
      return ClassNames.load(folder(), model.config().classes()).classes();
    }

    @Override
    public List<Classification> classify(List<String> texts, List<Path> files) throws IOException {
      refuseTexts(texts, "images");
      ClassNames classes = ClassNames.load(folder(), model.config().classes());
      List<Classification> found = new ArrayList<>();
      for (Path file : files) {
        byte[] pixels = Picture.decode(file, model.config().size(), model.config().framing());
        found.add(
            Classification.of(
                file.toString(), classes, ImageClassification.probabilities(model, pixels)));
      }
      return found;
    }
  }

  private static final class Passes implements ForwardPasses {
    @Override
    public Tensor forward(Model model, Tensor input, Tensor paddingMask) {
      return ((ImageModel) model).logits(input);
    }

    @Override
    public Tensor input(Model model, int batch) {
      long size = ((ImageModel) model).config().size();
      return Tensor.rand(batch, ImageModel.CHANNELS, size, size);
    }

    @Override
    public String unit() {
      return "images";
    }

    @Override
    public long units(Model model) {
      return 1;
    }
  }
}
