package dev.jformer.studies.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.incontext.RandomFeatureNetwork;
import dev.jformer.incontext.RidgeRegression;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;

/**
 * Networks whose hidden weights are random and bounded (<a
 * href="https://arxiv.org/abs/2008.08427">How Powerful are Shallow Neural Networks with Bandlimited
 * Random Weights?</a>): whether an error stays, however wide the network, where the target changes
 * faster than the weights allow, and goes where they allow it.
 */
@AutoService(Study.class)
public final class BandlimitedRandomNetsStudy implements Study {
  private static final String FAST = "sin(8πx)";
  private static final String SLOW = "sin(πx/2)";
  private static final String STEP = "step";
  private static final double PENALTY = 1e-13;
  private static final int GRID = 2001;

  private static final Map<String, DoubleUnaryOperator> TARGETS = new LinkedHashMap<>();

  static {
    TARGETS.put(SLOW, x -> Math.sin(Math.PI * x / 2));
    TARGETS.put("sin(2πx)", x -> Math.sin(2 * Math.PI * x));
    TARGETS.put(FAST, x -> Math.sin(8 * Math.PI * x));
    TARGETS.put("sinc(10x)", x -> x == 0 ? 1 : Math.sin(10 * Math.PI * x) / (10 * Math.PI * x));
    TARGETS.put(STEP, x -> x < 0.1 ? 0 : 1);
  }

  /** Errors by the number of hidden units. */
  public record Errors(List<Double> errors) {
    double widest() {
      return errors.get(errors.size() - 1);
    }

    double middle() {
      return errors.get(errors.size() / 2);
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    List<Integer> widths =
        lab.pick(
            List.of(10, 30),
            List.of(10, 30, 100, 300, 1000, 2000),
            List.of(10, 30, 100, 300, 1000, 2000, 4000));
    List<Double> bands = List.of(1.0, 5.0, 20.0, 100.0);
    Map<String, Measured<Errors>> all = new LinkedHashMap<>();
    TARGETS.forEach(
        (name, target) ->
            all.put(
                name,
                Arms.named(bands, BandlimitedRandomNetsStudy::name)
                    .learn(
                        lab,
                        name,
                        lab.pick(1, 3, 5),
                        band ->
                            Trial.of(
                                Errors.class,
                                session -> errors(target, band, widths, session.seed())))));
    claims(lab, all, widths);
    all.forEach((name, runs) -> report(lab, name, runs, widths));
    lab.note(
        "Inputs from -1 to 1, hidden units tanh(ax - b), a and b drawn evenly from -λ to λ; only"
            + " the output is learned, by least squares in float64 on %,d points with a penalty of"
            + " %s on the mean square, which is as exact as its conditioning allows. The error is"
            + " the root of the mean square on points halfway between: a floor that is seen there"
            + " is not one of interpolation.",
        GRID, PENALTY);
  }

  private static String name(double band) {
    return "λ = %.0f".formatted(band);
  }

  private static Errors errors(
      DoubleUnaryOperator target, double band, List<Integer> widths, long seed) {
    double distance = 2.0 / (GRID - 1);
    double[] x = new double[GRID];
    double[] between = new double[GRID - 1];
    for (int i = 0; i < GRID; i++) {
      x[i] = -1 + distance * i;
    }
    for (int i = 0; i < GRID - 1; i++) {
      between[i] = x[i] + distance / 2;
    }
    List<Double> errors = new ArrayList<>();
    for (int width : widths) {
      RandomFeatureNetwork network = RandomFeatureNetwork.bandlimited(width, 1, band, seed);
      Tensor weights =
          RidgeRegression.solve(network.features(column(x)), values(target, x), PENALTY);
      Tensor off =
          network
              .features(column(between))
              .matmul(weights.unsqueeze(1))
              .squeeze(1)
              .sub(values(target, between));
      errors.add(Math.sqrt(off.square().mean().item()));
    }
    return new Errors(errors);
  }

  private static Tensor column(double... x) {
    return Tensor.of(x, x.length, 1);
  }

  private static Tensor values(DoubleUnaryOperator target, double... x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = target.applyAsDouble(x[i]);
    }
    return Tensor.of(y, x.length);
  }

  private static void claims(
      ExperimentContext lab, Map<String, Measured<Errors>> all, List<Integer> widths) {
    int widest = widths.get(widths.size() - 1);
    Measured<Errors> fast = all.get(FAST);
    lab.claim(
        "With weights bounded by 1 an error stays on %s: with %,d hidden units it is above 0.1"
            .formatted(FAST, widest),
        "the error does not vanish outside of the band (theorem 1)",
        SLOW,
        Check.all(
            Check.above("error", fast.of(name(1), Errors::widest), 0.1),
            Check.above(
                "as a multiple of that with %,d".formatted(widths.get(widths.size() / 2)),
                fast.of(name(1), Errors::widest).value() / fast.of(name(1), Errors::middle).value(),
                0.5)));
    lab.claim(
        "The same weights learn %s, which is smooth: the error is below 0.0001".formatted(SLOW),
        "",
        FAST,
        Check.below("error", all.get(SLOW).of(name(1), Errors::widest), 1e-4));
    lab.claim(
        "With weights bounded by 20 the error on %s vanishes: it is below 0.001".formatted(FAST),
        "it vanishes when the band covers the target",
        name(1),
        Check.below("error", fast.of(name(20), Errors::widest), 1e-3));
    lab.claim(
        "Too wide a band is slow: with %,d hidden units the error on %s is higher with 100 than with"
                .formatted(widths.get(1), SLOW)
            + " 5",
        "",
        name(5),
        Check.above(
            "error",
            all.get(SLOW).of(name(100), run -> run.errors().get(1)),
            all.get(SLOW).of(name(5), run -> run.errors().get(1))));
  }

  private static void report(
      ExperimentContext lab, String name, Measured<Errors> runs, List<Integer> widths) {
    lab.table(
        runs.table(
            "Error on " + name,
            "band",
            Column.each(
                widths.size(), i -> "%,d units".formatted(widths.get(i - 1)), Errors::errors)));
    lab.figure(
        new Figure(
            "Error on " + name + ", mean over the seeds",
            "hidden units",
            "root mean square",
            true,
            true,
            runs.means(widths, Errors::errors)));
  }
}
