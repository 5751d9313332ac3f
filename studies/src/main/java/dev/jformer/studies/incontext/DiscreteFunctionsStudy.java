package dev.jformer.studies.incontext;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.incontext.Conjunctions;
import dev.jformer.data.incontext.Disjunctions;
import dev.jformer.data.incontext.FrequentLabelLearner;
import dev.jformer.data.incontext.FunctionClass;
import dev.jformer.data.incontext.Learner;
import dev.jformer.data.incontext.Majorities;
import dev.jformer.data.incontext.NearestNeighbours;
import dev.jformer.data.incontext.NeighboursLearner;
import dev.jformer.data.incontext.NormalForms;
import dev.jformer.data.incontext.Parities;
import dev.jformer.data.incontext.Thresholds;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.recurrent.Hyena;
import dev.jformer.mixer.recurrent.Lstm;
import dev.jformer.mixer.recurrent.Retention;
import dev.jformer.mixer.recurrent.S4d;
import dev.jformer.model.InContextModel.Prediction;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Boolean functions learned in context (<a href="https://arxiv.org/abs/2310.03016">Understanding
 * In-Context Learning in Transformers and LLMs by Learning to Learn Discrete Functions</a>): a
 * Transformer beside the best solver of each class, models without attention, and teaching
 * sequences.
 */
@AutoService(Study.class)
public final class DiscreteFunctionsStudy implements Study {
  private static final String CONJUNCTION = "conjunction";
  private static final String DISJUNCTION = "disjunction";
  private static final String PARITY = "parity-(10,2)";
  private static final String NEAREST = "nearest neighbour";
  private static final String TRANSFORMER = "Transformer";
  private static final String TAUGHT = "teaching sequence first";
  private static final String UNTAUGHT = "random examples";
  private static final String WRONG = "share of wrong labels";

  /** Points of accuracy within which a model counts as good as another. */
  private static final double MARGIN = 2;

  @Override
  public void run(ExperimentContext lab) {
    ContextModels size =
        lab.pick(
            new ContextModels(1, 16, 2, 14, 2, 4, 20),
            new ContextModels(2, 32, 4, 24, 6000, 32, 500).withLargerStart(2e-3),
            new ContextModels(12, 256, 8, 70, 20_000, 64, 1000));
    Map<String, FunctionClass> classes = classes(lab);
    List<String> names = List.copyOf(classes.keySet());
    Measured<ContextResult> models =
        Arms.named(names, name -> name)
            .learn(
                lab,
                TRANSFORMER,
                seeds(lab),
                name -> {
                  FunctionClass functions = classes.get(name);
                  return size.trial(
                      functions, size.model(functions, size.attention(), Prediction.SIGN, true));
                });
    Measured<ContextResult> solvers =
        solved(lab, "solver of ", size, classes, functions -> functions.learners().get(0));
    Measured<ContextResult> neighbours =
        solved(lab, "neighbours, ", size, classes, functions -> new NeighboursLearner(1));
    Measured<ContextResult> frequent =
        solved(lab, "labels, ", size, classes, functions -> new FrequentLabelLearner());
    classClaims(lab, names, models, solvers, frequent);
    Measured<ContextResult> mixers = mixers(lab, size, classes.get(CONJUNCTION), models);
    Measured<ContextResult> taught = teaching(lab, size);
    lab.table(
        models.table(
            "Accuracy after the last quarter of the examples, %",
            "class",
            column(TRANSFORMER, ContextResult::lateAccuracy),
            Column.named("best solver", arm -> solvers.first(arm).lateAccuracy()),
            Column.named(NEAREST, arm -> neighbours.first(arm).lateAccuracy()),
            Column.named("frequent label", arm -> frequent.first(arm).lateAccuracy()),
            column("seconds of training", ContextResult::seconds)));
    lab.table(
        mixers.table(
            "Conjunctions, by mixer",
            "mixer",
            column("accuracy, last quarter (%)", ContextResult::lateAccuracy),
            column("examples to 5 % errors", run -> run.reaches(0.05)),
            fixed("weights", ContextResult::parameters),
            column("seconds of training", ContextResult::seconds)));
    lab.table(
        taught.table(
            "Monotone conjunctions, Transformer",
            "prompts",
            Column.computed("examples to 5 % errors", arm -> needed(lab, arm)),
            column("accuracy, last quarter (%)", ContextResult::lateAccuracy)));
    for (String name : names) {
      Map<String, ContextResult> lines = new LinkedHashMap<>();
      lines.put(TRANSFORMER, models.first(name));
      lines.put("best solver", solvers.first(name));
      lines.put("frequent label", frequent.first(name));
      ContextResult.figure(lab, "Errors on functions of the class " + name, WRONG, lines);
    }
    Map<String, ContextResult> byMixer = new LinkedHashMap<>();
    mixers.names().forEach(name -> byMixer.put(name, mixers.first(name)));
    ContextResult.figure(lab, "Errors on conjunctions by mixer", WRONG, byMixer);
    Map<String, ContextResult> byPrompt = new LinkedHashMap<>();
    taught.names().forEach(name -> byPrompt.put(name, taught.first(name)));
    ContextResult.figure(lab, "Errors with and without teaching", WRONG, byPrompt);
    lab.note(
        "Functions of %d inputs, parities of 10. Models of %d layers and width %d, prompts of %d"
            + " examples, %,d updates with batches of %d, learning rate %s, weights that begin with"
            + " a deviation of %s; %,d prompts are measured, the same for models and solvers. The"
            + " paper has 12 layers of width 256, 28 inputs, 70 examples and up to 20,000 updates."
            + " Solvers: elimination for conjunctions and disjunctions, the vote of all pairs for"
            + " parities, the perceptron, and the nearest neighbour. These settings follow a first"
            + " run with 8 inputs, width 64 and 2,000 updates from a deviation of 0.02, in which"
            + " the Transformer was still learning: it had 83.6 %% on conjunctions. The labels"
            + " within a teaching sequence follow from its order, so at least the examples of the"
            + " longest one count as needed: one more than there are inputs.",
        inputs(lab),
        size.layers(),
        size.width(),
        size.examples(),
        size.steps(),
        size.batch(),
        Check.number(size.rate()),
        Check.number(size.deviation()),
        size.evaluated());
  }

  private static int seeds(ExperimentContext lab) {
    return lab.pick(1, 1, 3);
  }

  private static Map<String, FunctionClass> classes(ExperimentContext lab) {
    int n = inputs(lab);
    Map<String, FunctionClass> all = new LinkedHashMap<>();
    all.put(CONJUNCTION, new Conjunctions(n, 0.3, 0, 0.3, false, false));
    all.put(DISJUNCTION, new Disjunctions(n, 0.3, 0, 0.3, false, false));
    all.put("majority", new Majorities(n, lab.pick(0.3, 0.5, 0.3)));
    all.put(PARITY, new Parities(lab.pick(6, 10, 10), 2));
    all.put(NEAREST, new NearestNeighbours(n, lab.pick(4, 6, 20)));
    if (lab.pick(false, false, true)) {
      all.put("3-DNF", new NormalForms(NormalForms.Form.DNF, n, 3, 0.2, 0.35));
      all.put("3-CNF", new NormalForms(NormalForms.Form.CNF, n, 3, 0.2, 0.35));
      all.put("integer threshold", new Thresholds(n, 3));
    }
    return all;
  }

  /** Chooses a solver for a class. */
  private interface Choice {
    Learner of(FunctionClass functions);
  }

  private static Measured<ContextResult> solved(
      ExperimentContext lab,
      String what,
      ContextModels size,
      Map<String, FunctionClass> classes,
      Choice choice) {
    return Arms.of(classes)
        .measure(
            lab,
            what,
            ContextResult.class,
            functions -> size.solve(functions, choice.of(functions)));
  }

  private static void classClaims(
      ExperimentContext lab,
      List<String> names,
      Measured<ContextResult> models,
      Measured<ContextResult> solvers,
      Measured<ContextResult> frequent) {
    List<Check> near = new ArrayList<>();
    for (String name : List.of(CONJUNCTION, DISJUNCTION)) {
      near.add(
          Check.atLeast(
              "accuracy (%), " + name,
              models.of(name, ContextResult::lateAccuracy),
              solvers.first(name).lateAccuracy() - MARGIN));
    }
    lab.claim(
        "A Transformer is within %s points of elimination on conjunctions and disjunctions in the"
                .formatted(Check.number(MARGIN))
            + " last quarter of a prompt",
        "nearly matches the optimal learner on simple tasks (abstract)",
        "frequent label",
        Check.all(near));
    List<Check> better = new ArrayList<>();
    for (String name : names) {
      if (!name.equals(PARITY)) {
        better.add(
            Check.above(
                "accuracy (%), " + name,
                models.of(name, ContextResult::lateAccuracy),
                frequent.first(name).lateAccuracy() + MARGIN));
      }
    }
    lab.claim(
        "A Transformer learns from the inputs of all classes but parities: it is more than %s"
                .formatted(Check.number(MARGIN))
            + " points above the frequent label",
        "learns all but parities (table 1)",
        "frequent label",
        Check.all(better));
    lab.claim(
        "A Transformer does not learn parities of two of ten inputs, which a vote of all pairs"
            + " does",
        "fails on parity-(10,2) (table 1)",
        "frequent label",
        Check.all(
            Check.atMost(
                "accuracy (%), Transformer", models.of(PARITY, ContextResult::lateAccuracy), 60),
            Check.atLeast("accuracy (%), vote", solvers.first(PARITY).lateAccuracy(), 90)));
  }

  private static Measured<ContextResult> mixers(
      ExperimentContext lab,
      ContextModels size,
      FunctionClass functions,
      Measured<ContextResult> models) {
    Map<String, TokenMixer.Config> kinds = new LinkedHashMap<>();
    kinds.put("LSTM", new Lstm.Config());
    kinds.put("retention", new Retention.Config(size.heads(), 1e-5));
    kinds.put("diagonal state space", new S4d.Config());
    kinds.put("long convolution", new Hyena.Config());
    Measured<ContextResult> others =
        Arms.of(kinds)
            .learn(
                lab,
                "mixers",
                seeds(lab),
                mixer ->
                    size.trial(functions, size.model(functions, mixer, Prediction.SIGN, false)));
    double transformer = models.of(CONJUNCTION, ContextResult::lateAccuracy).value();
    List<Double> accuracies =
        others.names().stream()
            .map(name -> others.of(name, ContextResult::lateAccuracy).value())
            .sorted()
            .toList();
    lab.claim(
        "At least two models without attention are within %s points of the Transformer on"
                .formatted(Check.number(MARGIN))
            + " conjunctions",
        "some attention-free models match Transformers on a range of tasks (abstract)",
        TRANSFORMER,
        Check.atLeast(
            "accuracy of the second best (%)",
            accuracies.get(accuracies.size() - 2), transformer - MARGIN));
    return Measured.<ContextResult>ofRuns(Map.of(TRANSFORMER, models.arm(CONJUNCTION).runs()))
        .and(others);
  }

  private static Measured<ContextResult> teaching(ExperimentContext lab, ContextModels size) {
    int n = inputs(lab);
    Measured<ContextResult> runs =
        Arms.of(TAUGHT, true)
            .control(UNTAUGHT, false)
            .learn(
                lab,
                "teaching",
                seeds(lab),
                teaching -> {
                  FunctionClass functions = new Conjunctions(n, 0.3, 0, 0.3, true, teaching);
                  return size.trial(
                      functions, size.model(functions, size.attention(), Prediction.SIGN, true));
                });
    lab.claim(
        "A Transformer needs fewer examples of a monotone conjunction where prompts begin with a"
            + " teaching sequence",
        "more sample-efficient with teaching sequences (abstract)",
        UNTAUGHT,
        Check.below(
            "examples to 5 % errors",
            needed(lab, runs.arm(TAUGHT)), needed(lab, runs.arm(UNTAUGHT))));
    return runs;
  }

  /** The examples that are needed, those of the longest teaching sequence included. */
  private static Estimate needed(ExperimentContext lab, Measured.Arm<ContextResult> arm) {
    int teaching = arm.name().equals(TAUGHT) ? inputs(lab) + 1 : 0;
    return arm.of(run -> run.reaches(0.05, teaching));
  }

  private static int inputs(ExperimentContext lab) {
    return lab.pick(4, 6, 28);
  }
}
