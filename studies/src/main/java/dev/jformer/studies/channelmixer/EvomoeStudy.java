package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.BaseGate;
import dev.jformer.ffn.expert.EvoMoeGate;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.ffn.expert.Gate;
import dev.jformer.ffn.expert.HashGate;
import dev.jformer.ffn.expert.StableGate;
import dev.jformer.ffn.expert.SwitchGate;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.ExpertCost;
import dev.jformer.studies.trial.Multi30k;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.studies.trial.TranslationTrial;
import dev.jformer.train.Objective;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * EvoMoE (<a href="https://arxiv.org/abs/2112.14397">An Evolutional Mixture-of-Experts Training
 * Framework via Dense-To-Sparse Gate</a>): translators whose experts come of one and whose gate
 * begins dense, beside those of Switch's gate, BASE layers, hash layers and StableMoE; and what it
 * costs to route tokens.
 */
@AutoService(Study.class)
public final class EvomoeStudy implements Study {
  private static final String EVOMOE = "EvoMoE";
  private static final String BUSIEST = "busiest expert's tokens";
  private static final String RUNNING = "expertsPerToken";
  private static final int EXPERTS = 4;

  /** Share of training that the first expert is alone. */
  private static final double ALONE = 0.1;

  /** What a layer of experts may take, as a multiple of a dense one of the active size. */
  private static final double CHEAP = 1.15;

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    int steps = lab.pick(10, 400, 40_000);
    Multi30k texts = Multi30k.of(lab.scale(), lab.pick(300, 2048, 8192), Integer.MAX_VALUE);
    int vocab = texts.tokenizer().vocabularySize() + 1;
    Experts.Diversify none = new Experts.Diversify();
    Measured<TrainingResult> runs =
        Arms.of("Switch", experts(new SwitchGate.Config(), none))
            .arm("BASE", experts(new BaseGate.Config(), none))
            .control("hash", experts(new HashGate.Config(), none))
            .arm("StableMoE", experts(new StableGate.Config(vocab, 0.1, 50, 0.3, 0.3), none))
            .arm(EVOMOE, experts(new EvoMoeGate.Config(), new Experts.Diversify(ALONE, 0.1)))
            .learn(lab, "", lab.pick(1, 2, 3), experts -> trial(lab, texts, experts, steps));
    quality(lab, runs, steps);
    course(lab, runs);
    lab.note(
        "%s; %s experts in every block. EvoMoE's first expert is alone for a tenth of the updates;"
            + " the gate's temperature falls from 2 to 0.3 after, and one expert runs in the last"
            + " fifth. Until then its updates cost more than the others', as the seconds say.",
        texts.description(), EXPERTS);
  }

  private static Experts.Config experts(Gate.Config gate, Experts.Diversify diversify) {
    return new Experts.Config(new Mlp.Config(Activation.RELU, 4, 0), EXPERTS, gate, 1, diversify);
  }

  private static Trial<TrainingResult> trial(
      ExperimentContext lab, Multi30k texts, Experts.Config experts, int steps) {
    TranslationTrial trial =
        new TranslationTrial(texts, lab.scale(), experts, new Objective.Plain(), steps);
    return trial.examined(
        TrainingResult.class,
        (model, result) ->
            result.with("bleu", texts.bleu(model)).with(BUSIEST, trial.load(model).get(0)));
  }

  private static void quality(ExperimentContext lab, Measured<TrainingResult> runs, int steps) {
    for (String other : runs.without(EVOMOE).names()) {
      lab.claim(
          "At equal updates EvoMoE's loss is lower than with " + other,
          "better than Switch, BASE, hash layers and StableMoE (abstract)",
          other,
          runs.below("nats a token", EVOMOE, other, TrainingResult::finalLoss));
    }
    lab.table(
        runs.table(
            "Translators after " + steps + " updates",
            "experts",
            column("loss", "nats a token", TrainingResult::finalLoss),
            column("BLEU", run -> run.metric("bleu")),
            column(
                "experts a token in training",
                run -> Seeds.mean(run.trace(RUNNING).values(), value -> value)),
            column("busiest expert's tokens in inference (%)", run -> 100 * run.metric(BUSIEST)),
            column("seconds of training", TrainingResult::seconds),
            fixed("weights", TrainingResult::parameters)));
  }

  private static void course(ExperimentContext lab, Measured<TrainingResult> runs) {
    List<Double> running = runs.first(EVOMOE).trace(RUNNING).values();
    lab.claim(
        "EvoMoE's routing goes from dense to one expert",
        "a gate from dense to sparse (abstract)",
        Check.all(
            Check.above("experts a token, most", Collections.max(running), EXPERTS / 2.0),
            Check.atMost("experts a token, in the end", running.get(running.size() - 1), 1)));
    lab.figure(
        TrainingResult.figure(runs, "Loss on the validation pairs, first seed", "nats a token"));
    lab.figure(
        runs.figure(
            "Experts for each token in training, first seed",
            "updates",
            "experts",
            (run, name) -> run.trace(RUNNING).curve(name)));
    lab.figure(
        runs.figure(
            "Load of the busiest expert in training, first seed, mean over the layers",
            "updates",
            "multiple of an equal share",
            (run, name) -> run.trace("expertLoad").curve(name)));
  }

  /** Measured before anything else, so that it can be while nothing else runs. */
  private static void costs(ExperimentContext lab) {
    int width = lab.pick(16, 512, 512);
    int rounds = lab.pick(3, 5, 15);
    Map<String, ExpertCost> layers = new LinkedHashMap<>();
    for (int tokens : lab.pick(List.of(32), List.of(2048, 4096), List.of(4096))) {
      for (int[] layer : new int[][] {{4, 1}, {8, 1}, {8, 2}}) {
        String name = layer[1] + " of " + layer[0] + " experts on " + tokens + " tokens";
        layers.put(
            name,
            lab.measure(
                "time of " + name,
                ExpertCost.class,
                () -> ExpertCost.measure(layer[0], layer[1], tokens, width, 4 * width, rounds)));
      }
    }
    Measured<ExpertCost> costs = Measured.of(layers);
    double forward = costs.all(ExpertCost::forward).max().orElseThrow();
    double both = costs.all(ExpertCost::both).max().orElseThrow();
    lab.claim(
        "A layer of experts takes little more time than a dense one of the active size",
        "(a mixture is to cost what is active)",
        Check.all(
            Check.atMost("times dense, forward", forward, CHEAP),
            Check.atMost("times dense, forward and backward", both, CHEAP)));
    lab.table(
        costs.table(
            ("Time of experts of %d x %d, a multiple of that of a dense perceptron with the hidden"
                    + " units of the active ones")
                .formatted(width, 4 * width),
            "experts active",
            fixed("tokens", ExpertCost::tokens),
            column("forward, inference", ExpertCost::forward),
            column("forward and backward", ExpertCost::both)));
  }
}
