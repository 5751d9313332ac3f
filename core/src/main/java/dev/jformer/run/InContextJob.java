package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.incontext.FunctionClass;
import dev.jformer.data.incontext.Learner;
import dev.jformer.data.incontext.PromptSource;
import dev.jformer.data.incontext.Prompts;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.InContextModel;
import dev.jformer.model.Model;
import dev.jformer.train.ErrorCurve;
import dev.jformer.train.InContextLearning;
import dev.jformer.train.Task;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * The job of learning functions in context. Its folder has the class of functions in {@code
 * problem.json}; an evaluation shows the error by the number of examples, beside classical solvers.
 */
@AutoService(Job.class)
public record InContextJob() implements Job {
  @Override
  public String type() {
    return "in-context";
  }

  @Override
  public Class<InContextData> data() {
    return InContextData.class;
  }

  @Override
  public Class<InContextModel.Config> model() {
    return InContextModel.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) {
    return new Data((InContextData) recipe.data(), recipe.training().seed(), workspace);
  }

  /** What a model's folder keeps of its training: the data, and the seed that it is drawn by. */
  record Origin(InContextData data, long seed) {
    /** For reading. */
    Origin() {
      this(new InContextData(), 0);
    }

    PromptSource source(int batch) {
      return new PromptSource(data.functions(), data.examples(), batch, seed);
    }
  }

  private record Data(InContextData data, long seed, Workspace workspace) implements MadeData {
    @Override
    public Job job() {
      return new InContextJob();
    }

    @Override
    public Origin origin() {
      return new Origin(data, seed);
    }

    /** Models of Boolean functions predict signs; others keep what they predict. */
    @Override
    public InContextModel.Config fit(Model.Config config) {
      InContextModel.Config given = (InContextModel.Config) config;
      boolean sign = given.prediction() == InContextModel.Prediction.SIGN;
      InContextModel.Prediction prediction = given.prediction();
      if (data.functions().isBoolean()) {
        prediction = InContextModel.Prediction.SIGN;
      } else if (sign) {
        prediction = InContextModel.Prediction.VALUE;
      }
      return given
          .withInputs(data.functions().inputs())
          .withLength(Math.max(given.length(), data.examples()))
          .withPrediction(prediction);
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      return new InContextLearning(
          (InContextModel) model, origin().source(recipe.training().batch()), data.heldOut());
    }

    @Override
    public DataSummary summary(Task task) {
      return new DataSummary(
          data.functions().type(), "prompts", 0, data.heldOut(), "new ones always");
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof InContextModel.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (InContextModel) model);
  }

  private static final class Use extends MadeDataModel<Origin> {
    private final InContextModel model;

    Use(Path folder, InContextModel model) {
      super(
          new InContextJob(),
          folder,
          model,
          null,
          Origin.class,
          "learns functions whose examples are made",
          "which functions the model learns");
      this.model = model;
    }

    @Override
    EvaluationResult measure(Origin origin) {
      FunctionClass functions = origin.data.functions();
      Prompts prompts = origin.source(1).heldOut(origin.data.heldOut());
      Map<String, String> details = new LinkedHashMap<>();
      details.put("after examples", line(shown(prompts.length()), Integer::toString));
      ErrorCurve curve = ErrorCurve.of(model, prompts, functions.isBoolean());
      put(details, curve);
      for (Learner learner : functions.learners()) {
        put(details, ErrorCurve.of(learner, prompts, functions.isBoolean()));
      }
      double error = curve.mean(functions.firstKnown());
      Metric metric =
          functions.isBoolean()
              ? Metric.higher(Metric.ACCURACY, 1 - error, "")
              : Metric.lower("squared error", error, "");
      return new EvaluationResult(
          functions.type(), prompts.count(), "prompts", Metrics.of(metric), details, List.of());
    }

    private static void put(Map<String, String> details, ErrorCurve curve) {
      details.put(
          "error of " + curve.name(),
          line(
              shown(curve.errors().size()),
              count -> String.format(Locale.ROOT, "%.4f", curve.errors().get(count))));
    }

    private static List<Integer> shown(int length) {
      TreeSet<Integer> counts = new TreeSet<>(List.of(0, length - 1));
      for (int count = 1; count < length; count *= 2) {
        counts.add(count);
      }
      return List.copyOf(counts);
    }

    private interface Text {
      String of(int count);
    }

    private static String line(List<Integer> counts, Text text) {
      return String.join(" ", counts.stream().map(text::of).toList());
    }
  }
}
