package dev.jformer.studies.algorithmic;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.incontext.ConstantLearner;
import dev.jformer.data.incontext.FunctionClass;
import dev.jformer.data.incontext.GradientDescentLearner;
import dev.jformer.data.incontext.Learner;
import dev.jformer.data.incontext.LeastSquaresLearner;
import dev.jformer.data.incontext.LinearFunctions;
import dev.jformer.data.incontext.NewtonLearner;
import dev.jformer.data.incontext.PromptSource;
import dev.jformer.data.incontext.Prompts;
import dev.jformer.data.incontext.RepresentedFunctions;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.InContextModel;
import dev.jformer.model.LoopConfig;
import dev.jformer.nn.BlockContext;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ErrorCurve;
import dev.jformer.train.InContextLearning;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * On the Expressive Power of a Variant of the Looped Transformer (<a
 * href="https://arxiv.org/abs/2402.13572">arXiv 2402.13572</a>): the AlgoFormer beside a plain and
 * a looped Transformer of as many weights, on functions to be learned in context; errors by
 * iterations, beside gradient descent and Newton's iteration.
 */
@AutoService(Study.class)
public final class AlgoformerStudy implements Study {
  private static final String FORMER = "AlgoFormer";
  private static final String STANDARD = "standard Transformer";
  private static final String LOOPED = "looped Transformer";
  private static final String SMALL = "looped Transformer of one block";

  /** The shape of an arm: its own blocks, and the loop. */
  private record Shape(int layers, LoopConfig loop) {}

  /**
   * What a model learned.
   *
   * @param error mean squared error over the examples, in units of that of a constant
   * @param byExamples error after 0, 1, … examples, in the same unit
   * @param byIterations error of the last example's prediction after 1, 2, … iterations; one number
   *     for a model without a loop
   * @param parameters number of weights
   * @param seconds of training
   */
  public record Outcome(
      double error,
      List<Double> byExamples,
      List<Double> byIterations,
      long parameters,
      double seconds) {}

  /** Errors of classical solvers after 1, 2, … steps, and of least squares. */
  public record Solvers(List<Double> descent, List<Double> newton, double leastSquares) {}

  @Override
  public void run(ExperimentContext lab) {
    int inputs = lab.pick(2, 4, 20);
    RepresentedFunctions represented = new RepresentedFunctions(inputs, inputs, 0, 1);
    task(
        lab,
        "regression with representation",
        represented,
        steps ->
            List.of(
                represented.represented(new GradientDescentLearner(steps)),
                represented.represented(new NewtonLearner(steps)),
                represented.represented(new LeastSquaresLearner())));
    task(
        lab,
        "linear regression",
        new LinearFunctions(inputs),
        steps ->
            List.of(
                new GradientDescentLearner(steps),
                new NewtonLearner(steps),
                new LeastSquaresLearner()));
    lab.note(
        "The paper compares with a Transformer of 12 layers and a loop of one, 20 iterations and"
            + " the loss of the last 15; here models have as many weights (three blocks each, the"
            + " loop of one block aside), %d iterations and the loss of the last %d. Errors are"
            + " those of a constant prediction times the figure. Functions have %d inputs, prompts"
            + " %d examples; models of width %d, whose weights begin with a deviation of one over"
            + " its root, get %,d updates. With the usual deviation of 0.02 such models stay at the"
            + " constant for thousands of updates.",
        times(lab), learned(lab), inputs, examples(lab), width(lab), updates(lab));
  }

  /** Solvers with a number of steps: gradient descent, Newton's iteration, least squares. */
  private interface SolversOf {
    List<Learner> of(int steps);
  }

  private static void task(
      ExperimentContext lab, String name, FunctionClass functions, SolversOf solversOf) {
    int times = times(lab);
    int learned = learned(lab);
    Measured<Outcome> runs =
        Arms.of(FORMER, new Shape(1, LoopConfig.algoFormer(times, learned)))
            .control(STANDARD, new Shape(3, new LoopConfig()))
            .control(
                LOOPED, new Shape(3, new LoopConfig(0, Math.max(1, times / 3), 0, 1 + learned / 3)))
            .arm(SMALL, new Shape(1, new LoopConfig(0, times, 0, learned)))
            .learn(lab, name, lab.pick(1, 2, 3), shape -> trial(lab, functions, shape));
    Solvers solvers =
        lab.measure(
            name + ", solvers",
            Solvers.class,
            () -> solvers(functions, prompts(lab, functions), solversOf, 2 * times));
    for (String other : List.of(STANDARD, LOOPED)) {
      lab.claim(
          "AlgoFormer has a lower error than a %s of as many weights in %s".formatted(other, name),
          "outperforms both (section 5)",
          other,
          runs.below("error (share of a constant's)", FORMER, other, Outcome::error));
    }
    lab.claim(
        "AlgoFormer after %d iterations is closer than as many steps of gradient descent in %s"
            .formatted(times, name),
        "as gradient descent and Newton's method by construction (theorem)",
        "gradient descent",
        Check.below(
            "error at the last example",
            runs.of(FORMER, run -> run.byIterations().get(times - 1)),
            solvers.descent().get(times - 1)),
        Check.sentence(
            "Newton's iteration: %s, least squares: %s.",
            solvers.newton().get(times - 1), solvers.leastSquares()));
    lab.table(
        runs.table(
            "Errors in " + name + ", shares of a constant's",
            "model",
            column("all examples", Outcome::error),
            column("last example", run -> run.byExamples().get(run.byExamples().size() - 1)),
            fixed("weights", Outcome::parameters),
            column("seconds", Outcome::seconds)));
    lab.figure(
        runs.figure(
            "Error by examples in " + name,
            "examples",
            "share of a constant's",
            (run, arm) ->
                Figure.Series.line(
                    arm,
                    IntStream.range(0, run.byExamples().size()).boxed().toList(),
                    run.byExamples())));
    List<Integer> steps = IntStream.rangeClosed(1, 2 * times).boxed().toList();
    lab.figure(
        Figure.of(
            "Error at the last example by iterations in " + name,
            "iterations",
            "share of a constant's",
            Figure.Series.line(FORMER, steps, runs.first(FORMER).byIterations()),
            Figure.Series.line(SMALL, steps, runs.first(SMALL).byIterations()),
            Figure.Series.line("gradient descent", steps, solvers.descent()),
            Figure.Series.line("Newton's iteration", steps, solvers.newton())));
  }

  private static int width(ExperimentContext lab) {
    return lab.pick(16, 64, 256);
  }

  private static int times(ExperimentContext lab) {
    return lab.pick(6, 6, 20);
  }

  private static int learned(ExperimentContext lab) {
    return lab.pick(1, 3, 15);
  }

  private static int updates(ExperimentContext lab) {
    return lab.pick(3, 2000, 50_000);
  }

  private static int examples(ExperimentContext lab) {
    return lab.pick(6, 16, 41);
  }

  private static Prompts prompts(ExperimentContext lab, FunctionClass functions) {
    return new PromptSource(functions, examples(lab), 1, 1).heldOut(lab.pick(8, 256, 1280));
  }

  private static Trial<Outcome> trial(ExperimentContext lab, FunctionClass functions, Shape shape) {
    int updates = updates(lab);
    int examples = examples(lab);
    InContextModel.Config model =
        new InContextModel.Config()
            .with(c -> c.inputs(functions.inputs()).length(examples).loop(shape.loop()))
            .withStack(s -> s.layers(shape.layers()).width(width(lab)))
            .withBlock(
                b ->
                    b.mixer(new SoftmaxAttention.Config(lab.pick(2, 4, 8), 0))
                        .init(new BlockContext.Init(1 / Math.sqrt(width(lab)), true)));
    return new TaskTrial<>(
            model::build,
            Small.training(updates, lab.pick(4, 32, 64), 1).withEvaluateEvery(updates),
            (built, session) ->
                new InContextLearning(
                    built,
                    new PromptSource(functions, examples, lab.pick(4, 32, 64), session.seed()),
                    lab.pick(8, 64, 256)))
        .examined(
            Outcome.class,
            (built, task, result) -> {
              Prompts prompts = prompts(lab, functions);
              double constant = last(new ConstantLearner(), prompts, true);
              ErrorCurve curve = ErrorCurve.of(built, prompts, false);
              boolean loops = shape.loop().times() > 1;
              return new Outcome(
                  curve.mean(0) / constant,
                  curve.errors().stream().map(error -> error / constant).toList(),
                  byIterations(built, prompts, loops ? 2 * times(lab) : 1).stream()
                      .map(error -> error / constant)
                      .toList(),
                  result.parameters(),
                  result.seconds());
            });
  }

  /** The squared error of the last example's prediction after each iteration. */
  private static List<Double> byIterations(InContextModel model, Prompts prompts, int times) {
    List<Double> errors = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      Tensor x = Tensor.of(prompts.x(), prompts.count(), prompts.length(), prompts.inputs());
      Tensor y = Tensor.of(prompts.y(), prompts.count(), prompts.length());
      for (Tensor predicted : model.iterate(x, y, times, times)) {
        Tensor off = predicted.select(2, 0).sub(y).narrow(1, prompts.length() - 1, 1);
        errors.add(off.to(DType.FLOAT64).square().mean().item());
      }
    }
    return errors;
  }

  private static Solvers solvers(
      FunctionClass functions, Prompts prompts, SolversOf solversOf, int most) {
    double constant = last(new ConstantLearner(), prompts, true);
    List<Double> descent = new ArrayList<>();
    List<Double> newton = new ArrayList<>();
    for (int steps = 1; steps <= most; steps++) {
      descent.add(last(solversOf.of(steps).get(0), prompts, false) / constant);
      newton.add(last(solversOf.of(steps).get(1), prompts, false) / constant);
    }
    double exact = last(solversOf.of(1).get(2), prompts, false) / constant;
    return new Solvers(descent, newton, exact);
  }

  /** A solver's squared error at the last example, or over all of them. */
  private static double last(Learner learner, Prompts prompts, boolean all) {
    double sum = 0;
    long count = 0;
    for (int row = 0; row < prompts.count(); row++) {
      Learner.Run run = learner.start(prompts.inputs());
      for (int t = 0; t < prompts.length(); t++) {
        double y = prompts.output(row, t);
        if (all || t == prompts.length() - 1) {
          double off = run.predict(prompts.input(row, t)) - y;
          sum += off * off;
          count++;
        }
        run.observe(prompts.input(row, t), y);
      }
    }
    return sum / count;
  }
}
