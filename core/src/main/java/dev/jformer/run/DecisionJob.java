package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.decision.DecisionProblem;
import dev.jformer.data.decision.Environment;
import dev.jformer.data.decision.Policy;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.DecisionModel;
import dev.jformer.model.Model;
import dev.jformer.train.DecisionLearning;
import dev.jformer.train.RegretCurve;
import dev.jformer.train.Task;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * The job of learning to act. Its folder has the environments in {@code problem.json}; an
 * evaluation lets the model act in new ones, and shows its regret beside that of classical
 * policies.
 */
@AutoService(Job.class)
public record DecisionJob() implements Job {
  @Override
  public String type() {
    return "decisions";
  }

  @Override
  public Class<DecisionData> data() {
    return DecisionData.class;
  }

  @Override
  public Class<DecisionModel.Config> model() {
    return DecisionModel.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) {
    return new Data((DecisionData) recipe.data(), recipe.training().seed(), workspace);
  }

  /** What a model's folder keeps of its training: the data, and the seed that it is drawn by. */
  record Origin(DecisionData data, long seed) {
    /** For reading. */
    Origin() {
      this(new DecisionData(), 0);
    }
  }

  private record Data(DecisionData data, long seed, Workspace workspace) implements MadeData {
    @Override
    public Job job() {
      return new DecisionJob();
    }

    @Override
    public Origin origin() {
      return new Origin(data, seed);
    }

    @Override
    public DecisionModel.Config fit(Model.Config config) {
      DecisionModel.Config given = (DecisionModel.Config) config;
      return given
          .withObservations(data.problem().observations())
          .withActions(data.problem().actions())
          .withDescriptions(data.problem().descriptions())
          .withSteps(Math.max(given.steps(), data.problem().steps()));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      return new DecisionLearning(
          (DecisionModel) model,
          data.interactions(recipe.training().batch(), seed),
          data.heldOut());
    }

    @Override
    public DataSummary summary(Task task) {
      return new DataSummary(
          data.problem().type(), "interactions", 0, data.heldOut(), "new ones always");
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof DecisionModel.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (DecisionModel) model);
  }

  private static final class Use extends MadeDataModel<Origin> {
    private final DecisionModel model;

    Use(Path folder, DecisionModel model) {
      super(
          new DecisionJob(),
          folder,
          model,
          null,
          Origin.class,
          "acts in environments that are made",
          "in what the model acts");
      this.model = model;
    }

    @Override
    EvaluationResult measure(Origin origin) {
      DecisionProblem<?> problem = origin.data.problem();
      int count = origin.data.heldOut();
      Map<String, String> details = new LinkedHashMap<>();
      details.put("after actions", shown(problem.steps()).toString().replaceAll("[\\[\\],]", ""));
      RegretCurve curve =
          RegretCurve.of(problem, model, RegretCurve.Choice.SAMPLED, count, ~origin.seed);
      put(details, curve);
      putPolicies(details, problem, count, ~origin.seed);
      Metric regret = Metric.lower("regret", curve.total(), "");
      return new EvaluationResult(
          problem.type(), count, "environments", Metrics.of(regret), details, List.of());
    }

    private static <E extends Environment> void putPolicies(
        Map<String, String> details, DecisionProblem<E> problem, int count, long seed) {
      for (Policy<E> policy : problem.policies()) {
        put(details, RegretCurve.of(problem, policy, count, seed));
      }
    }

    private static void put(Map<String, String> details, RegretCurve curve) {
      List<String> values =
          shown(curve.regrets().size()).stream()
              .map(count -> String.format(Locale.ROOT, "%.3f", curve.regrets().get(count - 1)))
              .toList();
      details.put("regret of " + curve.name(), String.join(" ", values));
    }

    /** The numbers of actions that are shown: powers of two, and all. */
    private static List<Integer> shown(int steps) {
      TreeSet<Integer> counts = new TreeSet<>(List.of(steps));
      for (int count = 1; count < steps; count *= 2) {
        counts.add(count);
      }
      return List.copyOf(counts);
    }
  }
}
