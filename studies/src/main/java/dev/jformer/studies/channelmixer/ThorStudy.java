package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;
import static dev.jformer.studies.Column.named;

import com.google.auto.service.AutoService;
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
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Multi30k;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.studies.trial.TranslationTrial;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.Consistency;
import dev.jformer.train.Objective;
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
   * @param dispatches one for each way to draw experts; a single one where none are drawn
   * @param load shares of the experts, the busiest first; empty if there are none
   */
  public record Outcome(TrainingResult result, List<Dispatch> dispatches, List<Double> load) {
    Dispatch usual() {
      return dispatches.get(0);
    }

    List<Double> loadPercent() {
      return load.stream().map(share -> 100 * share).toList();
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    int steps = lab.pick(2, 800, 40_000);
    Objective plain = new Objective.Plain();
    Arms<Arm> arms =
        Arms.of(DENSE, new Arm(null, plain, steps))
            .arm(SWITCH, new Arm(new SwitchGate.Config(), plain, steps))
            .arm("hash", new Arm(new HashGate.Config(), plain, steps))
            .control(RANDOM, new Arm(new ThorGate.Config(), plain, steps))
            .arm(THOR, new Arm(new ThorGate.Config(), new Consistency(), steps))
            .arm(HALF, new Arm(new ThorGate.Config(), new Consistency(), steps / 2));
    int pairs = lab.pick(48, 2000, Integer.MAX_VALUE);
    Multi30k texts = Multi30k.of(lab.scale(), lab.pick(300, 1024, 8192), pairs);
    Measured<Outcome> runs = arms.learn(lab, "", lab.pick(1, 2, 3), arm -> trial(lab, texts, arm));
    TimedArms pace =
        lab.measure(
            "time of updates",
            TimedArms.class,
            () ->
                TranslationTrial.passes(
                    arms.map((name, arm) -> training(lab, texts, arm)), lab.pick(2, 15, 15)));
    quality(lab, arms.settings(), runs, pace);
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
            (outcome, name) -> outcome.result().curve(name)));
    lab.note(
        "%s; a vocabulary of %s tokens. Experts stand in every block, where the paper has them in"
            + " every other one of a deeper model. In training all tokens of a batch share one draw"
            + " for each layer, in inference those of a sentence. BLEU is the mean over the draws."
            + " The time of updates is that of their passes, models in turns.",
        texts.description(), texts.tokenizer().vocabularySize());
  }

  private static TranslationTrial training(ExperimentContext lab, Multi30k texts, Arm arm) {
    Mlp.Config expert = new Mlp.Config(Activation.RELU, 4, 0);
    int every = lab.pick(1, 1, 2);
    ChannelMixer.Config mixer =
        arm.gate() == null
            ? expert
            : new Experts.Config(expert, EXPERTS, arm.gate(), every, new Experts.Diversify());
    return new TranslationTrial(texts, lab.scale(), mixer, arm.objective(), arm.steps());
  }

  private static void quality(
      ExperimentContext lab, Map<String, Arm> arms, Measured<Outcome> runs, TimedArms pace) {
    lab.claim(
        "THOR translates at least as well as Switch of equal size, at equal updates",
        "2 BLEU better in multilingual translation (abstract)",
        RANDOM,
        runs.atLeast("BLEU", THOR, SWITCH, run -> run.usual().bleu()));
    lab.claim(
        "THOR translates at least as well as Switch at equal passes, that is at half the updates",
        "(the paper does not say)",
        RANDOM,
        runs.atLeast("BLEU", HALF, SWITCH, run -> run.usual().bleu()));
    lab.table(
        runs.table(
            "Translators",
            "model",
            named("updates", name -> arms.get(name).steps()),
            named("passes", name -> arms.get(name).passes()),
            column("BLEU", run -> run.usual().bleu()),
            column("loss", "nats a token", run -> run.usual().loss()),
            named("ms an update", name -> 1e3 * pace.seconds(name)),
            named("seconds of all updates", name -> pace.seconds(name) * arms.get(name).steps()),
            fixed("weights", outcome -> outcome.result().parameters())));
  }

  private static void draws(ExperimentContext lab, Measured<Outcome> runs) {
    lab.claim(
        "With THOR what is predicted varies over draws far less than without consistency",
        "the loss makes experts predict consistently (abstract)",
        RANDOM,
        runs.ratioAtMost(
            "variance of a token's loss", THOR, RANDOM, run -> run.usual().variance(), FAR));
    Map<String, List<Dispatch>> ways = new LinkedHashMap<>();
    for (String name : List.of(RANDOM, THOR, HALF)) {
      for (int i = 0; i < runs.first(name).dispatches().size(); i++) {
        int way = i;
        ways.put(
            name + "; a draw for " + runs.first(name).dispatches().get(way).each(),
            runs.arm(name).runs().stream().map(run -> run.dispatches().get(way)).toList());
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

  private static Trial<Outcome> trial(ExperimentContext lab, Multi30k texts, Arm arm) {
    TranslationTrial training = training(lab, texts, arm);
    int some = lab.pick(2, 4, 8);
    return training.examined(
        Outcome.class,
        (model, result) -> {
          List<Double> load = arm.gate() == null ? List.of() : training.load(model);
          List<Dispatch> dispatches = new ArrayList<>();
          if (arm.gate() instanceof ThorGate.Config) {
            dispatches.add(dispatch(texts, model, Draw.SEQUENCE, some));
            dispatches.add(dispatch(texts, model, Draw.TOKEN, 2));
          }
          dispatches.add(dispatch(texts, model, Draw.AVERAGE, 1));
          return new Outcome(result, dispatches, load);
        });
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
      losses.add(texts.tokenLosses(model));
    }
    double variance =
        IntStream.range(0, losses.get(0).length)
            .mapToDouble(t -> Math.pow(Seeds.spread(losses, each -> each[t]), 2))
            .average()
            .orElseThrow();
    List<Double> means =
        losses.stream().map(each -> Arrays.stream(each).average().orElseThrow()).toList();
    return new Dispatch(draw, bleus, means, variance);
  }
}
