package dev.jformer.studies.incontext;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.incontext.Learner;
import dev.jformer.data.incontext.NoisyLinearFunctions;
import dev.jformer.data.incontext.Prompts;
import dev.jformer.data.incontext.RidgeLearner;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.InContextModel;
import dev.jformer.model.InContextModel.Prediction;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.train.ErrorCurve;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Means and variances predicted in context (<a href="https://arxiv.org/abs/2405.15115">Towards
 * Better Understanding of In-Context Learning Ability from In-Context Uncertainty
 * Quantification</a>): a Transformer that reads noisy linear functions beside the Bayes predictor,
 * in and out of distribution, on longer prompts, and by the number of examples trained on with a
 * fixed window.
 */
@AutoService(Study.class)
public final class IclUncertaintyStudy implements Study {
  private static final String POSITIONS = "Transformer";
  private static final String NONE = "without positions";
  private static final String BAYES = "Bayes";
  private static final String RIDGE = "ridge, one noise level";
  private static final String GUESS = "one Gaussian for all";

  /**
   * Losses in nats by the number of examples, and squared errors.
   *
   * @param losses in distribution
   * @param errors in distribution
   * @param shifted losses with more noise than trained with
   * @param longer losses on prompts of twice the length; empty if they cannot be read
   * @param seconds of the training
   */
  public record Uncertainty(
      List<Double> losses,
      List<Double> errors,
      List<Double> shifted,
      List<Double> longer,
      double seconds) {
    private static double mean(List<Double> values, int from) {
      return new ErrorCurve("", values).mean(from);
    }

    double loss() {
      return mean(losses, 0);
    }

    double lateLoss() {
      return mean(losses, losses.size() * 3 / 4);
    }

    double lateError() {
      return mean(errors, errors.size() * 3 / 4);
    }

    double shiftedLoss() {
      return mean(shifted, shifted.size() * 3 / 4);
    }

    double beyond() {
      return longer.isEmpty() ? Double.NaN : mean(longer, losses.size());
    }
  }

  /** The loss of a model with a window, and how many examples it was trained on. */
  public record Budget(double loss, double examples, double seconds) {}

  @Override
  public void run(ExperimentContext lab) {
    ContextModels size =
        lab.pick(
            new ContextModels(1, 16, 2, 8, 2, 4, 20),
            new ContextModels(3, 64, 4, 40, 6000, 32, 500).withLargerStart(2e-3),
            new ContextModels(12, 256, 8, 100, 100_000, 64, 2000));
    NoisyLinearFunctions functions = new NoisyLinearFunctions(lab.pick(2, 2, 8), 0.1, 2);
    NoisyLinearFunctions louder = new NoisyLinearFunctions(functions.inputs(), 3, 4);
    Measured<Uncertainty> models =
        Arms.of(POSITIONS, true)
            .arm(NONE, false)
            .learn(
                lab,
                "models",
                lab.pick(1, 1, 3),
                positions -> trial(size, functions, louder, positions));
    Map<String, Learner> learners = new LinkedHashMap<>();
    learners.put(BAYES, functions.bayes());
    double middle = (functions.least() + functions.most()) / 2;
    learners.put(RIDGE, new RidgeLearner(middle * middle));
    learners.put(GUESS, guess(size.prompts(functions)));
    Measured<Uncertainty> solvers =
        Arms.of(learners)
            .measure(
                lab,
                "solvers, ",
                Uncertainty.class,
                learner -> solved(size, functions, louder, learner));
    Uncertainty bayes = solvers.first(BAYES);
    claims(lab, models, solvers);
    lab.table(
        models
            .and(solvers)
            .table(
                "Losses in nats (minus the log of the density) and squared errors",
                "predictor",
                column("loss", Uncertainty::loss),
                column("loss, last quarter", Uncertainty::lateLoss),
                column("squared error, last quarter", Uncertainty::lateError),
                column("more noise, last quarter", Uncertainty::shiftedLoss),
                fixed("longer prompts, second half", run -> text(run.beyond())),
                fixed("seconds of training", Uncertainty::seconds)));
    Map<String, ContextResult> lines = new LinkedHashMap<>();
    models.names().forEach(name -> lines.put(name, curve(models.first(name).losses())));
    solvers.names().forEach(name -> lines.put(name, curve(solvers.first(name).losses())));
    ContextResult.figure(lab, "Losses in distribution", "nats", lines);
    Map<String, ContextResult> shifted = new LinkedHashMap<>();
    models.names().forEach(name -> shifted.put(name, curve(models.first(name).shifted())));
    solvers.names().forEach(name -> shifted.put(name, curve(solvers.first(name).shifted())));
    ContextResult.figure(lab, "Losses with more noise than trained with", "nats", shifted);
    budgets(lab, size, functions, bayes);
    lab.note(
        "Functions of %d inputs with weights from N(0, I); the noise's deviation is uniform from %s"
            + " to %s in each prompt, from %s to %s where there is more of it. Models of %d layers"
            + " and width %d, prompts of %d examples, %,d updates with batches of %d; %,d prompts"
            + " are measured, the same for all. The Bayes predictor has 30 noise levels, each in"
            + " closed form, and knows the distribution of the training also where there is more"
            + " noise. These settings follow a first run with 4 inputs, 2 layers, 4,000 updates and"
            + " weights that began with a deviation of 0.02, in place of %s: its Transformers"
            + " predicted a constant.",
        functions.inputs(),
        functions.least(),
        functions.most(),
        louder.least(),
        louder.most(),
        size.layers(),
        size.width(),
        size.examples(),
        size.steps(),
        size.batch(),
        size.evaluated(),
        Check.number(size.deviation()));
  }

  private static String text(double value) {
    return Double.isNaN(value) ? "" : Check.number(value);
  }

  private static ContextResult curve(List<Double> values) {
    return new ContextResult(values, 0, 0);
  }

  /** A control: one Gaussian with the variance of all outputs. */
  private static Learner guess(Prompts prompts) {
    double square = 0;
    for (float y : prompts.y()) {
      square += (double) y * y / prompts.y().length;
    }
    return new FixedGaussian(square);
  }

  private record FixedGaussian(double variance) implements Learner {
    @Override
    public String name() {
      return GUESS;
    }

    @Override
    public Run start(int inputs) {
      return new Run() {
        @Override
        public double predict(double[] x) {
          return 0;
        }

        @Override
        public double variance(double[] x) {
          return variance;
        }

        @Override
        public void observe(double[] x, double y) {
          // It has nothing to learn.
        }
      };
    }
  }

  private static Uncertainty solved(
      ContextModels size,
      NoisyLinearFunctions functions,
      NoisyLinearFunctions louder,
      Learner learner) {
    Prompts prompts = size.prompts(functions);
    return new Uncertainty(
        ErrorCurve.ofDensity(learner, prompts).errors(),
        ErrorCurve.of(learner, prompts, false).errors(),
        ErrorCurve.ofDensity(learner, size.prompts(louder)).errors(),
        ErrorCurve.ofDensity(learner, size.prompts(functions, 2 * size.examples())).errors(),
        0);
  }

  private static Trial<Uncertainty> trial(
      ContextModels size,
      NoisyLinearFunctions functions,
      NoisyLinearFunctions louder,
      boolean positions) {
    InContextModel.Config model =
        size.model(functions, size.attention(), Prediction.GAUSSIAN, positions);
    return size.trained(
        functions,
        model,
        Uncertainty.class,
        (built, result) -> {
          Prompts prompts = size.prompts(functions);
          Prompts longer = size.prompts(functions, 2 * size.examples());
          return new Uncertainty(
              ErrorCurve.ofDensity(built, prompts).errors(),
              ErrorCurve.of(built, prompts, false).errors(),
              ErrorCurve.ofDensity(built, size.prompts(louder)).errors(),
              positions ? List.of() : ErrorCurve.ofDensity(built, longer).errors(),
              result.seconds());
        });
  }

  private static void claims(
      ExperimentContext lab, Measured<Uncertainty> models, Measured<Uncertainty> solvers) {
    Uncertainty bayes = solvers.first(BAYES);
    Uncertainty guess = solvers.first(GUESS);
    double gain = guess.loss() - bayes.loss();
    lab.claim(
        "A Transformer's means and variances are nearly those of the Bayes predictor: the loss that"
            + " it has above it is at most 5 % of what Bayes gains over one Gaussian for all",
        "near the Bayes-optimal predictor in distribution (figure 1)",
        GUESS,
        Check.atMost(
            "share of the gain that is missing",
            models.of(POSITIONS, run -> (run.loss() - bayes.loss()) / gain),
            0.05));
    lab.claim(
        "A Transformer's means, late in a prompt, have at most 5 % more squared error than those of"
            + " the Bayes predictor",
        "near the Bayes-optimal predictor in distribution (figure 1)",
        RIDGE,
        Check.atMost(
            "squared error",
            models.of(POSITIONS, Uncertainty::lateError),
            1.05 * bayes.lateError()));
    lab.claim(
        "A Transformer tells noise levels apart: late in a prompt its loss is below that of ridge"
            + " regression with one noise level",
        "learns the noise level of a prompt (section 5)",
        RIDGE,
        Check.below(
            "loss (nats)",
            models.of(POSITIONS, Uncertainty::lateLoss),
            solvers.first(RIDGE).lateLoss()));
    lab.claim(
        "With more noise than in training a Transformer departs from the Bayes predictor of its"
            + " training, by more than 0.05 nats in either direction",
        "not equivalent to Bayesian inference under task shift (section 6)",
        "in distribution",
        Check.above(
            "distance from Bayes (nats)",
            models.of(POSITIONS, run -> Math.abs(run.shiftedLoss() - bayes.shiftedLoss())),
            0.05));
    lab.claim(
        "Without positions, a Transformer is as good on the second half of prompts of twice the"
            + " trained length as at the end of trained ones, within 0.05 nats",
        "prompts longer than trained on are tolerated without positions (section 6)",
        BAYES,
        Check.atMost(
            "loss (nats)",
            models.of(NONE, Uncertainty::beyond),
            models.of(NONE, Uncertainty::lateLoss).plus(0.05)));
  }

  /** Trains with a window of attention of fixed size, on more and on fewer examples. */
  private static void budgets(
      ExperimentContext lab,
      ContextModels size,
      NoisyLinearFunctions functions,
      Uncertainty bayes) {
    int half = size.examples() / 2;
    Map<String, ContextModels> budgets = new LinkedHashMap<>();
    for (int times : new int[] {8, 4, 2}) {
      for (int length : new int[] {half, size.examples()}) {
        int steps = Math.max(1, size.steps() / times / 2);
        budgets.put(
            "%,d prompts of %d examples".formatted(steps * size.batch(), length),
            size.withSteps(steps).withExamples(length));
      }
    }
    // Two tokens an example, in each of the layers.
    int window = Math.max(2, half / size.layers());
    TokenMixer.Config windowed = new SoftmaxAttention.Config(size.heads(), 0).withWindow(window);
    Measured<Budget> runs =
        Arms.of(budgets)
            .learn(
                lab,
                "window",
                lab.pick(1, 1, 3),
                budget ->
                    budget.trained(
                        functions,
                        budget.model(functions, windowed, Prediction.GAUSSIAN, false),
                        Budget.class,
                        (built, result) ->
                            new Budget(
                                ErrorCurve.ofDensity(built, size.prompts(functions, half)).mean(0),
                                (double) budget.steps() * budget.batch() * budget.examples(),
                                result.seconds())));
    List<String> names = runs.names();
    String first = names.get(0);
    String last = names.get(names.size() - 1);
    lab.claim(
        "With a window of fixed size, a Transformer's loss falls with the number of examples that"
            + " it is trained on, n prompts times T examples",
        "error of order √(S / (n T)) for a window S (theorem 3.3)",
        first,
        runs.below("loss (nats)", last, first, Budget::loss));
    double best =
        IntStream.range(0, half).mapToDouble(i -> bayes.losses().get(i)).average().orElse(0);
    lab.table(
        runs.table(
            "Losses with a window of %d tokens (Bayes without a window: %s)"
                .formatted(window, Check.number(best)),
            "training",
            column("loss (nats)", Budget::loss),
            fixed("n T", Budget::examples),
            Column.computed(
                "above Bayes",
                arm -> Estimate.ofSeeds(arm.runs().stream().map(r -> r.loss() - best).toList())),
            column("seconds of training", Budget::seconds)));
    lab.figure(
        Figure.of(
                "Loss above Bayes by the number of examples trained on, window of fixed size",
                "n T",
                "nats",
                Figure.Series.line(
                    "Transformer with a window",
                    runs.arms(),
                    arm -> arm.first().examples(),
                    arm -> arm.first().loss() - best))
            .withLogX());
  }
}
