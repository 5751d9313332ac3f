package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.data.FrameSource;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.Picture;
import dev.jformer.data.image.PixelFrames;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.model.Model;
import dev.jformer.model.sequence.SequenceModel;
import dev.jformer.model.vision.Framing;
import dev.jformer.run.PixelClassificationJob.Grid;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.FrameClassification;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The job of classifying images as sequences of pixels by models that read numbers rather than
 * tokens, such as LMUFormer: the greys come row by row. Data and files are those of {@link
 * PixelClassificationJob}.
 */
@AutoService(Job.class)
public record PixelSequenceJob() implements Job {
  @Override
  public String type() {
    return "pixel-sequences";
  }

  @Override
  public Class<PixelData> data() {
    return PixelData.class;
  }

  @Override
  public Class<SequenceModel.Config> model() {
    return SequenceModel.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    PixelData data = (PixelData) recipe.data();
    ImageFile file = PixelClassificationJob.prepared(data, workspace);
    return new Data(data, file, workspace);
  }

  /**
   * Prepares images in memory, which are not closed with the data.
   *
   * @param data its side must be that of the images
   */
  public static PreparedData of(ImageFile images, PixelData data) {
    return new Data(data, images, null);
  }

  private static final class Data extends PreparedFrames {
    private final PixelData data;
    private final ImageFile file;
    private final Workspace workspace;

    Data(PixelData data, ImageFile file, Workspace workspace) {
      super(data.source(), file.header().classes(), 1, data.side() * data.side());
      this.data = data;
      this.file = file;
      this.workspace = workspace;
    }

    @Override
    public Job job() {
      return new PixelSequenceJob();
    }

    @Override
    FrameSource frames(Recipe recipe) {
      PixelData split = (PixelData) recipe.data();
      ImageSampler sampler =
          new ImageSampler(
              file,
              split.validation(),
              Augmentation.none(),
              recipe.training().batch(),
              recipe.training().seed());
      return new PixelFrames(sampler, data.levels());
    }

    @Override
    String unit() {
      return "images";
    }

    @Override
    public String fingerprint() {
      return file.header().fingerprint();
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      super.saveCompanions(folder);
      Grid grid = new Grid(data.side(), data.levels());
      AtomicFile.write(
          folder.resolve(PixelClassificationJob.FILE),
          Configs.toJson(grid).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
      if (workspace != null) {
        file.close();
        workspace.close();
      }
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return false; // only a folder tells it from a model of recordings
  }

  @Override
  public boolean owns(Path folder) {
    return Files.exists(folder.resolve(PixelClassificationJob.FILE));
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (SequenceModel) model);
  }

  private static final class Use extends TrainedModel {
    private final SequenceModel model;

    Use(Path folder, SequenceModel model) {
      super(new PixelSequenceJob(), folder, model, new SequencePasses());
      this.model = model;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      ClassNames classes = ClassNames.load(folder(), model.config().classes());
      Grid grid = PixelClassificationJob.grid(folder());
      Path data = request.only();
      try (TemporaryFolder scratch = TemporaryFolder.create("images");
          ImageFile file =
              PixelClassificationJob.read(data, scratch.path(), grid.side(), progress);
          Mode mode = Autograd.noGrad()) {
        Tensor numbers =
            Tensor.of(classes.numbers(file.header().classes(), data.toString())).to(DType.INT64);
        ClassificationScores scores = new ClassificationScores();
        ImageSampler.all(
            file,
            (images, labels) ->
                scores.add(
                    model.logits(PixelFrames.of(images, grid.levels())),
                    numbers.indexSelect(0, labels)));
        return EvaluationResult.of(data.toString(), scores.count(), "images", scores.metrics());
      }
    }

    @Override
    public List<Classification> classify(List<String> texts, List<Path> files) throws IOException {
      refuseTexts(texts, "images");
      ClassNames classes = ClassNames.load(folder(), model.config().classes());
      Grid grid = PixelClassificationJob.grid(folder());
      List<Classification> found = new ArrayList<>();
      for (Path file : files) {
        byte[] pixels = Picture.decode(file, grid.side(), new Framing());
        try (Scope scope = Scope.open()) {
          Tensor image = PixelClassificationJob.image(pixels, grid.side());
          Tensor frames = PixelFrames.of(image, grid.levels());
          double[] probabilities = FrameClassification.probabilities(model, frames);
          found.add(Classification.of(file.toString(), classes, probabilities));
        }
      }
      return found;
    }
  }
}
