package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.eachSeed;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.linear.FlowAttention;
import dev.jformer.mixer.linear.LinearAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.ListBatches;
import dev.jformer.studies.trial.ListTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import java.util.List;

/**
 * Flow-Attention (arXiv 2202.06258) beside softmax attention and plain linear attention: what they
 * cost as sequences grow, and how well they learn language, causally, and to evaluate nested lists,
 * with every token seeing all others.
 */
@AutoService(Study.class)
public final class FlowformerStudy implements Study {
  /** How near to softmax attention's loss counts as near. */
  private static final double NEAR = 1.05;

  /** How many points of accuracy below softmax attention's count as near. */
  private static final double NEAR_POINTS = 2;

  private static final double LINEAR_EXPONENT = 1.15;
  private static final int HEADS = 4;
  private static final String FLOW = "Flow-Attention";
  private static final String SOFTMAX = "softmax attention";
  private static final String LINEAR = "linear attention";
  private static final Arms<TokenMixer.Config> MIXERS =
      Arms.<TokenMixer.Config>of(FLOW, new FlowAttention.Config(HEADS))
          .arm(SOFTMAX, new SoftmaxAttention.Config(HEADS, 0))
          .control(LINEAR, new LinearAttention.Config(HEADS));

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    language(lab);
    lists(lab);
    lab.note(
        "Linear attention is that of arXiv 2006.16236, with elu(x) + 1 on queries and keys. Models"
            + " differ in the mixer alone, and have the same weights in number.");
    lab.note(
        "Softmax attention uses the engine's fused kernel, which holds no T×T matrix: its memory"
            + " is linear too, and less than that of either linear mixer.");
  }

  private static void costs(ExperimentContext lab) {
    List<Integer> usual = List.of(128, 256, 512, 1024, 2048, 4096, 8192, 16_384);
    List<Integer> paper = List.of(128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768);
    List<Integer> sizes = lab.pick(List.of(64, 128, 256), usual, paper);
    int from = lab.pick(64, 2048, 2048);
    LayerCost layer = new LayerCost(lab.pick(16, 256, 512), sizes);
    Measured<Cost> costs = layer.measure(lab, MIXERS, true);
    Cost flow = costs.first(FLOW);
    Cost softmax = costs.first(SOFTMAX);
    lab.claim(
        "Flow-Attention's time and memory are linear in the number of tokens",
        "linear complexity (abstract)",
        flow.growth("exponent of time", from, LINEAR_EXPONENT),
        Check.sentence(
            "From %s to %s tokens. Softmax attention: %s and %s.",
            from, flow.last().size(), softmax.timeExponent(from), softmax.memoryExponent(from)));
    lab.claim(
        "Causal Flow-Attention is faster than fused softmax attention on sequences of 2,048 tokens",
        "",
        Check.atMost("faster from tokens", flow.overtakes(softmax), 2048));
    layer.reportByLength(lab, costs);
  }

  private static void language(ExperimentContext lab) {
    CausalLm.Config model =
        Small.language(lab.pick(1, 3, 6), lab.pick(16, 64, 512), lab.pick(24, 128, 512), HEADS);
    Measured<TrainingResult> runs =
        MIXERS.learn(
            lab,
            "language",
            lab.pick(1, 3, 3),
            mixer ->
                new LanguageTrial(
                    model.withBlock(b -> b.mixer(mixer)),
                    Small.training(lab.pick(3, 800, 40_000), lab.pick(4, 16, 32), 1),
                    lab.pick(2, 40, 40)));
    lab.claim(
        "Flow-Attention learns language about as well as softmax attention",
        "perplexity 30.8 against 33.0 on WikiText-103 (the authors' summary)",
        LINEAR,
        runs.ratioAtMost("loss", FLOW, SOFTMAX, TrainingResult::finalLoss, NEAR));
    lab.claim(
        "Flow-Attention learns language better than linear attention",
        "perplexity 30.8 against 37.5 of Performer, another linear attention (authors' summary)",
        LINEAR,
        runs.below("loss", FLOW, LINEAR, TrainingResult::finalLoss));
    LanguageTrial.report(lab, runs, "Language models at equal updates", "mixer");
  }

  private static void lists(ExperimentContext lab) {
    ListBatches problems =
        lab.pick(
            new ListBatches(24, 2, 3), new ListBatches(64, 3, 4), new ListBatches(2000, 10, 10));
    Measured<TrainingResult> runs =
        MIXERS.learn(
            lab,
            "lists",
            lab.pick(1, 3, 3),
            mixer ->
                new ListTrial(
                    problems,
                    Small.lists(lab.pick(1, 3, 4), lab.pick(16, 64, 512), problems, mixer),
                    Small.training(lab.pick(10, 1500, 5000), lab.pick(8, 32, 32), 1),
                    lab.pick(50, 2000, 2000)));
    lab.claim(
        "Flow-Attention classifies lists about as well as softmax attention",
        "73.0 against 71.9 % on time series; softmax attention is not in their Long Range Arena",
        LINEAR,
        runs.atLeast("accuracy (%)", FLOW, SOFTMAX, TrainingResult::percentRight, NEAR_POINTS));
    lab.claim(
        "Flow-Attention classifies lists better than linear attention",
        "56.48 against Performer's 51.41 % on the Long Range Arena (authors' summary)",
        LINEAR,
        runs.above("accuracy (%)", FLOW, LINEAR, TrainingResult::percentRight));
    lab.table(
        runs.table(
            "Results of nested lists of up to %d tokens, %d deep; chance 10 %%"
                .formatted(problems.length(), problems.depth()),
            "mixer",
            column("accuracy", "%", TrainingResult::percentRight),
            eachSeed("by seed", TrainingResult::percentRight),
            column("held-out cross-entropy", TrainingResult::finalLoss),
            column("seconds", TrainingResult::seconds)));
    lab.figure(TrainingResult.figure(runs, "Nested lists, first seed", "cross-entropy (nats)"));
  }
}
