package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.data.algorithm.Classified;
import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.run.AlgorithmJob.Origin;
import dev.jformer.train.Task;
import dev.jformer.train.TextClassification;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The job of classifying long sequences that are made, such as nested lists or images of paths: an
 * encoder learns the classes of a problem's prompts. Its folder has the problem in {@code
 * problem.json}.
 */
@AutoService(Job.class)
public record SequenceClassificationJob() implements Job {
  @Override
  public String type() {
    return "sequence-classification";
  }

  @Override
  public Class<AlgorithmData> data() {
    return AlgorithmData.class;
  }

  @Override
  public Class<Encoder.Config> model() {
    return Encoder.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    AlgorithmData data = (AlgorithmData) recipe.data();
    return new Data(data, classified(data), recipe.training().seed(), workspace);
  }

  private static Classified classified(AlgorithmData data) {
    if (data.problem() instanceof Classified classified) {
      return classified;
    }
    throw new RunException(
        "an encoder classifies sequences, but the problem "
            + data.problem().type()
            + " has no classes: expected data.problem to be "
            + String.join(
                " or ",
                Configs.parts(Problem.class).values().stream()
                    .filter(Classified.class::isInstance)
                    .map(Problem::type)
                    .toList()));
  }

  private static List<TextClassification.Example> encoded(
      Classified problem, List<Example> examples) {
    List<String> tokens = problem.tokens();
    List<TextClassification.Example> encoded = new ArrayList<>();
    for (Example example : examples) {
      int[] ids = example.prompt().stream().mapToInt(tokens::indexOf).toArray();
      int label = problem.classes().indexOf(example.answer().get(0));
      encoded.add(new TextClassification.Example(ids, label));
    }
    return encoded;
  }

  private record Data(AlgorithmData data, Classified problem, long seed, Workspace workspace)
      implements MadeData {
    @Override
    public Job job() {
      return new SequenceClassificationJob();
    }

    @Override
    public Encoder.Config fit(Model.Config config) {
      Encoder.Config encoder = (Encoder.Config) config;
      return encoder
          .sized(problem.tokens().size(), problem.classes().size())
          .with(c -> c.length(problem.longest()).classifier(encoder.classifier().ofTexts()));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      Examples examples = new Examples(problem, data.samples(), recipe.training().batch(), seed);
      return new TextClassification(
          (Encoder) model,
          examples.samples(),
          index -> encoded(problem, examples.training(index)),
          examples.batch(),
          encoded(problem, examples.heldOut(data.heldOut())),
          "sequences");
    }

    @Override
    public Origin origin() {
      return new Origin(data, seed);
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      Problem theirs = Use.origin(folder).data().problem();
      if (!(theirs instanceof Classified other)
          || !other.tokens().equals(problem.tokens())
          || !other.classes().equals(problem.classes())) {
        throw new RunException(
            "the teacher in "
                + folder
                + " learned the problem "
                + theirs.type()
                + ": expected one with the symbols and classes of "
                + problem.type());
      }
      return 0;
    }

    @Override
    public DataSummary summary(Task task) {
      return new DataSummary(
          problem.type(),
          "sequences",
          data.samples(),
          data.heldOut(),
          problem.classes().size()
              + " classes"
              + (data.samples() == 0 ? ", new sequences always" : ""));
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      MadeData.super.saveCompanions(folder);
      new ClassNames(problem.classes()).save(folder);
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return false; // only a folder tells it from a model of texts
  }

  @Override
  public boolean owns(Path folder) {
    return ProblemFile.isIn(folder);
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (Encoder) model);
  }

  private static final class Use extends MadeDataModel<Origin> {
    private final Encoder model;

    Use(Path folder, Encoder model) {
      super(
          new SequenceClassificationJob(),
          folder,
          model,
          new EncoderPasses(),
          Origin.class,
          "classifies sequences that are made",
          "what the classes are");
      this.model = model;
    }

    static Origin origin(Path folder) {
      return ProblemFile.read(
          folder,
          Origin.class,
          folder + " has no " + ProblemFile.NAME + ": expected a run on made sequences");
    }

    @Override
    EvaluationResult measure(Origin origin) {
      Classified problem = classified(origin.data());
      List<Example> heldOut =
          new Examples(problem, 0, 1, origin.seed()).heldOut(origin.data().heldOut());
      ClassificationScores scores = TextClassification.evaluate(model, encoded(problem, heldOut));
      return EvaluationResult.of(problem.type(), scores.count(), "sequences", scores.metrics());
    }

    /** Classifies sequences whose symbols stand side by side, or apart where there are spaces. */
    @Override
    public List<Classification> classify(List<String> texts, List<Path> files) throws IOException {
      Classified problem = classified(origin(folder()).data());
      List<Classification> found = new ArrayList<>();
      for (String text : EncodedTexts.lines(texts, files)) {
        double[] probabilities = TextClassification.probabilities(model, ids(problem, text));
        found.add(Classification.of(text, new ClassNames(problem.classes()), probabilities));
      }
      return found;
    }

    private static int[] ids(Classified problem, String text) {
      List<String> tokens = problem.tokens();
      String[] symbols =
          problem.separator().isEmpty() ? text.split("") : text.strip().split("\\s+");
      if (text.isBlank() || symbols.length > problem.longest()) {
        throw new RunException(
            "a sequence has "
                + (text.isBlank() ? 0 : symbols.length)
                + " symbols: expected 1 to "
                + problem.longest());
      }
      return Arrays.stream(symbols)
          .mapToInt(
              symbol -> {
                if (!tokens.contains(symbol)) {
                  throw new RunException(
                      "'"
                          + symbol
                          + "' is no symbol of "
                          + problem.type()
                          + ": there are "
                          + tokens);
                }
                return tokens.indexOf(symbol);
              })
          .toArray();
    }
  }
}
