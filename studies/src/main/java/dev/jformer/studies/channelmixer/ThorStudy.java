package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;
import static dev.jformer.studies.Column.named;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.PairBatch;
import dev.jformer.data.text.TokenPair;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.ffn.expert.Gate;
import dev.jformer.ffn.expert.HashGate;
import dev.jformer.ffn.expert.SwitchGate;
import dev.jformer.ffn.expert.ThorGate;
import dev.jformer.ffn.expert.ThorGate.Draw;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Multi30k;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.studies.trial.TranslationTrial;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Consistency;
import dev.jformer.train.Objective;
import dev.jformer.train.Translation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * THOR (<a href="https://arxiv.org/abs/2110.04260">Taming Sparsely Activated Transformer with
 * Stochastic Experts</a>): translators whose experts are drawn at random and made to agree, beside
 * a dense one, experts chosen by Switch's gate and by a hash of the word, and experts that are
 * drawn at random and not made to agree.
 */
@AutoService(Study.class)
public final class ThorStudy implements Study {
  private static final String DENSE = "dense";
  private static final String SWITCH = "Switch";
  private static final String RANDOM = "drawn at random, without consistency";
  private static final String THOR = "THOR";
  private static final String HALF = "THOR, half the updates";

  /** A variance of at most this share of another is far below it. */
  private static final double FAR = 0.25;

  private static final int EXPERTS = 4;
  private static final int TOGETHER = 64;

  /**
   * Something to be trained.
   *
   * @param gate who chooses experts; null for a dense model
   * @param objective what is made small
   * @param steps updates
   */
  private record Arm(Gate.Config gate, Objective objective, int steps) {
    int passes() {
      return objective instanceof Consistency ? 2 * steps : steps;
    }

    boolean draws() {
      return gate instanceof ThorGate.Config;
    }
  }

  /**
   * What a way to draw experts in inference leads to.
   *
   * @param draw what shares a draw
   * @param bleus of greedy translations of the test texts, a draw each
   * @param losses on the validation pairs in nats a token, a draw each
   * @param variance of a token's loss over the draws, mean over the tokens
   */
  public record Dispatch(Draw draw, List<Double> bleus, List<Double> losses, double variance) {
    double bleu() {
      return Seeds.mean(bleus, each -> each);
    }

    double loss() {
      return Seeds.mean(losses, each -> each);
    }

    String each() {
      return switch (draw) {
        case TOKEN -> "each token";
        case SEQUENCE -> "each sentence";
        case BATCH -> "each batch";
        case AVERAGE -> "none, mean of all experts";
      };
    }
  }

  /**
   * What came of a training.
   *
   * @param course of the loss on the validation pairs
   * @param dispatches one for each way to draw experts; a single one where none are drawn
   * @param load shares of the experts, the busiest first; empty if there are none
   * @param parameters number of weights
   */
  public record Outcome(
      TrainingCurve course, List<Dispatch> dispatches, List<Double> load, long parameters) {
    double bleu() {
      return dispatches.get(0).bleu();
    }

    double loss() {
      return dispatches.get(0).loss();
    }

    double variance() {
      return dispatches.get(0).variance();
    }

    List<Double> loadPercent() {
      return load.stream().map(share -> 100 * share).toList();
    }
  }

  /**
   * How long updates take.
   *
   * @param names of the arms
   * @param seconds of the passes of one update, an arm each
   */
  public record Pace(List<String> names, List<Double> seconds) {
    double of(String arm) {
      return seconds.get(names.indexOf(arm));
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    int steps = lab.scale().pick(2, 800, 40_000);
    Objective plain = new Objective.Plain();
    Arms<Arm> arms =
        Arms.of(DENSE, new Arm(null, plain, steps))
            .arm(SWITCH, new Arm(new SwitchGate.Config(), plain, steps))
            .arm("hash", new Arm(new HashGate.Config(), plain, steps))
            .control(RANDOM, new Arm(new ThorGate.Config(), plain, steps))
            .arm(THOR, new Arm(new ThorGate.Config(), new Consistency(), steps))
            .arm(HALF, new Arm(new ThorGate.Config(), new Consistency(), steps / 2));
    int pairs = lab.scale().pick(48, 2000, Integer.MAX_VALUE);
    Multi30k texts = Multi30k.of(lab.scale(), lab.scale().pick(300, 1024, 8192), pairs);
    Measured<Outcome> runs =
        arms.learn(
            lab,
            "",
            lab.scale().pick(1, 2, 3),
            arm ->
                trial(lab.scale(), texts, arm)
                    .examined(
                        Outcome.class,
                        (model, course, traces) ->
                            examine(lab.scale(), texts, arm, model, course)));
    quality(lab, arms.settings(), runs, pace(lab, texts, arms.settings()));
    draws(lab, runs);
    lab.table(
        runs.without(DENSE)
            .table(
                "Share of the tokens that each expert has in inference (%), the busiest first, mean"
                    + " over the layers",
                "model", Column.each(EXPERTS, e -> "expert " + e, Outcome::loadPercent)));
    lab.figure(
        runs.figure(
            "Loss on the validation pairs, first seed",
            "updates",
            "nats a token",
            (outcome, name) -> outcome.course().curve(name, arms.settings().get(name).steps())));
    lab.note(
        texts.description()
            + "; a vocabulary of "
            + texts.tokenizer().vocabularySize()
            + " tokens. Experts stand in every block, where the paper has them in every other one"
            + " of a deeper model. In training all tokens of a batch share one draw for each"
            + " layer, in inference those of a sentence. BLEU is the mean over the draws. The"
            + " time of updates is that of their passes, models in turns.");
  }

  private static Pace pace(ExperimentContext lab, Multi30k texts, Map<String, Arm> arms) {
    return lab.measure(
        "time of updates",
        Pace.class,
        () ->
            new Pace(
                List.copyOf(arms.keySet()),
                TranslationTrial.secondsOfPasses(
                    arms.values().stream().map(arm -> trial(lab.scale(), texts, arm)).toList(),
                    lab.scale().pick(2, 15, 15))));
  }

  private static TranslationTrial trial(Scale scale, Multi30k texts, Arm arm) {
    return new TranslationTrial(
        texts, scale, mixer(scale, arm.gate()), arm.objective(), arm.steps());
  }

  private static ChannelMixer.Config mixer(Scale scale, Gate.Config gate) {
    Mlp.Config expert = new Mlp.Config(Activation.RELU, 4, 0);
    return gate == null
        ? expert
        : new Experts.Config(
            expert, EXPERTS, gate, scale == Scale.PAPER ? 2 : 1, new Experts.Diversify());
  }

  private static void quality(
      ExperimentContext lab, Map<String, Arm> arms, Measured<Outcome> runs, Pace pace) {
    lab.claim(
        "THOR translates at least as well as Switch of equal size, at equal updates",
        "2 BLEU better in multilingual translation (abstract)",
        RANDOM,
        runs.atLeast("BLEU", THOR, SWITCH, Outcome::bleu));
    lab.claim(
        "THOR translates at least as well as Switch at equal passes, that is at half the updates",
        "(the paper does not say)",
        RANDOM,
        runs.atLeast("BLEU", HALF, SWITCH, Outcome::bleu));
    lab.table(
        runs.table(
            "Translators",
            "model",
            named("updates", name -> arms.get(name).steps()),
            named("passes", name -> arms.get(name).passes()),
            column("BLEU", Outcome::bleu),
            column("loss", "nats a token", Outcome::loss),
            named("ms an update", name -> 1e3 * pace.of(name)),
            named("seconds of all updates", name -> pace.of(name) * arms.get(name).steps()),
            fixed("weights", Outcome::parameters)));
  }

  private static void draws(ExperimentContext lab, Measured<Outcome> runs) {
    lab.claim(
        "With THOR what is predicted varies over draws far less than without consistency",
        "the loss makes experts predict consistently (abstract)",
        RANDOM,
        Check.atMost(
            "variance of a token's loss over that without consistency",
            runs.ratio(THOR, RANDOM, Outcome::variance),
            FAR));
    Map<String, List<Dispatch>> ways = new LinkedHashMap<>();
    for (String name : List.of(RANDOM, THOR, HALF)) {
      List<Outcome> outcomes = runs.arm(name).runs();
      for (int i = 0; i < outcomes.get(0).dispatches().size(); i++) {
        int way = i;
        ways.put(
            name + "; a draw for " + outcomes.get(0).dispatches().get(i).each(),
            outcomes.stream().map(outcome -> outcome.dispatches().get(way)).toList());
      }
    }
    lab.table(
        Measured.ofRuns(ways)
            .table(
                "Experts drawn anew",
                "model",
                column("BLEU", Dispatch::bleu),
                column("spread over draws", way -> Seeds.spread(way.bleus(), bleu -> bleu)),
                column("loss", "nats a token", Dispatch::loss),
                column("spread over draws", way -> Seeds.spread(way.losses(), loss -> loss)),
                new Column<>(
                    "spread of a token's loss",
                    arm -> Check.number(Math.sqrt(arm.of(Dispatch::variance).value())))));
  }

  // ---- A trained model

  private static Outcome examine(
      Scale scale, Multi30k texts, Arm arm, EncoderDecoder model, TrainingCurve course) {
    int some = scale.pick(2, 4, 8);
    List<Double> load = arm.gate() == null ? List.of() : trial(scale, texts, arm).load(model);
    List<Dispatch> dispatches =
        arm.draws()
            ? List.of(
                dispatch(texts, model, Draw.SEQUENCE, some),
                dispatch(texts, model, Draw.TOKEN, 2),
                dispatch(texts, model, Draw.AVERAGE, 1))
            : List.of(dispatch(texts, model, Draw.AVERAGE, 1));
    return new Outcome(course, dispatches, load, model.parameterCount());
  }

  private static Dispatch dispatch(Multi30k texts, EncoderDecoder model, Draw draw, int draws) {
    model.modules().values().stream()
        .filter(ThorGate.class::isInstance)
        .forEach(gate -> ((ThorGate) gate).setInferenceDraw(draw));
    List<Double> bleus = new ArrayList<>();
    List<double[]> losses = new ArrayList<>();
    for (int i = 0; i < draws; i++) {
      Random.seed(1000 + i);
      try (Scope scope = Scope.open()) {
        bleus.add(texts.bleu(model));
      }
      losses.add(losses(texts, model));
    }
    int tokens = losses.get(0).length;
    double variance =
        IntStream.range(0, tokens)
            .mapToDouble(t -> Math.pow(Seeds.spread(losses, each -> each[t]), 2))
            .average()
            .orElseThrow();
    List<Double> means =
        losses.stream().map(each -> Arrays.stream(each).average().orElseThrow()).toList();
    return new Dispatch(draw, bleus, means, variance);
  }

  /** The loss of each token of the validation pairs. */
  private static double[] losses(Multi30k texts, EncoderDecoder model) {
    List<TokenPair> pairs = texts.tokens(texts.validation(), model);
    List<double[]> parts = new ArrayList<>();
    for (int from = 0; from < pairs.size(); from += TOGETHER) {
      try (Scope scope = Scope.open()) {
        PairBatch batch =
            PairBatch.of(pairs.subList(from, Math.min(pairs.size(), from + TOGETHER)));
        Tensor logs = Translation.logits(model, batch).logSoftmax(1);
        parts.add(logs.gather(1, batch.targets().unsqueeze(1)).neg().toDoubles());
      }
    }
    return parts.stream().flatMapToDouble(Arrays::stream).toArray();
  }
}
