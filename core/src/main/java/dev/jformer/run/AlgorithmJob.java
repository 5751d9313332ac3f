package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.Alphabet;
import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.ExampleRows;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.ProblemTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.decode.AnswerScores;
import dev.jformer.decode.AnswerValidation;
import dev.jformer.decode.GreedyAnswers;
import dev.jformer.io.AtomicFile;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.train.AnswerModelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The job of learning an algorithm: a causal language model answers the prompts of a problem, such
 * as additions. Its folder has the problem and how it is held out in {@code problem.json}.
 */
@AutoService(Job.class)
public record AlgorithmJob() implements Job {
  @Override
  public String type() {
    return "algorithm";
  }

  @Override
  public Class<AlgorithmData> data() {
    return AlgorithmData.class;
  }

  @Override
  public Class<CausalLm.Config> model() {
    return CausalLm.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    return new Data((AlgorithmData) recipe.data(), recipe.training().seed(), workspace);
  }

  /** What a model's folder keeps of its training: the data, and the seed that it is drawn by. */
  record Origin(AlgorithmData data, long seed) {
    /** For reading. */
    Origin() {
      this(new AlgorithmData(), 0);
    }
  }

  private record Data(AlgorithmData data, long seed, Workspace workspace) implements MadeData {
    @Override
    public Job job() {
      return new AlgorithmJob();
    }

    @Override
    public Origin origin() {
      return new Origin(data, seed);
    }

    @Override
    public CausalLm.Config fit(Model.Config config) {
      return ((CausalLm.Config) config).withVocab(new Alphabet(data.problem()).size());
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      Examples examples =
          new Examples(data.problem(), data.samples(), recipe.training().batch(), seed);
      CausalLm lm = (CausalLm) model;
      return new AnswerValidation(
          new AnswerModelling(
              lm,
              data.problem(),
              examples,
              data.heldOut(),
              new ExampleRows(data.prompts(), data.packed())),
          lm);
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      Path file = folder.resolve(Tokenizer.FILE);
      try {
        String theirs = Files.exists(file) ? Files.readString(file) : "";
        if (!theirs.equals(ProblemTokenizer.json(data.problem()))) {
          throw new RunException(
              "the teacher in "
                  + folder
                  + " has other symbols than the problem '"
                  + data.problem().type()
                  + "': expected one that learned the same problem");
        }
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + file, e);
      }
      return 0;
    }

    @Override
    public DataSummary summary(Task task) {
      AnswerModelling answers = ((AnswerValidation) task).task();
      return new DataSummary(
          data.problem().type(),
          "examples",
          answers.samples(),
          answers.heldOut().size(),
          answers.samples() == 0 ? "new ones always" : "");
    }

    /** The first prompt that is held out, with the model's answer. */
    @Override
    public String sample(Model model, String prompt) {
      Alphabet alphabet = new Alphabet(data.problem());
      Example example = new Examples(data.problem(), 0, 1, seed).heldOut(1).get(0);
      int[] answer =
          new GreedyAnswers((CausalLm) model, 1)
              .of(
                  List.of(alphabet.ids(example.prompt())),
                  data.problem().mostSymbols(),
                  alphabet::isComplete)
              .get(0);
      String separator = data.problem().separator();
      return String.join(separator, example.prompt())
          + separator
          + String.join(separator, alphabet.known(answer)).strip();
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      MadeData.super.saveCompanions(folder);
      write(folder.resolve(Tokenizer.FILE), ProblemTokenizer.json(data.problem()));
      int end = new Alphabet(data.problem()).end();
      write(folder.resolve("generation_config.json"), "{\"eos_token_id\": " + end + "}\n");
    }

    private static void write(Path file, String text) throws IOException {
      AtomicFile.write(file, text.getBytes(StandardCharsets.UTF_8));
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
    return new Use(folder, (CausalLm) model);
  }

  private static final class Use extends MadeDataModel<Origin> {
    private final CausalLm model;

    Use(Path folder, CausalLm model) {
      super(
          new AlgorithmJob(),
          folder,
          model,
          new CausalPasses(),
          Origin.class,
          "answers a problem whose examples are made",
          "what the model learned");
      this.model = model;
    }

    @Override
    EvaluationResult measure(Origin origin) {
      Examples examples = new Examples(origin.data.problem(), 0, 1, origin.seed);
      AnswerScores scores =
          AnswerScores.of(model, origin.data.problem(), examples.heldOut(origin.data.heldOut()));
      return EvaluationResult.of(
          origin.data.problem().type(), scores.answers(), "examples", scores.metrics());
    }
  }
}
