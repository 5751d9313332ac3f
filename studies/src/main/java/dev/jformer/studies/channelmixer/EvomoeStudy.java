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
import dev.jformer.studies.trial.Traces.Trace;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.studies.trial.TranslationTrial;
import dev.jformer.train.Objective;
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
  private static final int EXPERTS = 4;

  /** Share of training that the first expert is alone. */
  private static final double ALONE = 0.1;

  /** What a layer of experts may take, as a multiple of a dense one of the active size. */
  private static final double CHEAP = 1.15;

  /**
   * What came of a training.
   *
   * @param course of the loss on the validation pairs
   * @param traces what the layers told meanwhile
   * @param bleu of greedy translations of the test texts
   * @param load shares of the experts, the busiest first
   * @param parameters number of weights
   */
  public record Outcome(
      TrainingCurve course, List<Trace> traces, double bleu, List<Double> load, long parameters) {
    Trace trace(String name) {
      return traces.stream().filter(trace -> trace.name().equals(name)).findAny().orElseThrow();
    }

    double loss() {
      return course.last();
    }

    double perToken() {
      return Seeds.mean(trace("expertsPerToken").values(), value -> value);
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    int steps = lab.scale().pick(10, 400, 40_000);
    Multi30k texts = Multi30k.of(lab.scale(), lab.scale().pick(300, 2048, 8192), Integer.MAX_VALUE);
    int vocab = texts.tokenizer().vocabularySize() + 1;
    Experts.Diversify none = new Experts.Diversify();
    Measured<Outcome> runs =
        Arms.of("Switch", experts(new SwitchGate.Config(), none))
            .arm("BASE", experts(new BaseGate.Config(), none))
            .control("hash", experts(new HashGate.Config(), none))
            .arm("StableMoE", experts(new StableGate.Config(vocab, 0.1, 50, 0.3, 0.3), none))
            .arm(EVOMOE, experts(new EvoMoeGate.Config(), new Experts.Diversify(ALONE, 0.1)))
            .learn(
                lab,
                "",
                lab.scale().pick(1, 2, 3),
                config ->
                    trial(
                        new TranslationTrial(
                            texts, lab.scale(), config, new Objective.Plain(), steps)));
    quality(lab, runs, steps);
    course(lab, runs, steps);
    lab.note(
        texts.description()
            + "; "
            + EXPERTS
            + " experts in every block. EvoMoE's first expert is alone for a tenth of the updates;"
            + " the gate's temperature falls from 2 to 0.3 after, and one expert runs in the last"
            + " fifth. Until then its updates cost more than the others', as the seconds say.");
  }

  private static Experts.Config experts(Gate.Config gate, Experts.Diversify diversify) {
    return new Experts.Config(new Mlp.Config(Activation.RELU, 4, 0), EXPERTS, gate, 1, diversify);
  }

  private static Trial<Outcome> trial(TranslationTrial trial) {
    return trial.examined(
        Outcome.class,
        (model, course, traces) ->
            new Outcome(
                course,
                traces,
                trial.texts().bleu(model),
                trial.load(model),
                model.parameterCount()));
  }

  private static void quality(ExperimentContext lab, Measured<Outcome> runs, int steps) {
    for (String other : runs.without(EVOMOE).names()) {
      lab.claim(
          "At equal updates EvoMoE's loss is lower than with " + other,
          "better than Switch, BASE, hash layers and StableMoE (abstract)",
          other,
          runs.below("nats a token", EVOMOE, other, Outcome::loss));
    }
    lab.table(
        runs.table(
            "Translators after " + steps + " updates",
            "experts",
            column("loss", "nats a token", Outcome::loss),
            column("BLEU", Outcome::bleu),
            column("experts a token in training", Outcome::perToken),
            column(
                "busiest expert's tokens in inference (%)", outcome -> 100 * outcome.load().get(0)),
            column("seconds of training", outcome -> outcome.course().seconds()),
            fixed("weights", Outcome::parameters)));
  }

  private static void course(ExperimentContext lab, Measured<Outcome> runs, int steps) {
    List<Double> running = runs.first(EVOMOE).trace("expertsPerToken").values();
    double most = running.stream().mapToDouble(value -> value).max().orElseThrow();
    lab.claim(
        "EvoMoE's routing goes from dense to one expert",
        "a gate from dense to sparse (abstract)",
        Check.all(
            Check.above("experts a token, most", most, EXPERTS / 2.0),
            Check.atMost("experts a token, in the end", running.get(running.size() - 1), 1)));
    lab.figure(
        runs.figure(
            "Loss on the validation pairs, first seed",
            "updates",
            "nats a token",
            (outcome, name) -> outcome.course().curve(name, steps)));
    lab.figure(
        runs.figure(
            "Experts for each token in training, first seed",
            "updates",
            "experts",
            (outcome, name) -> outcome.trace("expertsPerToken").curve(name)));
    lab.figure(
        runs.figure(
            "Load of the busiest expert in training, first seed, mean over the layers",
            "updates",
            "multiple of an equal share",
            (outcome, name) -> outcome.trace("expertLoad").curve(name)));
  }

  /** Measured before anything else, so that it can be while nothing else runs. */
  private static void costs(ExperimentContext lab) {
    int width = lab.scale().pick(16, 512, 512);
    int rounds = lab.scale().pick(3, 5, 15);
    Map<String, ExpertCost> layers = new LinkedHashMap<>();
    for (int tokens : lab.scale().pick(List.of(32), List.of(2048, 4096), List.of(4096))) {
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
            "Time of experts of "
                + width
                + " x "
                + 4 * width
                + ", a multiple of that of a dense perceptron with the hidden units of the"
                + " active ones",
            "experts active",
            fixed("tokens", ExpertCost::tokens),
            column("forward, inference", ExpertCost::forward),
            column("forward and backward", ExpertCost::both)));
  }
}
