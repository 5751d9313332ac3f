package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.LabelBatch;
import dev.jformer.data.algorithm.Labelling;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.program.Discretisation;
import dev.jformer.model.program.TransformerProgram;
import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.Shortening;
import dev.jformer.run.AlgorithmJob.Origin;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.train.SequenceLabelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * The job of learning a program: a Transformer Program labels the tokens of made sequences. Its
 * folder has the problem in {@code problem.json}.
 */
@AutoService(Job.class)
public record ProgramJob() implements Job {
  /** Examples by which a program is tabulated and shortened. */
  private static final int TYPICAL = 4000;

  @Override
  public String type() {
    return "program";
  }

  @Override
  public Class<AlgorithmData> data() {
    return AlgorithmData.class;
  }

  @Override
  public Class<TransformerProgram.Config> model() {
    return TransformerProgram.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    AlgorithmData data = (AlgorithmData) recipe.data();
    return new Data(data, labelling(data), recipe.training().seed(), workspace);
  }

  private static Labelling labelling(AlgorithmData data) {
    if (data.problem() instanceof Labelling labelling) {
      return labelling;
    }
    throw new RunException(
        "a transformer-program labels tokens, which the problem "
            + data.problem().type()
            + " does not have labels for: expected data.problem to be token-labels");
  }

  private record Data(AlgorithmData data, Labelling problem, long seed, Workspace workspace)
      implements PreparedData {
    @Override
    public Job job() {
      return new ProgramJob();
    }

    @Override
    public TransformerProgram.Config fit(Model.Config config) {
      return fitted((TransformerProgram.Config) config, problem);
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      Examples examples = new Examples(problem, data.samples(), recipe.training().batch(), seed);
      return new SequenceLabelling<>(
          TransformerProgram.class, (TransformerProgram) model, problem, examples, data.heldOut());
    }

    @Override
    public String fingerprint() {
      return ProblemFile.fingerprint(new Origin(data, seed));
    }

    @Override
    public DataSummary summary(Task task) {
      SequenceLabelling<?> labelling = (SequenceLabelling<?>) task;
      return new DataSummary(
          data.problem().type(),
          "sequences",
          labelling.samples(),
          labelling.heldOut().size(),
          labelling.samples() == 0 ? "new ones always" : "");
    }

    @Override
    public void save(Model model, Path folder) throws IOException {
      PreparedData.super.save(model, folder);
      ProblemFile.write(new Origin(data, seed), folder);
    }

    @Override
    public void close() {
      workspace.close();
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof TransformerProgram.Config;
  }

  @Override
  public boolean owns(Path folder) {
    return ProblemFile.isIn(folder);
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (TransformerProgram) model);
  }

  /**
   * Writes what a model has learned as a program.
   *
   * @param problem what it has learned
   * @param seed by which the training drew its examples
   * @param name of the program, an identifier
   * @param shortened whether what decides nothing on examples of the training is left out
   * @throws dev.jformer.program.DiscretisationException if it cannot be written as a program
   */
  public static DiscreteProgram program(
      TransformerProgram model, Labelling problem, long seed, String name, boolean shortened) {
    // Examples of a stream that no training reaches: not those that it is judged by.
    List<Example> examples = new Examples(problem, 0, TYPICAL, seed).training(Long.MAX_VALUE);
    List<int[]> typical =
        examples.stream().map(example -> LabelBatch.codes(problem, example)).toList();
    DiscreteProgram program =
        new Discretisation(model, problem.tokens(), problem.labels(), typical).of(name);
    ToIntFunction<DiscreteProgram> right = some -> right(some, problem, examples);
    return shortened ? new Shortening(typical, right).of(program) : program;
  }

  /** How many labels of examples a program gives right. */
  public static int right(DiscreteProgram program, Labelling problem, List<Example> examples) {
    int right = 0;
    for (Example example : examples) {
      int[] labels = program.run(LabelBatch.codes(problem, example));
      for (int i = 0; i < labels.length; i++) {
        right += program.labels().get(labels[i]).equals(example.answer().get(i)) ? 1 : 0;
      }
    }
    return right;
  }

  /**
   * Reads a run and writes what it has learned as a program.
   *
   * @param folder of a model that this job trained
   * @param name of the program, an identifier
   * @param shortened whether what decides nothing on examples of the training is left out
   * @throws RunException if the folder holds no such model
   * @throws dev.jformer.program.DiscretisationException if it cannot be written as a program
   */
  public static DiscreteProgram program(Path folder, String name, boolean shortened)
      throws IOException {
    try (TrainedModel trained = TrainedModel.load(folder)) {
      if (!(trained instanceof Use use)) {
        throw new RunException(
            folder
                + " holds "
                + trained.model().config().noun()
                + ": expected a run of 'jformer train --task program'");
      }
      Origin origin = use.origin();
      return program(use.model, labelling(origin.data()), origin.seed(), name, shortened);
    }
  }

  /** A program's configuration with the sizes that a problem asks for. */
  public static TransformerProgram.Config fitted(
      TransformerProgram.Config config, Labelling problem) {
    int tokens = problem.tokens().size();
    return config.with(
        c ->
            c.values(Math.max(tokens, problem.longest()))
                .vocab(tokens)
                .labels(problem.labels().size())
                .length(problem.longest())
                .causal(problem.isCausal()));
  }

  private static final class Use extends TrainedModel {
    private final TransformerProgram model;

    Use(Path folder, TransformerProgram model) {
      super(new ProgramJob(), folder, model, null);
      this.model = model;
    }

    Origin origin() {
      return ProblemFile.read(
          folder(),
          Origin.class,
          folder() + " has no " + ProblemFile.NAME + ", which names the tokens: train it again");
    }

    @Override
    public boolean hasHeldOutData() {
      return true;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      ProblemFile.refuseData(request, folder(), "labels sequences that are made");
      Origin origin = origin();
      Labelling problem = labelling(origin.data());
      List<Example> heldOut =
          new Examples(problem, 0, 1, origin.seed()).heldOut(origin.data().heldOut());
      try (Mode mode = Autograd.inference()) {
        Metrics metrics = SequenceLabelling.evaluate(model, problem, heldOut);
        return EvaluationResult.of(problem.type(), heldOut.size(), "sequences", metrics);
      }
    }
  }
}
