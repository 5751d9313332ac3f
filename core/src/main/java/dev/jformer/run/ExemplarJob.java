package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.incontext.BurstySequences;
import dev.jformer.model.ExemplarModel;
import dev.jformer.model.Model;
import dev.jformer.train.ExemplarLearning;
import dev.jformer.train.Task;
import java.nio.file.Path;

/**
 * The job of labelling items by those in the context or by memory. Its folder has the classes in
 * {@code problem.json}; an evaluation tells the two kinds of learning apart.
 */
@AutoService(Job.class)
public record ExemplarJob() implements Job {
  @Override
  public String type() {
    return "exemplars";
  }

  @Override
  public Class<ExemplarData> data() {
    return ExemplarData.class;
  }

  @Override
  public Class<ExemplarModel.Config> model() {
    return ExemplarModel.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) {
    return new Data((ExemplarData) recipe.data(), recipe.training().seed(), workspace);
  }

  /** What a model's folder keeps of its training: the data, and the seed that it is drawn by. */
  record Origin(ExemplarData data, long seed) {
    /** For reading. */
    Origin() {
      this(new ExemplarData(), 0);
    }

    ExemplarLearning task(ExemplarModel model, int batch) {
      return new ExemplarLearning(model, data.sequences(seed), batch, seed, data.heldOut());
    }
  }

  private record Data(ExemplarData data, long seed, Workspace workspace) implements MadeData {
    @Override
    public Job job() {
      return new ExemplarJob();
    }

    @Override
    public Origin origin() {
      return new Origin(data, seed);
    }

    @Override
    public ExemplarModel.Config fit(Model.Config config) {
      ExemplarModel.Config given = (ExemplarModel.Config) config;
      return given
          .withDimension(data.dimension())
          .withLabels(data.labels())
          .withItems(Math.max(given.items(), BurstySequences.CONTEXT + 1));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      return origin().task((ExemplarModel) model, recipe.training().batch());
    }

    @Override
    public DataSummary summary(Task task) {
      return new DataSummary(data.type(), "sequences", 0, data.heldOut(), "new ones always");
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof ExemplarModel.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (ExemplarModel) model);
  }

  private static final class Use extends MadeDataModel<Origin> {
    private final ExemplarModel model;

    Use(Path folder, ExemplarModel model) {
      super(
          new ExemplarJob(),
          folder,
          model,
          null,
          Origin.class,
          "labels items that are made",
          "what the classes are");
      this.model = model;
    }

    @Override
    EvaluationResult measure(Origin origin) {
      return EvaluationResult.of(
          origin.data.type(),
          origin.data.heldOut(),
          "sequences of each kind",
          origin.task(model, 1).evaluate());
    }
  }
}
