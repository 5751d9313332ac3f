package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.GreyPixels;
import dev.jformer.data.image.ImageBatch;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.ImageSource;
import dev.jformer.data.image.Picture;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.Framing;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import dev.jformer.train.TextClassification;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The job of classifying images as sequences of pixels: an encoder reads the greys row by row and
 * learns the class, as in <a href="https://arxiv.org/abs/2011.04006">Long Range Arena</a>. Its
 * folder has the size and the number of greys in {@code pixels.json}.
 */
@AutoService(Job.class)
public record PixelClassificationJob() implements Job {
  static final String FILE = "pixels.json";

  @Override
  public String type() {
    return "pixel-classification";
  }

  @Override
  public Class<PixelData> data() {
    return PixelData.class;
  }

  @Override
  public Class<Encoder.Config> model() {
    return Encoder.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    PixelData data = (PixelData) recipe.data();
    return new Data(data.source(), data, prepared(data, workspace), workspace);
  }

  /** Prepares the images of a recipe. */
  static ImageFile prepared(PixelData data, Workspace workspace) throws IOException {
    Path folder = workspace.folder();
    ImageFile file =
        read(
            Path.of(data.source()),
            folder.resolve(RunFolder.DATA),
            data.side(),
            workspace.progress());
    try {
      ClassNames classes = new ClassNames(file.header().classes());
      classes.requireTwo(data.source());
      classes.requireAsBefore(data.source(), "images", workspace);
      return file;
    } catch (RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  /**
   * Prepares images in memory, which are not closed with the data.
   *
   * @param data its side must be that of the images
   */
  public static PreparedData of(ImageFile images, PixelData data) {
    if (images.header().size() != data.side()) {
      throw new RunException(
          "the images are of "
              + images.header().size()
              + " pixels a side: expected "
              + data.side());
    }
    return new Data("", data, images, null);
  }

  static ImageFile read(Path source, Path place, int side, Progress progress) throws IOException {
    ImageSource images = ImageSource.open(source);
    try (Progress.Work work = progress.begin("reading", images.count(), "images")) {
      return ImageFile.prepare(place, images, side, work::at);
    }
  }

  /** The greys and labels of images. */
  private static List<TextClassification.Example> examples(
      Tensor images, Tensor labels, int levels) {
    int[][] rows = GreyPixels.of(images, levels);
    double[] classes = labels.toDoubles();
    List<TextClassification.Example> examples = new ArrayList<>();
    for (int i = 0; i < rows.length; i++) {
      examples.add(new TextClassification.Example(rows[i], (int) classes[i]));
    }
    return examples;
  }

  /** Measures a model on all images of a file. */
  public static ClassificationScores evaluate(Encoder model, ImageFile images, int levels) {
    List<TextClassification.Example> all = new ArrayList<>();
    ImageSampler.all(images, (pixels, labels) -> all.addAll(examples(pixels, labels, levels)));
    return TextClassification.evaluate(model, all);
  }

  /** What a model's folder keeps of its data. */
  record Grid(int side, int levels) {
    /** For reading. */
    Grid() {
      this(16, 16);
    }
  }

  private record Data(String source, PixelData data, ImageFile file, Workspace workspace)
      implements PreparedData {
    @Override
    public Job job() {
      return new PixelClassificationJob();
    }

    @Override
    public Encoder.Config fit(Model.Config config) {
      Encoder.Config encoder = (Encoder.Config) config;
      return encoder
          .sized(data.levels(), file.header().classes().size())
          .with(
              c -> c.length(data.side() * data.side()).classifier(encoder.classifier().ofTexts()));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      ImageSampler sampler =
          new ImageSampler(
              file,
              ((PixelData) recipe.data()).validation(),
              Augmentation.none(),
              recipe.training().batch(),
              recipe.training().seed());
      List<TextClassification.Example> heldOut = new ArrayList<>();
      sampler.heldOut((images, labels) -> heldOut.addAll(examples(images, labels, data.levels())));
      return new TextClassification(
          (Encoder) model,
          sampler.trainingImages(),
          index -> batch(sampler, index),
          sampler.batch(),
          heldOut,
          "images");
    }

    private List<TextClassification.Example> batch(ImageSampler sampler, long index) {
      try (Scope scope = Scope.open()) {
        ImageBatch batch = sampler.batch(index);
        Tensor images = batch.images().to(DType.FLOAT32);
        return examples(images, batch.targets().argmax(1), data.levels());
      }
    }

    @Override
    public String fingerprint() {
      return file.header().fingerprint();
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      Grid own = new Grid(data.side(), data.levels());
      if (!grid(folder).equals(own)) {
        throw new RunException(
            "the teacher in " + folder + " reads " + grid(folder) + ": expected " + own);
      }
      return new ClassNames(file.header().classes()).checkTeacher(folder);
    }

    @Override
    public DataSummary summary(Task task) {
      TextClassification images = (TextClassification) task;
      return new DataSummary(
          source,
          "images",
          images.trainingTexts(),
          images.heldOutTexts(),
          file.header().classes().size() + " classes");
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      new ClassNames(file.header().classes()).save(folder);
      AtomicFile.write(
          folder.resolve(FILE),
          Configs.toJson(new Grid(data.side(), data.levels())).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
      if (workspace != null) {
        file.close();
        workspace.close();
      }
    }
  }

  /** The pixels of a picture as the model reads them: [1, 3, side, side], 0 to 1. */
  static Tensor image(byte[] pixels, int side) {
    Tensor bytes = Tensor.of(pixels, 1, Picture.CHANNELS, side, side);
    return bytes.viewAs(DType.UINT8).to(DType.FLOAT32).div(255);
  }

  static Grid grid(Path folder) {
    if (!Files.exists(folder.resolve(FILE))) {
      throw new RunException(folder + " has no " + FILE + ": expected a classifier of pixels");
    }
    return Configs.read(folder.resolve(FILE), Grid.class);
  }

  @Override
  public boolean uses(Model.Config trained) {
    return false; // only a folder tells it from a model of texts
  }

  @Override
  public boolean owns(Path folder) {
    return Files.exists(folder.resolve(FILE));
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (Encoder) model);
  }

  private static final class Use extends TrainedModel {
    private final Encoder model;

    Use(Path folder, Encoder model) {
      super(new PixelClassificationJob(), folder, model, new EncoderPasses());
      this.model = model;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      ClassNames classes = ClassNames.load(folder(), model.config().labels());
      Grid grid = grid(folder());
      Path data = request.only();
      try (TemporaryFolder scratch = TemporaryFolder.create("images");
          ImageFile file = read(data, scratch.path(), grid.side(), progress)) {
        int[] numbers = classes.numbers(file.header().classes(), data.toString());
        List<TextClassification.Example> all = new ArrayList<>();
        Tensor renamed = Tensor.of(numbers).to(DType.INT64);
        ImageSampler.all(
            file,
            (images, labels) ->
                all.addAll(examples(images, renamed.indexSelect(0, labels), grid.levels())));
        ClassificationScores scores = TextClassification.evaluate(model, all);
        return EvaluationResult.of(data.toString(), scores.count(), "images", scores.metrics());
      }
    }

    @Override
    public List<Classification> classify(List<String> texts, List<Path> files) throws IOException {
      refuseTexts(texts, "images");
      ClassNames classes = ClassNames.load(folder(), model.config().labels());
      Grid grid = grid(folder());
      List<Classification> found = new ArrayList<>();
      for (Path file : files) {
        byte[] pixels = Picture.decode(file, grid.side(), new Framing());
        try (Scope scope = Scope.open()) {
          Tensor image = image(pixels, grid.side());
          int[] ids = GreyPixels.of(image, grid.levels())[0];
          double[] probabilities = TextClassification.probabilities(model, ids);
          found.add(Classification.of(file.toString(), classes, probabilities));
        }
      }
      return found;
    }
  }
}
