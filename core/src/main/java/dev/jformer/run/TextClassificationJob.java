package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.train.Task;
import dev.jformer.train.TextClassification;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The job of text classification: an encoder learns the labels of texts, from random weights or
 * from those of a masked language model.
 */
@AutoService(Job.class)
public record TextClassificationJob() implements Job {
  @Override
  public String type() {
    return "text-classification";
  }

  @Override
  public Class<LabelledTextData> data() {
    return LabelledTextData.class;
  }

  @Override
  public Class<Encoder.Config> model() {
    return Encoder.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    LabelledTextData data = (LabelledTextData) recipe.data();
    LabelledTexts texts =
        LabelledTexts.read(
            Path.of(data.source()), data.header(), List.of(), workspace.progress()::remark);
    ClassNames classes = new ClassNames(texts.classes()).inOrderOf(recipe.relative());
    Path folder = workspace.folder();
    if (classes.classes().size() < 2) {
      throw new RunException(
          data.source() + " has one label only, " + classes.classes() + ": expected two or more");
    }
    if (workspace.isResumed()
        && ClassNames.exists(folder)
        && !ClassNames.load(folder).equals(classes)) {
      throw new RunException(
          data.source()
              + " has other labels than the run in "
              + folder
              + " began with: restore the old file, or start again with --overwrite");
    }
    PretrainedStart.copyTokenizer(recipe, folder);
    TextData plain =
        new TextData(data.source(), List.of(), data.tokenizer(), data.vocabulary(), 0.5, 0);
    Tokenizer tokenizer = new TextPreparation(plain, workspace).tokenizer();
    classes.save(folder);
    return new Data(data.source(), texts, classes, tokenizer, workspace);
  }

  /** Prepares texts in memory. */
  public static PreparedData of(LabelledTexts texts, Tokenizer tokenizer) {
    return new Data("texts", texts, new ClassNames(texts.classes()), tokenizer, null);
  }

  private record Data(
      String source,
      LabelledTexts texts,
      ClassNames classes,
      Tokenizer tokenizer,
      Workspace workspace)
      implements PreparedData {
    @Override
    public Job job() {
      return new TextClassificationJob();
    }

    @Override
    public Encoder.Config fit(Model.Config config) {
      Encoder.Config encoder = (Encoder.Config) config;
      return encoder
          .sized(tokenizer.vocabularySize(), classes.classes().size())
          .with(c -> c.classifier(encoder.classifier().ofTexts()));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      Encoder encoder = (Encoder) model;
      return new TextClassification(
          encoder,
          EncodedTexts.examples(texts, classes, tokenizer, encoder.config().length(), source),
          ((LabelledTextData) recipe.data()).validation(),
          recipe.training().batch(),
          recipe.training().seed());
    }

    @Override
    public String fingerprint() {
      return Fingerprint.of(texts.toString().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      SharedVocabulary.check(tokenizer, folder);
      return classes.checkTeacher(folder);
    }

    @Override
    public DataSummary summary(Task task) {
      TextClassification texts = (TextClassification) task;
      return new DataSummary(
          source,
          "texts",
          texts.trainingTexts(),
          texts.heldOutTexts(),
          classes.classes().size() + " classes");
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      classes.save(folder);
      if (!Files.exists(folder.resolve(Tokenizer.FILE))) {
        tokenizer.save(folder);
      }
    }

    @Override
    public void close() {
      if (workspace != null) {
        workspace.close();
      }
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof Encoder.Config encoder
        && encoder.labels() > 0
        && !encoder.classifier().labelsTokens();
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (Encoder) model);
  }

  /** A trained classifier of texts. */
  static final class Use extends TrainedModel {
    private final Encoder model;

    Use(Path folder, Encoder model) {
      super(new TextClassificationJob(), folder, model, new EncoderPasses());
      this.model = model;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      ClassNames classes = ClassNames.load(folder(), model.config().labels());
      Path file = request.only();
      LabelledTexts texts = LabelledTexts.read(file, false, classes.classes(), progress::remark);
      int longest = model.config().length();
      ClassificationScores scores =
          TextClassification.evaluate(
              model,
              EncodedTexts.examples(
                  texts, classes, Tokenizers.load(folder()), longest, file.toString()));
      return EvaluationResult.of(file.toString(), scores.count(), "texts", scores.metrics());
    }

    @Override
    void calibrate(CalibrationBatches batches, Path data, List<String> endings) throws IOException {
      ClassNames names = ClassNames.exists(folder()) ? ClassNames.load(folder()) : new ClassNames();
      LabelledTexts labelled = LabelledTexts.read(data, false, names.classes(), remark -> {});
      List<Integer> classes = List.of();
      if (!names.classes().isEmpty()) {
        int[] numbers = names.numbers(labelled.classes(), data.toString());
        classes = labelled.labels().stream().map(label -> numbers[label]).toList();
      }
      EncodedTexts.calibrate(batches, model, Tokenizers.load(folder()), labelled.texts(), classes);
    }

    @Override
    public List<Classification> classify(List<String> texts, List<Path> files) throws IOException {
      return classify(EncodedTexts.lines(texts, files));
    }

    /** The names of the classes. */
    List<String> labels() {
      return ClassNames.load(folder(), model.config().labels()).classes();
    }

    /** Classifies texts. */
    List<Classification> classify(List<String> texts) {
      ClassNames classes = ClassNames.load(folder(), model.config().labels());
      Tokenizer tokenizer = Tokenizers.load(folder());
      List<Classification> found = new ArrayList<>();
      for (String text : texts) {
        int[] ids = tokenizer.encodeWhole(text, model.config().length());
        if (ids.length == 0) {
          throw new RunException("a text is empty: expected one with at least one token");
        }
        found.add(Classification.of(text, classes, TextClassification.probabilities(model, ids)));
      }
      return found;
    }
  }
}
