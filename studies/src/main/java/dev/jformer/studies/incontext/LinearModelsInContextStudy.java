package dev.jformer.studies.incontext;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.incontext.LinearAttentionTheory;
import dev.jformer.incontext.LinearSelfAttention;
import dev.jformer.incontext.RegressionPrompts;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.tensor.Random;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Linear attention that learns linear regression in context (<a
 * href="https://arxiv.org/abs/2306.09927">Trained Transformers Learn Linear Models In-Context</a>):
 * whether training ends at the closed form, whether errors are those of the formula, and what a
 * change of the inputs' distribution does to it and to a deeper, nonlinear model.
 */
@AutoService(Study.class)
public final class LinearModelsInContextStudy implements Study {
  private static final String EXACT = "exact gradient";
  private static final String BATCHES = "batches of prompts";
  private static final String UNTRAINED = "at the start";
  private static final String LINEAR = "linear attention";
  private static final String DEEP = "Transformer";
  private static final double SCALE = 0.3;

  /** How far trained weights are from the closed form. */
  public record Distance(double weights, double product) {}

  /** An error on prompts, beside that of the formula. */
  public record Errors(int examples, double measured, double formula, double shifted) {}

  /** Errors of a model trained on prompts of varied distributions, by the number of examples. */
  public record Varied(List<Double> errors, double seconds) {
    double longest() {
      return errors.get(errors.size() - 1);
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    double[] variances = {1.5, 1.2, 1, 0.8, 0.5};
    int examples = 20;
    LinearAttentionTheory theory = new LinearAttentionTheory(variances, examples);
    training(lab, theory);
    errors(lab, theory);
    shift(lab);
    lab.note(
        "Inputs of five dimensions with variances %s, prompts of %d examples, outputs without"
            + " noise; tasks from the standard normal distribution. The exact gradient is that of"
            + " the expected loss over all prompts. Batches: 1,000 prompts, AdamW without weight"
            + " decay at a rate that falls from 0.01 to 0. Errors are mean squares of %,d prompts;"
            + " that of the prediction 0 is the sum of the variances, %.3g.",
        Arrays.toString(variances),
        examples,
        lab.pick(500, 20_000, 20_000),
        Arrays.stream(variances).sum());
  }

  private static void training(ExperimentContext lab, LinearAttentionTheory theory) {
    LinearAttentionTheory.Weights optimum = theory.optimum();
    Measured<Distance> runs =
        Arms.of(EXACT, 1)
            .arm(BATCHES, 2)
            .control(UNTRAINED, 0)
            .learn(
                lab,
                "training",
                lab.pick(1, 3, 3),
                way ->
                    Trial.of(
                        Distance.class,
                        session -> {
                          LinearAttentionTheory.Weights found =
                              trained(lab, theory, way, session.seed());
                          return new Distance(
                              found.distance(optimum), found.productDistance(optimum));
                        }));
    lab.claim(
        "Training linear attention on the exact gradient ends at the weights of the closed form",
        "converges to the global minimum (theorem 4.1)",
        UNTRAINED,
        Check.all(
            Check.atMost("largest difference of a weight", runs.of(EXACT, Distance::weights), 1e-2),
            Check.atMost("of a product", runs.of(EXACT, Distance::product), 1e-3)));
    lab.claim(
        "Training linear attention on batches of prompts ends near the same product of weights",
        "",
        UNTRAINED,
        Check.atMost("largest difference of a product", runs.of(BATCHES, Distance::product), 2e-2));
    lab.table(
        runs.table(
            "Distance of trained weights from the closed form",
            "training",
            column("largest difference of a weight", Distance::weights),
            column("of the matrices' product", Distance::product)));
  }

  private static LinearAttentionTheory.Weights trained(
      ExperimentContext lab, LinearAttentionTheory theory, int way, long seed) {
    if (way == 1) {
      return theory.descend(SCALE, 0.02, lab.pick(1000, 200_000, 200_000));
    }
    int dimensions = theory.variances().length;
    PromptModel model = PromptModel.linear(dimensions, SCALE);
    if (way == 2) {
      RegressionPrompts prompts = RegressionPrompts.of(theory.variances(), theory.examples());
      model.train(prompts, lab.pick(3, 4000, 20_000), 1000, 0.01, seed, done -> {});
    }
    return ((LinearSelfAttention) model.module()).weights();
  }

  private static void errors(ExperimentContext lab, LinearAttentionTheory theory) {
    double[] other = Arrays.stream(theory.variances()).map(v -> 4 * v).toArray();
    List<Integer> sizes =
        lab.pick(
            List.of(5, 20),
            List.of(2, 5, 10, 20, 40, 80, 160),
            List.of(2, 5, 10, 20, 40, 80, 160, 320));
    Measured<Errors> runs =
        Arms.named(sizes, size -> size + " examples")
            .measure(
                lab,
                "errors of ",
                Errors.class,
                size -> {
                  PromptModel trained = PromptModel.of(new LinearSelfAttention(theory.optimum()));
                  int count = lab.pick(500, 20_000, 20_000);
                  return new Errors(
                      size,
                      trained.error(RegressionPrompts.of(theory.variances(), size), count, 7),
                      theory.error(theory.variances(), size),
                      trained.error(RegressionPrompts.of(other, size), count, 8));
                });
    List<Check> checks = new ArrayList<>();
    runs.arms()
        .forEach(
            arm -> {
              Errors found = arm.first();
              double off = Math.abs(found.measured() / found.formula() - 1);
              checks.add(Check.atMost("relative difference, " + arm.name(), off, 0.05));
            });
    lab.claim(
        "The error of trained linear attention is that of the formula, for shorter and longer"
            + " prompts than trained with",
        "1/M and 1/N² terms (theorem 4.2)",
        Check.all(checks));
    double zero = Arrays.stream(other).sum();
    Errors longest = runs.arms().get(runs.arms().size() - 1).first();
    lab.claim(
        "Covariate shift breaks linear attention: with inputs of four times the variance it is"
            + " worse than predicting 0, however long the prompt",
        "cannot tolerate covariate shift (section 4.3)",
        "in distribution",
        Check.above("error as a multiple of that of 0", longest.shifted() / zero, 1));
    lab.table(
        runs.table(
            "Errors of linear attention at its optimum",
            "prompt",
            fixed("measured", Errors::measured),
            fixed("formula", Errors::formula),
            fixed("variances times 4, measured", Errors::shifted)));
  }

  /** Both kinds of model, trained on prompts with variances of their own. */
  private static void shift(ExperimentContext lab) {
    int dimensions = 3;
    double[] variances = new double[dimensions];
    Arrays.fill(variances, 1);
    int longest = lab.pick(8, 40, 40);
    List<Integer> sizes =
        IntStream.of(longest / 8, longest / 4, longest / 2, longest).boxed().toList();
    Measured<Varied> runs =
        Arms.of(DEEP, true)
            .control(LINEAR, false)
            .learn(
                lab,
                "varied distributions",
                lab.pick(1, 3, 3),
                deep ->
                    Trial.of(
                        Varied.class,
                        session -> {
                          Random.seed(session.seed());
                          PromptModel model =
                              deep
                                  ? PromptModel.transformer(
                                      dimensions, lab.pick(1, 3, 12), lab.pick(16, 64, 256))
                                  : PromptModel.linear(dimensions, SCALE);
                          long start = System.nanoTime();
                          model.train(
                              new RegressionPrompts(variances, longest, true),
                              lab.pick(2, 3000, 50_000),
                              64,
                              deep ? 1e-3 : 0.01,
                              session.seed(),
                              done -> session.progress().at(done, ""));
                          double seconds = (System.nanoTime() - start) / 1e9;
                          model.module().train(false);
                          return new Varied(
                              sizes.stream()
                                  .map(
                                      size ->
                                          model.error(
                                              new RegressionPrompts(variances, size, true),
                                              lab.pick(500, 20_000, 20_000),
                                              9))
                                  .toList(),
                              seconds);
                        }));
    lab.claim(
        "Where each prompt has variances of its own, linear attention keeps an error even of long"
            + " prompts, and a Transformer trained alike has less",
        "GPT-2 trained on random covariances does better (figure 1)",
        LINEAR,
        runs.below("mean squared error, " + longest + " examples", DEEP, LINEAR, Varied::longest));
    List<Column<Varied>> columns =
        new ArrayList<>(
            Column.<Varied>each(sizes.size(), i -> sizes.get(i - 1) + " examples", Varied::errors));
    columns.add(column("seconds", Varied::seconds));
    lab.table(
        runs.table(
            "Errors on prompts whose inputs have variances of their own (that of 0: "
                + dimensions
                + ")",
            "model",
            columns));
    lab.figure(
        Figure.of(
                "Errors where each prompt has variances of its own, mean over the seeds",
                "examples",
                "mean squared error",
                runs.means(sizes, Varied::errors))
            .withLogY());
  }
}
