package dev.jformer.studies.algorithmic;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.construct.CounterMachine;
import dev.jformer.construct.MachineDecoder;
import dev.jformer.data.algorithm.StateTracking;
import dev.jformer.data.algorithm.StateTracking.Steps;
import dev.jformer.nn.BlockContext;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.AlgorithmTrial;
import dev.jformer.studies.trial.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.DoubleConsumer;

/**
 * The Expressive Power of Transformers with Chain of Thought (<a
 * href="https://arxiv.org/abs/2310.07923">arXiv 2310.07923</a>): weights that are written, not
 * learned, simulate finite automata, counter machines and Turing machines; how long double and
 * single precision can tell places apart by the layer-norm hash. Beside it, what small trained
 * models learn with no steps, a logarithmic number of steps and all.
 */
@AutoService(Study.class)
public final class CotExpressivePowerStudy implements Study {
  private static final String HASHED = "layer-norm hash";
  private static final String UNIFORM = "mean of all symbols";
  private static final String NONE = "no steps";
  private static final String LOGARITHMIC = "logarithmic steps";
  private static final String ALL = "a step a symbol";

  /**
   * Machines that a decoder was to simulate.
   *
   * @param machines number of machines
   * @param words number of words
   * @param longest symbols of the longest word
   * @param steps states that were to be named
   * @param wrongSteps states that were not
   * @param wrongAnswers words whose acceptance was told wrongly or not at all
   * @param weights of the largest decoder
   */
  public record Simulated(
      int machines,
      int words,
      int longest,
      long steps,
      long wrongSteps,
      int wrongAnswers,
      long weights) {}

  /**
   * How far the hash tells places apart.
   *
   * @param doubles the most places in double precision
   * @param floats the most in single precision
   */
  public record Range(int doubles, int floats) {}

  @Override
  public void run(ExperimentContext lab) {
    simulated(lab, "finite automata", lab.pick(5, 200, 2000), 0);
    simulated(lab, "counter machines", lab.pick(3, 100, 1000), 3);
    TuringRuns.measure(lab);
    range(lab);
    trained(lab);
    lab.note(
        "The paper has no experiments: its claims are theorems. Here its constructions are run. It"
            + " masks a token's own place; here a token sees itself too, which spares one addition."
            + " The trained models are ours, not the paper's; their weights begin with a deviation"
            + " of one over the root of the width. With the usual 0.02, measured first, none of"
            + " them learned anything in 1,000 updates.");
    lab.note(
        "No decoder of any size answers at once for all automata, unless TC0 equals NC1; that is a"
            + " statement on growing lengths, of which a trained model of one length is no proof.");
  }

  private static void simulated(ExperimentContext lab, String name, int machines, int counters) {
    int longest = lab.pick(40, 500, 1000);
    Measured<Simulated> runs =
        Arms.of(HASHED, true)
            .control(UNIFORM, false)
            .measure(
                lab,
                arm -> name + ", " + arm,
                Simulated.class,
                (hashed, progress) -> simulate(machines, counters, longest, hashed, progress));
    Simulated hashed = runs.first(HASHED);
    lab.claim(
        "Written weights simulate %d random %s without an error, on words of up to %d symbols"
            .formatted(machines, name, longest),
        counters == 0
            ? "linear steps recognise all regular languages (theorem)"
            : "steps of a machine can be simulated one by one (theorem)",
        UNIFORM,
        Check.all(
            Check.atMost("wrong states", (double) hashed.wrongSteps(), 0),
            Check.atMost("wrong answers", hashed.wrongAnswers(), 0),
            Check.above(
                "wrong states of the control, of " + hashed.steps(),
                (double) runs.first(UNIFORM).wrongSteps(),
                0)));
    lab.table(
        runs.table(
            "Random " + name,
            "reading by",
            fixed("machines", Simulated::machines),
            fixed("words", Simulated::words),
            fixed("states to name", Simulated::steps),
            fixed("wrong states", Simulated::wrongSteps),
            fixed("wrong answers", Simulated::wrongAnswers),
            fixed("weights of the largest", Simulated::weights)));
  }

  private static Simulated simulate(
      int machines, int counters, int longest, boolean hashed, DoubleConsumer progress) {
    SplittableRandom random = new SplittableRandom(7);
    int words = 0;
    long steps = 0;
    long wrongSteps = 0;
    int wrongAnswers = 0;
    long weights = 0;
    for (int i = 0; i < machines; i++) {
      CounterMachine machine =
          CounterMachine.random(
              1 + random.nextInt(counters == 0 ? 10 : 5),
              1 + random.nextInt(counters == 0 ? 4 : 3),
              counters == 0 ? 0 : 1 + random.nextInt(counters),
              random);
      MachineDecoder decoder = new MachineDecoder(machine, hashed);
      weights = Math.max(weights, decoder.decoder().weights());
      for (int length : new int[] {longest, random.nextInt(longest), random.nextInt(10)}) {
        int[] word = random.ints(length, 0, machine.symbols()).toArray();
        MachineDecoder.Trace trace = decoder.run(word);
        int[] states = machine.run(word);
        for (int step = 0; step < states.length; step++) {
          boolean right = step < trace.states().length && trace.states()[step] == states[step];
          wrongSteps += right ? 0 : 1;
        }
        steps += length;
        words++;
        boolean told = trace.answer() != null && trace.answer() == machine.accepts(word);
        wrongAnswers += told ? 0 : 1;
      }
      progress.accept((i + 1.0) / machines);
    }
    return new Simulated(machines, words, longest, steps, wrongSteps, wrongAnswers, weights);
  }

  private static void range(ExperimentContext lab) {
    int most = lab.pick(200, 20_000, 20_000);
    Range range =
        lab.measure(
            "range of the hash", Range.class, () -> new Range(told(most, false), told(most, true)));
    lab.claim(
        "The layer-norm hash tells places apart far longer in double than in single precision",
        "log-precision is enough (section 2)",
        Check.all(
            Check.atLeast("places, double precision", range.doubles(), Math.min(most, 2000)),
            Check.below("places, single precision", range.floats(), range.doubles())),
        "Searched up to " + most + " places.");
  }

  /** The places up to which a hash fits its own place better than the neighbouring ones. */
  private static int told(int most, boolean single) {
    for (int i = 1; i < most; i++) {
      double own = product(i, i, most, single);
      if (own <= product(i, i + 1, most, single) || own <= product(i, i - 1, most, single)) {
        return i - 1;
      }
    }
    return most;
  }

  /** The product of the hashes of two places, each computed from means over a prefix. */
  private static double product(int a, int b, int length, boolean single) {
    double[] first = hash(a, length + a, single);
    double[] second = hash(b, b + 1, single);
    double sum = 0;
    for (int i = 0; i < 2; i++) {
      double product = 2 * first[i] * second[i];
      sum = single ? (float) product + (float) sum : product + sum;
    }
    return sum;
  }

  private static double[] hash(int place, int prefix, boolean single) {
    if (single) {
      float x = (float) place / prefix;
      float y = 1f / prefix;
      float norm = (float) Math.sqrt((x * x + y * y) / 2);
      return new double[] {x / norm, y / norm};
    }
    double x = (double) place / prefix;
    double y = 1.0 / prefix;
    double norm = Math.sqrt((x * x + y * y) / 2);
    return new double[] {x / norm, y / norm};
  }

  private static void trained(ExperimentContext lab) {
    int things = lab.pick(2, 3, 5);
    int longest = lab.pick(4, 16, 20);
    Measured<AlgorithmTrial.Result> runs =
        Arms.of(ALL, Steps.ALL)
            .control(NONE, Steps.NONE)
            .arm(LOGARITHMIC, Steps.LOGARITHMIC)
            .learn(lab, "trained", lab.pick(1, 2, 3), steps -> trial(lab, things, longest, steps));
    lab.claim(
        "Small models track the state of %d permuted things better with a step a symbol than with none"
            .formatted(things),
        "linear steps add expressive power (theorem); trained models are ours",
        NONE,
        runs.above("accuracy (%)", ALL, NONE, run -> run.percent(0)));
    lab.claim(
        "Logarithmic steps add little: small models stay more than 10 points below those with a"
            + " step a symbol",
        "logarithmic steps stay in L (theorem); trained models are ours",
        ALL,
        Check.atMost(
            "accuracy (%)",
            runs.of(LOGARITHMIC, run -> run.percent(0)),
            runs.of(ALL, run -> run.percent(0)).plus(-10)));
    lab.table(
        runs.table(
            "Trained models: words of up to %d permutations of %d things, the last state"
                .formatted(longest, things),
            "derivation",
            column("accuracy (%)", run -> run.percent(0)),
            Column.eachSeed("accuracy by seed (%)", run -> run.percent(0)),
            column("seconds", run -> run.course().seconds())));
    List<Figure.Series> lines = new ArrayList<>();
    runs.arms()
        .forEach(
            arm -> {
              Map<Integer, Double> byLength =
                  new TreeMap<>(arm.first().byTrait().getOrDefault("length", Map.of()));
              if (!byLength.isEmpty()) {
                lines.add(
                    Figure.Series.line(
                        arm.name(),
                        List.copyOf(byLength.keySet()),
                        byLength.values().stream().map(share -> 100 * share).toList()));
              }
            });
    if (!lines.isEmpty()) {
      lab.figure(
          Figure.of(
              "Accuracy of trained models by length, first seed", "permutations", "%", lines));
    }
  }

  private static Trial<AlgorithmTrial.Result> trial(
      ExperimentContext lab, int things, int longest, Steps steps) {
    StateTracking problem = new StateTracking(things, lab.pick(1, 1, 1), longest, steps);
    int updates = lab.pick(5, 2000, 20_000);
    int width = lab.pick(16, 64, 256);
    return new AlgorithmTrial(
        problem,
        0,
        lab.pick(4, 500, 1000),
        Small.language(lab.pick(1, 2, 4), width, problem.mostSymbols(), lab.pick(2, 4, 8))
            .withBlock(block -> block.init(new BlockContext.Init(1 / Math.sqrt(width), true))),
        Small.training(updates, lab.pick(4, 64, 256), 1)
            .withLearningRate(3e-3)
            .withEvaluateEvery(updates));
  }
}
