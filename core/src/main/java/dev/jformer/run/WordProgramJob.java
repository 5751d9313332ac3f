package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.label.LabelledSequence;
import dev.jformer.data.label.LabelledSequences;
import dev.jformer.data.label.LabelledWords;
import dev.jformer.data.label.WordEncoder;
import dev.jformer.data.label.WordSequences;
import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.text.TaggedTexts;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.program.TransformerProgram;
import dev.jformer.program.LabelKind;
import dev.jformer.program.LabelScheme;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.train.SequenceLabelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * The job of learning a program that reads words: a Transformer Program labels the words of
 * sentences, such as named entities, or texts as a whole, such as questions by what they ask for.
 * Its folder has the words and labels in {@code words.json}.
 */
@AutoService(Job.class)
public record WordProgramJob() implements Job {
  static final String FILE = "words.json";
  private static final long SPLIT_SEED = 20;

  /** What a program of words needs at least: the token before them, and one word. */
  private static final int SHORTEST = 2;

  @Override
  public String type() {
    return "word-program";
  }

  @Override
  public Class<LabelledWordData> data() {
    return LabelledWordData.class;
  }

  @Override
  public Class<TransformerProgram.Config> model() {
    return TransformerProgram.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    LabelledWordData data = (LabelledWordData) recipe.data();
    LabelKind kind = kind(data);
    Texts texts = Texts.read(data, kind, workspace.progress());
    LabelScheme scheme =
        WordEncoder.scheme(kind, texts.training(), data.least(), Integer.MAX_VALUE);
    new ClassNames(scheme.labels()).requireTwo(data.source());
    return new Data(data, scheme, texts, workspace);
  }

  /** The texts to learn from and those that are held out. */
  private record Texts(List<LabelledWords> training, List<LabelledWords> heldOut) {
    static Texts read(LabelledWordData data, LabelKind kind, Progress progress) {
      List<LabelledWords> all = new ArrayList<>(words(data.source(), kind, progress));
      if (!data.heldOut().isEmpty()) {
        return new Texts(all, words(data.heldOut(), kind, progress));
      }
      Collections.shuffle(all, new Random(SPLIT_SEED));
      int count = (int) Math.round(data.validation() * all.size());
      return new Texts(List.copyOf(all.subList(count, all.size())), all.subList(0, count));
    }
  }

  private static LabelKind kind(LabelledWordData data) {
    return switch (data.format()) {
      case TAGGED -> LabelKind.WORDS;
      case LABELLED -> LabelKind.TEXTS;
      case AUTO -> TaggedTexts.areIn(Path.of(data.source())) ? LabelKind.WORDS : LabelKind.TEXTS;
    };
  }

  private static List<LabelledWords> words(String file, LabelKind kind, Progress progress) {
    return kind == LabelKind.WORDS
        ? LabelledWords.of(TaggedTexts.read(Path.of(file)))
        : LabelledWords.of(LabelledTexts.read(Path.of(file), false, List.of(), progress::remark));
  }

  /** Encodes texts, and tells of those that are too long. */
  private static List<LabelledSequence> encode(
      LabelScheme scheme, List<LabelledWords> texts, String source, Progress progress) {
    WordEncoder encoder = new WordEncoder(scheme);
    long longer = encoder.longer(texts);
    if (longer > 0) {
      boolean pieces = scheme.kind() == LabelKind.WORDS;
      progress.remark(
          longer
              + " of "
              + texts.size()
              + " texts in "
              + source
              + " are longer than the model's "
              + scheme.mostInputs()
              + " words and "
              + (pieces ? "read in pieces" : "cut off")
              + " (model.length)");
    }
    return encoder.encode(texts, source);
  }

  /** A configuration of a trained program that reads words. */
  private static int length(TransformerProgram.Config config) {
    if (config.length() < SHORTEST) {
      throw new RunException(
          "model.length is "
              + config.length()
              + ": expected at least "
              + SHORTEST
              + ", a token before the words and one word");
    }
    return config.length();
  }

  /** What the folder of a model keeps of its training. */
  record Origin(LabelledWordData data, LabelKind kind, List<String> tokens, List<String> labels) {
    /** For reading. */
    Origin() {
      this(new LabelledWordData(), LabelKind.WORDS, List.of(), List.of());
    }

    LabelScheme scheme(int length) {
      return new LabelScheme(tokens, labels, length, false, kind);
    }
  }

  private record Data(LabelledWordData data, LabelScheme scheme, Texts texts, Workspace workspace)
      implements PreparedData {
    @Override
    public Job job() {
      return new WordProgramJob();
    }

    @Override
    public TransformerProgram.Config fit(Model.Config config) {
      TransformerProgram.Config program = (TransformerProgram.Config) config;
      return ProgramJob.fitted(program, scheme.withLength(length(program)));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      TransformerProgram program = (TransformerProgram) model;
      LabelScheme own = scheme.withLength(program.config().length());
      String other = data.heldOut().isEmpty() ? data.source() : data.heldOut();
      return new SequenceLabelling<>(
          TransformerProgram.class,
          program,
          new WordSequences(
              own,
              encode(own, texts.training(), data.source(), workspace.progress()),
              encode(own, texts.heldOut(), other, workspace.progress()),
              data.unknown(),
              recipe.training().batch(),
              recipe.training().seed()));
    }

    @Override
    public String fingerprint() {
      String all = scheme.toString() + texts;
      return Fingerprint.of(all.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      Origin theirs = Use.origin(folder);
      if (!theirs.tokens().equals(scheme.tokens()) || !theirs.labels().equals(scheme.labels())) {
        throw new RunException(
            "the teacher in "
                + folder
                + " knows other words or labels: expected one that learned from the same file");
      }
      return 0;
    }

    @Override
    public DataSummary summary(Task task) {
      return new DataSummary(
          data.source(),
          SequenceLabelling.unit(scheme.kind()),
          texts.training().size(),
          texts.heldOut().size(),
          "%,d words and %d labels".formatted(scheme.tokens().size(), scheme.labels().size()));
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      Origin origin = new Origin(data, scheme.kind(), scheme.tokens(), scheme.labels());
      AtomicFile.write(
          folder.resolve(FILE), Configs.toJson(origin).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
      workspace.close();
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return false; // only a folder tells it from a program of made sequences
  }

  @Override
  public boolean owns(Path folder) {
    return Files.exists(folder.resolve(FILE));
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (TransformerProgram) model);
  }

  private static final class Use extends TrainedProgram {
    Use(Path folder, TransformerProgram model) {
      super(new WordProgramJob(), folder, model);
    }

    static Origin origin(Path folder) {
      if (!Files.exists(folder.resolve(FILE))) {
        throw new RunException(
            folder + " has no " + FILE + ": expected a program that was trained on words");
      }
      return Configs.read(folder.resolve(FILE), Origin.class);
    }

    private LabelScheme scheme(Origin origin) {
      return origin.scheme(program().config().length());
    }

    /** Those of its training, from the file that it was trained on. */
    @Override
    LabelledSequences sequences() {
      Origin origin = origin(folder());
      String file = origin.data().source();
      if (!Files.exists(Path.of(file))) {
        throw new RunException(
            "there is no file "
                + file
                + ", which the model in "
                + folder()
                + " was trained on: a program is made shorter by it, so put it back");
      }
      LabelScheme scheme = scheme(origin);
      List<LabelledWords> training =
          Texts.read(origin.data(), origin.kind(), Progress.none()).training();
      List<LabelledSequence> all = encode(scheme, training, file, Progress.none());
      return new WordSequences(scheme, all, all, 0, 1, 0);
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      Origin origin = origin(folder());
      LabelScheme scheme = scheme(origin);
      String file = request.only().toString();
      List<LabelledWords> texts = words(file, origin.kind(), progress);
      List<LabelledSequence> sequences = encode(scheme, texts, file, progress);
      try (Mode mode = Autograd.inference()) {
        Metrics metrics = SequenceLabelling.evaluate(program(), scheme, sequences);
        return EvaluationResult.of(
            file, texts.size(), SequenceLabelling.unit(scheme.kind()), metrics);
      }
    }
  }
}
