package dev.jformer.studies.channelmixer;

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
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.ExpertCost;
import dev.jformer.studies.trial.Multi30k;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Traces.Trace;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.studies.trial.TranslationTrial;
import dev.jformer.train.Objective;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * EvoMoE (arXiv 2112.14397): translators whose experts come of one and whose gate begins dense,
 * beside those of Switch's gate, BASE layers, hash layers and StableMoE; and what it costs to route
 * tokens.
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

    double perToken() {
      return Seeds.mean(trace("expertsPerToken").values(), value -> value);
    }
  }

  @Override
  public String slug() {
    return "evomoe";
  }

  @Override
  public void run(ExperimentContext lab) {
    List<ExpertCost> costs = costs(lab);
    int steps = lab.scale().pick(10, 400, 40_000);
    Multi30k texts = Multi30k.of(lab.scale(), lab.scale().pick(300, 2048, 8192), Integer.MAX_VALUE);
    int vocab = texts.tokenizer().vocabularySize() + 1;
    Map<String, Experts.Config> arms = new LinkedHashMap<>();
    arms.put("Switch", experts(new SwitchGate.Config(), new Experts.Diversify()));
    arms.put("BASE", experts(new BaseGate.Config(), new Experts.Diversify()));
    arms.put("hash", experts(new HashGate.Config(), new Experts.Diversify()));
    arms.put(
        "StableMoE",
        experts(new StableGate.Config(vocab, 0.1, 50, 0.3, 0.3), new Experts.Diversify()));
    arms.put(EVOMOE, experts(new EvoMoeGate.Config(), new Experts.Diversify(ALONE, 0.1)));
    Map<String, List<Outcome>> all = new LinkedHashMap<>();
    for (int seed = 1; seed <= lab.scale().pick(1, 2, 3); seed++) {
      int s = seed;
      arms.forEach(
          (name, config) ->
              all.computeIfAbsent(name, n -> new ArrayList<>())
                  .add(
                      lab.measure(
                          name + ", seed " + s,
                          Outcome.class,
                          progress -> {
                            TranslationTrial trial =
                                new TranslationTrial(
                                    texts, lab.scale(), config, new Objective.Plain(), steps);
                            return trial.run(
                                s,
                                progress,
                                (model, course, traces) ->
                                    new Outcome(
                                        course,
                                        traces,
                                        texts.bleu(model),
                                        trial.load(model),
                                        model.parameterCount()));
                          })));
    }
    quality(lab, all, steps);
    course(lab, all, steps);
    report(lab, costs);
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

  private static void quality(ExperimentContext lab, Map<String, List<Outcome>> all, int steps) {
    List<List<String>> rows = new ArrayList<>();
    all.forEach(
        (name, outcomes) ->
            rows.add(
                Table.row(
                    name,
                    Seeds.mean(outcomes, o -> o.course().last()),
                    Seeds.spread(outcomes, o -> o.course().last()),
                    Seeds.mean(outcomes, Outcome::bleu),
                    Seeds.spread(outcomes, Outcome::bleu),
                    Seeds.mean(outcomes, Outcome::perToken),
                    100 * Seeds.mean(outcomes, o -> o.load().get(0)),
                    Seeds.mean(outcomes, o -> o.course().seconds()),
                    outcomes.get(0).parameters())));
    double loss = Seeds.mean(all.get(EVOMOE), o -> o.course().last());
    all.forEach(
        (name, outcomes) -> {
          if (!name.equals(EVOMOE)) {
            lab.claim(
                "At equal updates EvoMoE's loss is lower than with " + name,
                "better than Switch, BASE, hash layers and StableMoE (abstract)",
                Check.below("nats a token", loss, Seeds.mean(outcomes, o -> o.course().last())));
          }
        });
    lab.table(
        new Table(
            "Translators after " + steps + " updates",
            List.of(
                "experts",
                "loss (nats a token)",
                "spread",
                "BLEU",
                "spread",
                "experts a token in training",
                "busiest expert's tokens in inference (%)",
                "seconds of training",
                "weights"),
            rows));
  }

  private static void course(ExperimentContext lab, Map<String, List<Outcome>> all, int steps) {
    List<Double> running = all.get(EVOMOE).get(0).trace("expertsPerToken").values();
    double most = running.stream().mapToDouble(value -> value).max().orElseThrow();
    lab.claim(
        "EvoMoE's routing goes from dense to one expert",
        "a gate from dense to sparse (abstract)",
        Check.all(
            Check.above("experts a token, most", most, EXPERTS / 2.0),
            Check.atMost("experts a token, in the end", running.get(running.size() - 1), 1)));
    List<Figure.Series> losses = new ArrayList<>();
    List<Figure.Series> perToken = new ArrayList<>();
    List<Figure.Series> load = new ArrayList<>();
    all.forEach(
        (name, outcomes) -> {
          Outcome first = outcomes.get(0);
          losses.add(first.course().curve(name, steps));
          perToken.add(first.trace("expertsPerToken").curve(name));
          load.add(first.trace("expertLoad").curve(name));
        });
    lab.figure(
        new Figure(
            "Loss on the validation pairs, first seed",
            "updates",
            "nats a token",
            false,
            false,
            losses));
    lab.figure(
        new Figure(
            "Experts for each token in training, first seed",
            "updates",
            "experts",
            false,
            false,
            perToken));
    lab.figure(
        new Figure(
            "Load of the busiest expert in training, first seed, mean over the layers",
            "updates",
            "multiple of an equal share",
            false,
            false,
            load));
  }

  /** Measured before anything else, so that it can be while nothing else runs. */
  private static List<ExpertCost> costs(ExperimentContext lab) {
    int width = width(lab.scale());
    List<ExpertCost> costs = new ArrayList<>();
    for (int tokens : lab.scale().pick(new int[] {32}, new int[] {2048, 4096}, new int[] {4096})) {
      for (int[] layer : new int[][] {{4, 1}, {8, 1}, {8, 2}}) {
        costs.add(
            lab.measure(
                "time of " + layer[1] + " of " + layer[0] + " experts on " + tokens + " tokens",
                ExpertCost.class,
                () ->
                    ExpertCost.measure(
                        layer[0], layer[1], tokens, width, 4 * width, lab.scale().pick(3, 5, 15))));
      }
    }
    return costs;
  }

  private static int width(Scale scale) {
    return scale.pick(16, 512, 512);
  }

  private static void report(ExperimentContext lab, List<ExpertCost> costs) {
    lab.claim(
        "A layer of experts takes little more time than a dense one of the active size",
        "(a mixture is to cost what is active)",
        Check.all(
            Check.atMost(
                "times dense, forward",
                costs.stream().mapToDouble(ExpertCost::forward).max().orElseThrow(),
                CHEAP),
            Check.atMost(
                "times dense, forward and backward",
                costs.stream().mapToDouble(ExpertCost::both).max().orElseThrow(),
                CHEAP)));
    int width = width(lab.scale());
    lab.table(
        new Table(
            "Time of experts of "
                + width
                + " x "
                + 4 * width
                + ", a multiple of that of a dense perceptron with the hidden units of the active"
                + " ones",
            List.of("experts active", "tokens", "forward, inference", "forward and backward"),
            costs.stream()
                .map(
                    cost ->
                        Table.row(
                            cost.active() + " of " + cost.experts(),
                            cost.tokens(),
                            cost.forward(),
                            cost.both()))
                .toList()));
  }
}
