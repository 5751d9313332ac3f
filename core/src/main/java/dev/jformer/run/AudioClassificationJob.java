package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.data.FrameSource;
import dev.jformer.data.audio.MelExtractor;
import dev.jformer.data.audio.MelSpectrogram;
import dev.jformer.data.audio.Recording;
import dev.jformer.data.audio.RecordingFeatures;
import dev.jformer.data.audio.RecordingSampler;
import dev.jformer.data.audio.RecordingSource;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.model.Model;
import dev.jformer.model.sequence.SequenceModel;
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
 * The job of classifying recordings, such as spoken words, by their mel spectrograms. Its folder
 * says in {@code audio.json} what the model reads.
 */
@AutoService(Job.class)
public record AudioClassificationJob() implements Job {
  private static final String FILE = "audio.json";

  @Override
  public String type() {
    return "audio-classification";
  }

  @Override
  public Class<AudioData> data() {
    return AudioData.class;
  }

  @Override
  public Class<SequenceModel.Config> model() {
    return SequenceModel.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    AudioData data = (AudioData) recipe.data();
    RecordingFeatures features =
        read(Path.of(data.source()), data.features(), workspace.progress());
    ClassNames classes = new ClassNames(features.classes());
    classes.requireTwo(data.source());
    classes.requireAsBefore(data.source(), "recordings", workspace);
    return new Data(data.source(), features, workspace);
  }

  /** Prepares recordings whose features are in memory. */
  public static PreparedData of(RecordingFeatures features) {
    return new Data("", features, null);
  }

  private static RecordingFeatures read(Path source, MelSpectrogram settings, Progress progress)
      throws IOException {
    RecordingSource recordings = RecordingSource.open(source);
    try (Progress.Work work =
        progress.begin("reading", recordings.entries().size(), "recordings")) {
      return RecordingFeatures.of(recordings, settings, work::at);
    }
  }

  private static final class Data extends PreparedFrames {
    private final RecordingFeatures features;
    private final Workspace workspace;

    Data(String source, RecordingFeatures features, Workspace workspace) {
      super(source, features.classes(), features.settings().bands(), features.settings().frames());
      this.features = features;
      this.workspace = workspace;
    }

    @Override
    public Job job() {
      return new AudioClassificationJob();
    }

    @Override
    FrameSource frames(Recipe recipe) {
      AudioData data = (AudioData) recipe.data();
      return new RecordingSampler(
          features,
          data.validation(),
          data.split(),
          data.hiding(),
          recipe.training().batch(),
          recipe.training().seed());
    }

    @Override
    String unit() {
      return "recordings";
    }

    @Override
    public String fingerprint() {
      return features.fingerprint();
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      super.saveCompanions(folder);
      String settings = Configs.toJson(features.settings());
      AtomicFile.write(folder.resolve(FILE), settings.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
      if (workspace != null) {
        workspace.close();
      }
    }
  }

  private static MelSpectrogram settings(Path folder) {
    if (!Files.exists(folder.resolve(FILE))) {
      throw new RunException(folder + " has no " + FILE + ": expected a classifier of recordings");
    }
    return Configs.read(folder.resolve(FILE), MelSpectrogram.class);
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof SequenceModel.Config;
  }

  @Override
  public boolean owns(Path folder) {
    return Files.exists(folder.resolve(FILE));
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (SequenceModel) model);
  }

  private static final class Use extends TrainedModel {
    private final SequenceModel model;

    Use(Path folder, SequenceModel model) {
      super(new AudioClassificationJob(), folder, model, new SequencePasses());
      this.model = model;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      ClassNames classes = ClassNames.load(folder(), model.config().classes());
      Path data = request.only();
      RecordingFeatures features = read(data, settings(folder()), progress);
      ClassificationScores scores = new ClassificationScores();
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor numbers =
            Tensor.of(classes.numbers(features.classes(), data.toString())).to(DType.INT64);
        RecordingSampler.all(
            features,
            (frames, labels) -> scores.add(model.logits(frames), numbers.indexSelect(0, labels)));
      }
      return EvaluationResult.of(data.toString(), scores.count(), "recordings", scores.metrics());
    }

    @Override
    public List<Classification> classify(List<String> texts, List<Path> files) throws IOException {
      refuseTexts(texts, "recordings");
      ClassNames classes = ClassNames.load(folder(), model.config().classes());
      MelSpectrogram settings = settings(folder());
      MelExtractor extractor = new MelExtractor(settings);
      List<Classification> found = new ArrayList<>();
      for (Path file : files) {
        float[] features = extractor.of(Recording.read(file));
        try (Scope scope = Scope.open()) {
          Tensor frames = Tensor.of(features, 1, settings.frames(), settings.bands());
          double[] probabilities = FrameClassification.probabilities(model, frames);
          found.add(Classification.of(file.toString(), classes, probabilities));
        }
      }
      return found;
    }
  }
}
