package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.Labelling;
import dev.jformer.data.label.LabelledSequence;
import dev.jformer.data.label.LabelledSequences;
import dev.jformer.data.label.MadeSequences;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.program.TransformerProgram;
import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.LabelScheme;
import dev.jformer.run.AlgorithmJob.Origin;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.train.SequenceLabelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The job of learning a program: a Transformer Program labels the tokens of made sequences. Its
 * folder has the problem in {@code problem.json}.
 */
@AutoService(Job.class)
public record ProgramJob() implements Job {
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
      implements MadeData {
    @Override
    public Job job() {
      return new ProgramJob();
    }

    @Override
    public TransformerProgram.Config fit(Model.Config config) {
      return fitted((TransformerProgram.Config) config, MadeSequences.scheme(problem));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      return new SequenceLabelling<>(
          TransformerProgram.class,
          (TransformerProgram) model,
          new MadeSequences(
              problem, data.samples(), recipe.training().batch(), seed, data.heldOut()));
    }

    @Override
    public Origin origin() {
      return new Origin(data, seed);
    }

    @Override
    public DataSummary summary(Task task) {
      LabelledSequences sequences = ((SequenceLabelling<?>) task).sequences();
      return new DataSummary(
          data.problem().type(),
          "sequences",
          sequences.samples(),
          sequences.heldOut().size(),
          sequences.samples() == 0 ? "new ones always" : "");
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
   * @param sequences what it has learned from
   * @param name of the program, an identifier
   * @param shortened whether what decides nothing on examples of the training is left out
   * @throws dev.jformer.program.DiscretisationException if it cannot be written as a program
   */
  public static DiscreteProgram program(
      TransformerProgram model, LabelledSequences sequences, String name, boolean shortened) {
    return TrainedProgram.write(model, sequences, name, shortened);
  }

  /** How many labels of sequences a program gives right. */
  public static int right(DiscreteProgram program, List<LabelledSequence> sequences) {
    return TrainedProgram.right(program, sequences);
  }

  /**
   * Reads a run and writes what it has learned as a program.
   *
   * @param folder of a model that this job or {@link WordProgramJob} trained
   * @param name of the program, an identifier
   * @param shortened whether what decides nothing on examples of the training is left out
   * @throws RunException if the folder holds no such model
   * @throws dev.jformer.program.DiscretisationException if it cannot be written as a program
   */
  public static DiscreteProgram program(Path folder, String name, boolean shortened)
      throws IOException {
    try (TrainedModel trained = TrainedModel.load(folder)) {
      if (!(trained instanceof TrainedProgram use)) {
        throw new RunException(
            folder
                + " holds "
                + trained.model().config().noun()
                + ": expected a run of 'jformer train --task program'");
      }
      return program(use.program(), use.sequences(), name, shortened);
    }
  }

  /** A program's configuration with the sizes that its data asks for. */
  public static TransformerProgram.Config fitted(
      TransformerProgram.Config config, LabelScheme scheme) {
    int tokens = config.tokenVariables() == 0 ? scheme.tokens().size() : 1;
    int values = scheme.kind().readsWords() ? config.values() : 1;
    return config.with(
        c ->
            c.values(Math.max(values, Math.max(tokens, scheme.length())))
                .vocab(scheme.tokens().size())
                .labels(scheme.labels().size())
                .length(scheme.length())
                .causal(scheme.causal()));
  }

  private static final class Use extends TrainedProgram {
    Use(Path folder, TransformerProgram model) {
      super(new ProgramJob(), folder, model);
    }

    private Origin origin() {
      return ProblemFile.read(
          folder(),
          Origin.class,
          folder() + " has no " + ProblemFile.NAME + ", which names the tokens: train it again");
    }

    @Override
    LabelledSequences sequences() {
      Origin origin = origin();
      return new MadeSequences(
          labelling(origin.data()), 0, 1, origin.seed(), origin.data().heldOut());
    }

    @Override
    public boolean hasHeldOutData() {
      return true;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      ProblemFile.refuseData(request, folder(), "labels sequences that are made");
      LabelledSequences sequences = sequences();
      List<LabelledSequence> heldOut = sequences.heldOut();
      try (Mode mode = Autograd.inference()) {
        Metrics metrics = SequenceLabelling.evaluate(program(), sequences.scheme(), heldOut);
        return EvaluationResult.of(
            origin().data().problem().type(), heldOut.size(), "sequences", metrics);
      }
    }
  }
}
