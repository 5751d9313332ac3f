package dev.jformer.studies.incontext;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.data.incontext.ConstantLearner;
import dev.jformer.data.incontext.LastOutputLearner;
import dev.jformer.data.incontext.Learner;
import dev.jformer.data.incontext.LeastSquaresLearner;
import dev.jformer.data.incontext.NeighboursLearner;
import dev.jformer.data.incontext.Prompts;
import dev.jformer.data.incontext.RidgeLearner;
import dev.jformer.data.incontext.SlidingWindowFunctions;
import dev.jformer.data.incontext.WindowLearner;
import dev.jformer.model.InContextModel.Prediction;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.train.ErrorCurve;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Functions of a sliding window, learned in context (<a href="https://arxiv.org/abs/2312.12655">Can
 * Transformers Learn Sequential Function Classes In Context?</a>): a Transformer beside regressions
 * on windows, and what random outputs among the examples do to it.
 */
@AutoService(Study.class)
public final class SequentialFunctionsStudy implements Study {
  private static final String LINEAR = "linear";
  private static final String TANH = "tanh";
  private static final String WINDOWS = "least squares on windows";
  private static final String RIDGE = "ridge on windows";
  private static final String NEWEST = "least squares on the newest input";
  private static final String NEIGHBOURS = "3 nearest neighbours";
  private static final String LAST = "last output";
  private static final String MEAN = "mean output";

  /** What there is to compare with, by name. */
  private static Map<String, Learner> solvers(int window) {
    Map<String, Learner> all = new LinkedHashMap<>();
    all.put(WINDOWS, new WindowLearner(new LeastSquaresLearner(), window));
    all.put(RIDGE, new WindowLearner(new RidgeLearner(1), window));
    all.put(NEWEST, new LeastSquaresLearner());
    all.put(NEIGHBOURS, new NeighboursLearner(3));
    all.put(LAST, new LastOutputLearner());
    all.put(MEAN, new ConstantLearner());
    return all;
  }

  @Override
  public void run(ExperimentContext lab) {
    ContextModels size =
        lab.pick(
            new ContextModels(1, 16, 2, 10, 2, 4, 20),
            new ContextModels(2, 64, 4, 40, 5000, 32, 500).withLargerStart(2e-3),
            new ContextModels(12, 256, 8, 40, 100_000, 64, 2000));
    int inputs = lab.pick(2, 2, 5);
    int window = lab.pick(2, 2, 3);
    List<Double> shares =
        lab.pick(
            List.of(0.0, 1.0), List.of(0.0, 0.25, 0.5, 1.0), List.of(0.0, 0.1, 0.25, 0.5, 1.0));
    Map<String, SlidingWindowFunctions> classes = new LinkedHashMap<>();
    shares.forEach(
        share ->
            classes.put(named(share), new SlidingWindowFunctions(inputs, window, false, share)));
    classes.put(TANH, new SlidingWindowFunctions(inputs, window, true, 0));
    Measured<ContextResult> models =
        Arms.of(classes)
            .learn(
                lab,
                "Transformer",
                lab.pick(1, 1, 3),
                functions ->
                    size.trial(
                        functions,
                        size.model(functions, size.attention(), Prediction.VALUE, true),
                        built ->
                            ErrorCurve.of(
                                built, size.prompts(functions), truth(size, functions), false)));
    Map<String, Measured<ContextResult>> solved = new LinkedHashMap<>();
    classes.forEach(
        (name, functions) ->
            solved.put(
                name,
                Arms.of(solvers(window))
                    .measure(
                        lab,
                        name + ", ",
                        ContextResult.class,
                        solver ->
                            ContextResult.of(
                                ErrorCurve.of(
                                    solver,
                                    size.prompts(functions),
                                    truth(size, functions),
                                    false)))));
    claims(lab, shares, models, solved);
    List<Column<ContextResult>> columns = new ArrayList<>();
    columns.add(column("Transformer", ContextResult::late));
    for (String solver : solvers(window).keySet()) {
      columns.add(Column.named(solver, arm -> solved.get(arm).first(solver).late()));
    }
    columns.add(column("seconds of training", ContextResult::seconds));
    lab.table(
        models.table(
            "Squared errors after the last quarter of the examples, by the outputs without the"
                + " random ones",
            "functions",
            columns));
    for (String name : List.of(LINEAR, TANH)) {
      Map<String, ContextResult> lines = new LinkedHashMap<>();
      lines.put("Transformer", models.first(name));
      for (String solver : List.of(WINDOWS, RIDGE, NEWEST, MEAN)) {
        lines.put(solver, solved.get(name).first(solver));
      }
      ContextResult.figure(lab, "Errors on windows, " + name, "squared error", lines);
    }
    lab.figure(
        Figure.of(
            "Errors by the share of random outputs",
            "share of random outputs",
            "squared error, last quarter",
            List.of(
                Figure.Series.line(
                    "Transformer",
                    shares,
                    shares.stream()
                        .map(share -> models.of(named(share), ContextResult::late).value())
                        .toList()),
                line(shares, solved, RIDGE),
                line(shares, solved, MEAN))));
    lab.note(
        "Outputs are sums over %d examples of %d inputs each. Models of %d layers and width %d,"
            + " prompts of %d examples, %,d updates with batches of %d; %,d prompts are measured."
            + " A model is trained and measured with the same share of random outputs in its"
            + " prompts; errors are those of the outputs that stood there without them, so an"
            + " error of 0 is possible whatever the share.",
        window,
        inputs,
        size.layers(),
        size.width(),
        size.examples(),
        size.steps(),
        size.batch(),
        size.evaluated());
  }

  private static Figure.Series line(
      List<Double> shares, Map<String, Measured<ContextResult>> solved, String solver) {
    return Figure.Series.line(
        solver,
        shares,
        shares.stream().map(share -> solved.get(named(share)).first(solver).late()).toList());
  }

  private static String named(double share) {
    return share == 0 ? LINEAR : String.format(Locale.ROOT, "linear, %.0f %% random", 100 * share);
  }

  /** The prompts that are measured, without random outputs. */
  private static Prompts truth(ContextModels size, SlidingWindowFunctions functions) {
    return size.prompts(
        new SlidingWindowFunctions(functions.inputs(), functions.window(), functions.tanh(), 0));
  }

  private static void claims(
      ExperimentContext lab,
      List<Double> shares,
      Measured<ContextResult> models,
      Map<String, Measured<ContextResult>> solved) {
    for (String name : List.of(LINEAR, TANH)) {
      lab.claim(
          "A Transformer learns "
              + name
              + " functions of a window in context: its error is less than half that of least"
              + " squares on the newest input, and of the mean output",
          "Transformers can learn sequential functions in context (section 4)",
          NEWEST,
          Check.all(
              Check.below(
                  "error beside least squares on the newest input",
                  models.of(name, ContextResult::late),
                  0.5 * solved.get(name).first(NEWEST).late()),
              Check.below(
                  "error beside the mean output",
                  models.of(name, ContextResult::late),
                  0.5 * solved.get(name).first(MEAN).late())));
    }
    double random = shares.get(shares.size() - 1);
    lab.claim(
        "Random outputs raise the error of a Transformer that learns windows in context; where all"
            + " are random it does not beat the mean output by more than 5 %",
        "performance falls with the share of random labels (section 5)",
        MEAN,
        Check.all(
            Check.above(
                "error with the largest share",
                models.of(named(random), ContextResult::late),
                models.of(LINEAR, ContextResult::late)),
            Check.atLeast(
                "error beside the mean output",
                models.of(named(random), ContextResult::late),
                0.95 * solved.get(named(random)).first(MEAN).late())));
    for (double share : shares) {
      if (share > 0 && share < 1) {
        lab.claim(
            "Some learning of windows in context remains with %.0f %% random outputs"
                .formatted(100 * share),
            "partial learning remains with random labels (section 5)",
            MEAN,
            Check.below(
                "error beside the mean output",
                models.of(named(share), ContextResult::late),
                0.9 * solved.get(named(share)).first(MEAN).late()));
      }
    }
  }
}
