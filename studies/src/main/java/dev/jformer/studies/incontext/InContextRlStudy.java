package dev.jformer.studies.incontext;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.data.decision.BestPolicy;
import dev.jformer.data.decision.DecisionProblem;
import dev.jformer.data.decision.EmpiricalMeans;
import dev.jformer.data.decision.Environment;
import dev.jformer.data.decision.GaussianThompson;
import dev.jformer.data.decision.InteractionSource;
import dev.jformer.data.decision.LinUcb;
import dev.jformer.data.decision.LinearBandit;
import dev.jformer.data.decision.LinearBandits;
import dev.jformer.data.decision.MixedPolicy;
import dev.jformer.data.decision.Policy;
import dev.jformer.data.decision.TabularMdp;
import dev.jformer.data.decision.TabularMdps;
import dev.jformer.data.decision.UcbVi;
import dev.jformer.data.decision.UniformPolicy;
import dev.jformer.metrics.Metric;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.DecisionModel;
import dev.jformer.position.LearnedPosition;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.AdamW;
import dev.jformer.train.DecisionLearning;
import dev.jformer.train.RegretCurve;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Decisions learned in context (<a href="https://arxiv.org/abs/2310.08566">Transformers as Decision
 * Makers: Provable In-Context Reinforcement Learning via Supervised Pretraining</a>): Transformers
 * that learned from interactions of LinUCB, of Thompson sampling and of UCB-VI act in environments
 * of their own, beside these.
 */
@AutoService(Study.class)
public final class InContextRlStudy implements Study {
  private static final String LINUCB = "LinUCB";
  private static final String THOMPSON = "Thompson sampling";
  private static final String UCB_VI = "UCB-VI";
  private static final String UNIFORM = "uniform";
  private static final String DISTILLED = "distilled LinUCB";
  private static final String HALF = "LinUCB's labels, half of the interactions uniform";
  private static final String MISMATCHED = "LinUCB's labels, interactions uniform";
  private static final String SHUFFLED = "distilled LinUCB, labels exchanged";
  private static final String PRETRAINED = "decision-pretrained";
  private static final String DISTILLED_MDP = "distilled UCB-VI";

  /** Draws the environments that all act in; no training has this seed. */
  private static final long EVALUATION = 1_000_003;

  /** The share of a policy's regret that a model may lose beyond it. */
  private static final double MARGIN = 0.1;

  /**
   * How someone acted.
   *
   * @param regrets mean cumulative regret by the number of actions
   * @param largest the regret of all actions if the most probable actions are taken; NaN for
   *     policies
   * @param agreement share of held-out labels that are the most probable action; NaN for policies
   * @param seconds of training; 0 for policies
   */
  public record Acted(List<Double> regrets, double largest, double agreement, double seconds) {
    double regret() {
      return regrets.get(regrets.size() - 1);
    }

    double percent() {
      return 100 * agreement;
    }
  }

  /** What models learn from. */
  private record Lesson<E extends Environment>(
      DecisionProblem<E> problem, Policy<E> behaviour, Policy<E> expert, boolean shuffled) {
    InteractionSource<E> source(int batch, long seed) {
      return new InteractionSource<>(problem, behaviour, expert, shuffled, batch, seed);
    }
  }

  /** Models and their training. */
  private record Size(int layers, int width, int steps, int batch, int evaluated) {}

  @Override
  public void run(ExperimentContext lab) {
    Size size =
        lab.pick(
            new Size(1, 8, 2, 4, 10),
            new Size(2, 32, 3000, 64, 2000),
            new Size(8, 32, 100_000, 128, 2000));
    LinearBandits bandits =
        lab.pick(
            new LinearBandits(2, 3, 5, 0.5, LinearBandits.Weights.UNIFORM),
            new LinearBandits(2, 4, 24, 0.5, LinearBandits.Weights.UNIFORM),
            new LinearBandits());
    LinearBandits normal =
        new LinearBandits(
            bandits.dimension(),
            bandits.arms(),
            bandits.steps(),
            bandits.noise(),
            LinearBandits.Weights.NORMAL);
    TabularMdps processes =
        lab.pick(
            new TabularMdps(2, 2, 2, 2), new TabularMdps(3, 2, 3, 8), new TabularMdps(5, 3, 5, 40));
    Policy<LinearBandit> linUcb = new LinUcb(1, lab.pick(1, 1, 2));
    UcbVi ucbVi = new UcbVi(0.01, 0.1, processes.steps());

    Measured<Acted> distilled = distilled(lab, size, bandits, linUcb);
    Measured<Acted> pretrained =
        learned(
            lab,
            size,
            "Thompson",
            Map.of(
                PRETRAINED,
                new Lesson<>(
                    normal,
                    new MixedPolicy<>(
                        new GaussianThompson(normal.noise()),
                        new UniformPolicy<>(normal.arms()),
                        0.5),
                    new BestPolicy<>(),
                    false)));
    Measured<Acted> planned =
        learned(
            lab,
            size,
            "UCB-VI",
            Map.of(DISTILLED_MDP, new Lesson<>(processes, ucbVi, ucbVi, false)));

    Map<String, Policy<LinearBandit>> simple = new LinkedHashMap<>();
    simple.put(LINUCB, linUcb);
    simple.put("greedy ridge regression", new LinUcb(1, 0));
    simple.put("empirical means", new EmpiricalMeans());
    simple.put(UNIFORM, new UniformPolicy<>(bandits.arms()));
    Measured<Acted> ofBandits = policies(lab, size, "bandits, ", bandits, simple);
    Map<String, Policy<LinearBandit>> gaussian = new LinkedHashMap<>();
    gaussian.put(THOMPSON, new GaussianThompson(normal.noise()));
    gaussian.putAll(simple);
    Measured<Acted> ofNormal = policies(lab, size, "normal bandits, ", normal, gaussian);
    Map<String, Policy<TabularMdp>> planners = new LinkedHashMap<>();
    planners.put(UCB_VI, ucbVi);
    planners.put("greedy value iteration", new UcbVi(0, 0.1, processes.steps()));
    planners.put(UNIFORM, new UniformPolicy<>(processes.actions()));
    Measured<Acted> ofProcesses = policies(lab, size, "processes, ", processes, planners);

    claims(lab, distilled, ofBandits);
    claims(lab, pretrained, ofNormal, planned, ofProcesses);
    report(lab, "Linear bandits, weights uniform", distilled, ofBandits);
    report(lab, "Linear bandits, weights normal", pretrained, ofNormal);
    report(lab, "Tabular decision processes", planned, ofProcesses);
    lab.note(
        "Bandits: %d arms with %d features, noise of %s, %d actions; LinUCB with λ = 1 and a bonus"
            + " of %s. The paper has 10 arms, 5 features, noise of 1.5 and 200 actions. Processes:"
            + " %d states, %d actions, %d episodes of %d actions; UCB-VI with a bonus of 0.01 in"
            + " place of the theory's 7. The paper has no experiment with processes: that one is"
            + " ours. Models of %d layers and width %d, %,d updates with batches of %d new"
            + " interactions, learning rate 0.003, %d seeds; they read the features of the chosen"
            + " arm beside its index. All act in the same %,d environments. LinUCB and UCB-VI do"
            + " not draw their actions, so models that imitate them are judged by their most"
            + " probable actions; decision-pretrained models, as Thompson sampling, by actions that"
            + " are drawn. Size and number of updates were chosen after one training with one seed,"
            + " on 3 features, 5 arms and 600 updates, had not learned to use rewards. The"
            + " decision-pretrained model learns from interactions of which one half is Thompson"
            + " sampling's and one half uniform: from the former alone it learned slowly.",
        bandits.arms(),
        bandits.dimension(),
        Check.number(bandits.noise()),
        bandits.steps(),
        Check.number(lab.pick(1, 1, 2)),
        processes.states(),
        processes.actions(),
        processes.episodes(),
        processes.horizon(),
        size.layers(),
        size.width(),
        size.steps(),
        size.batch(),
        seeds(lab),
        size.evaluated());
  }

  private static int seeds(ExperimentContext lab) {
    return lab.pick(1, 3, 3);
  }

  private static Measured<Acted> distilled(
      ExperimentContext lab, Size size, LinearBandits problem, Policy<LinearBandit> expert) {
    Policy<LinearBandit> uniform = new UniformPolicy<>(problem.arms());
    Map<String, Lesson<LinearBandit>> lessons = new LinkedHashMap<>();
    lessons.put(DISTILLED, new Lesson<>(problem, expert, expert, false));
    lessons.put(
        HALF, new Lesson<>(problem, new MixedPolicy<>(expert, uniform, 0.5), expert, false));
    lessons.put(MISMATCHED, new Lesson<>(problem, uniform, expert, false));
    lessons.put(SHUFFLED, new Lesson<>(problem, expert, expert, true));
    return learned(lab, size, LINUCB, lessons);
  }

  private static <E extends Environment> Measured<Acted> learned(
      ExperimentContext lab, Size size, String name, Map<String, Lesson<E>> lessons) {
    return Arms.of(lessons).learn(lab, name, seeds(lab), lesson -> trial(size, lesson));
  }

  private static <E extends Environment> Trial<Acted> trial(Size size, Lesson<E> lesson) {
    DecisionProblem<E> problem = lesson.problem();
    DecisionModel.Config model =
        new DecisionModel.Config()
            .with(
                c ->
                    c.observations(problem.observations())
                        .actions(problem.actions())
                        .descriptions(problem.descriptions())
                        .steps(problem.steps()))
            .withStack(
                s ->
                    s.layers(size.layers())
                        .width(size.width())
                        .position(new LearnedPosition.Config()))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(2, 0)));
    TrainingConfig training =
        Small.training(size.steps(), size.batch(), 1)
            .withLearningRate(3e-3)
            .withOptimizer(new AdamW.Config().withWeightDecay(1e-4))
            .withEvaluateEvery(size.steps());
    return new TaskTrial<DecisionModel, DecisionLearning>(
            model::build,
            training,
            (built, session) ->
                new DecisionLearning(
                    built,
                    lesson.source(size.batch(), session.seed()),
                    Math.min(256, size.evaluated())))
        .examined(Acted.class, (built, task, result) -> acted(size, problem, built, task, result));
  }

  private static Acted acted(
      Size size,
      DecisionProblem<?> problem,
      DecisionModel model,
      DecisionLearning task,
      TrainingResult result) {
    RegretCurve sampled = curve(size, problem, model, RegretCurve.Choice.SAMPLED);
    RegretCurve largest = curve(size, problem, model, RegretCurve.Choice.LARGEST);
    return new Acted(
        sampled.regrets(), largest.total(), task.evaluate().get(Metric.ACCURACY), result.seconds());
  }

  private static RegretCurve curve(
      Size size, DecisionProblem<?> problem, DecisionModel model, RegretCurve.Choice choice) {
    return RegretCurve.of(problem, model, choice, size.evaluated(), EVALUATION);
  }

  private static <E extends Environment> Measured<Acted> policies(
      ExperimentContext lab,
      Size size,
      String what,
      DecisionProblem<E> problem,
      Map<String, Policy<E>> policies) {
    return Arms.of(policies)
        .measure(
            lab,
            what,
            Acted.class,
            policy ->
                new Acted(
                    RegretCurve.of(problem, policy, size.evaluated(), EVALUATION).regrets(),
                    Double.NaN,
                    Double.NaN,
                    0));
  }

  /** Checks the regret of all actions against a policy's in the same environments. */
  private static Check near(
      Measured<Acted> models,
      String model,
      ToDoubleFunction<Acted> regret,
      Measured<Acted> policies,
      String policy) {
    double theirs = policies.first(policy).regret();
    return Check.atMost(
        "regret as a multiple of " + policy + "'s",
        models.of(model, run -> regret.applyAsDouble(run) / theirs),
        1 + MARGIN);
  }

  private static void claims(
      ExperimentContext lab, Measured<Acted> models, Measured<Acted> policies) {
    lab.claim(
        "A Transformer that learned from LinUCB's interactions has at most 10 % more regret than"
            + " LinUCB in environments that it acts in itself",
        "Transformers approximate LinUCB (abstract)",
        SHUFFLED,
        near(models, DISTILLED, Acted::largest, policies, LINUCB));
    lab.claim(
        "Labels of LinUCB teach a Transformer to act: those of other interactions leave it with"
            + " more than twice the regret",
        "",
        SHUFFLED,
        Check.atMost(
            "regret as a multiple of that with exchanged labels",
            models.ratio(DISTILLED, SHUFFLED, Acted::largest),
            0.5));
    lab.claim(
        "The regret of a Transformer that imitates LinUCB grows with the distance between LinUCB"
            + " and the policy whose interactions it learns from",
        "the error grows with the divergence of expert and offline policy (abstract)",
        DISTILLED,
        Check.all(
            models.above("regret", MISMATCHED, HALF, Acted::largest),
            models.above("regret", MISMATCHED, DISTILLED, Acted::largest)));
  }

  private static void claims(
      ExperimentContext lab,
      Measured<Acted> pretrained,
      Measured<Acted> ofNormal,
      Measured<Acted> planned,
      Measured<Acted> ofProcesses) {
    lab.claim(
        "A Transformer that learned to predict the best action has at most 10 % more regret than"
            + " Thompson sampling with the right prior",
        "decision-pretrained models approximate Thompson sampling (abstract)",
        UNIFORM,
        Check.all(
            near(pretrained, PRETRAINED, Acted::regret, ofNormal, THOMPSON),
            Check.atMost(
                "regret as a multiple of the uniform policy's",
                pretrained.of(PRETRAINED, run -> run.regret() / ofNormal.first(UNIFORM).regret()),
                0.5)));
    lab.claim(
        "A Transformer that learned from interactions of UCB-VI has at most 10 % more regret than"
            + " UCB-VI in tabular decision processes",
        "Transformers approximate UCB-VI (abstract; theory without an experiment)",
        UNIFORM,
        Check.all(
            near(planned, DISTILLED_MDP, Acted::largest, ofProcesses, UCB_VI),
            Check.atMost(
                "regret as a multiple of the uniform policy's",
                planned.of(
                    DISTILLED_MDP, run -> run.largest() / ofProcesses.first(UNIFORM).regret()),
                0.9)));
  }

  private static void report(
      ExperimentContext lab, String title, Measured<Acted> models, Measured<Acted> policies) {
    lab.table(
        models
            .and(policies)
            .table(
                title,
                "who acts",
                column("regret", Acted::regret),
                column("regret of the most probable actions", Acted::largest),
                column("labels predicted (%)", Acted::percent),
                column("seconds of training", Acted::seconds)));
    List<Figure.Series> lines = new ArrayList<>();
    for (Measured.Arm<Acted> arm : models.and(policies).arms()) {
      int steps = arm.first().regrets().size();
      lines.add(
          Figure.Series.line(
              arm.name(),
              IntStream.rangeClosed(1, steps).boxed().toList(),
              IntStream.range(0, steps)
                  .mapToObj(t -> arm.of(run -> run.regrets().get(t)).value())
                  .toList()));
    }
    lab.figure(Figure.of(title, "actions", "cumulative regret", lines));
  }
}
