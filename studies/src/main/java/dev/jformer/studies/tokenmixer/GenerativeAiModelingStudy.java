package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;
import static dev.jformer.studies.Column.named;

import com.google.auto.service.AutoService;
import dev.jformer.compress.quantize.StaircaseCaching;
import dev.jformer.data.text.Batch;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.ProbabilisticFlash;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.cache.Cache;
import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.mixer.cache.StaircaseCache;
import dev.jformer.mixer.cache.StaircaseCache.Step;
import dev.jformer.model.CausalLm;
import dev.jformer.position.Alibi;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.RopeAlibi;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.tokenization.SubwordLikelihood;
import dev.jformer.studies.tokenization.WordVectorTuning;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.Decoded;
import dev.jformer.studies.trial.HeldOutText;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.StepCost;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The techniques of The Nature of Mathematical Modeling and Probabilistic Optimization Engineering
 * in Generative AI (<a href="https://arxiv.org/abs/2410.18441">arXiv 2410.18441</a>): rotary
 * positions and linear biases at once, held to how models fare on longer texts than they learned
 * from; PrFlashAttention, held to what leaving blocks out saves and costs; and staircase
 * quantization of keys and values, held to what it saves and costs in decoding; sub-word encoding
 * of highest likelihood, held to that of other encodings; and the cross-entropy method for the
 * hyperparameters of word2vec, held to as many random trials.
 */
@AutoService(Study.class)
public final class GenerativeAiModelingStudy implements Study {
  private static final int HEADS = 4;
  private static final String ROPE = "RoPE";
  private static final String ALIBI = "ALiBi";
  private static final String BOTH = "RoPE and ALiBi";
  private static final String FULL = "full";
  private static final String TWO_BITS = "2 bits";
  private static final String STAIRCASE = "8, 4 and 2 bits";

  /** How many times as long as the texts learned from the texts are that models are tried on. */
  private static final List<Integer> TIMES = List.of(1, 2, 3, 4);

  /**
   * Losses of a model by length of the text.
   *
   * @param losses nats a byte, all bytes of a sequence counted
   */
  public record Outcome(List<Double> losses) {
    double shortest() {
      return losses.get(0);
    }

    double longest() {
      return losses.get(losses.size() - 1);
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    extrapolation(lab);
    blocks(lab);
    caches(lab, "multi-head", 0);
    caches(lab, "multi-query", 1);
    steps(lab);
    SubwordLikelihood.run(lab);
    WordVectorTuning.run(lab);
    lab.note(
        "The paper gives no figures for its techniques, so that claims are what its summary says of"
            + " them.");
  }

  private static void extrapolation(ExperimentContext lab) {
    int trained = lab.pick(16, 64, 512);
    List<Integer> lengths = TIMES.stream().map(times -> times * trained).toList();
    Measured<Outcome> runs =
        Arms.<Position.Config>ofControl(ROPE, new Rope.Config())
            .control(ALIBI, new Alibi.Config())
            .arm(BOTH, new RopeAlibi.Config())
            .learn(lab, "", lab.pick(1, 3, 3), position -> trial(lab, position, trained, lengths));
    Estimate both = runs.of(BOTH, Outcome::longest);
    Measured<Outcome> alone = runs.without(BOTH);
    lab.claim(
        "RoPE and ALiBi together fare better than RoPE alone on texts four times as long as"
            + " learned from",
        "improved extrapolation (abstract)",
        ROPE,
        runs.below("loss (nats a byte)", BOTH, ROPE, Outcome::longest),
        Check.sentence("ALiBi alone: %s.", runs.of(ALIBI, Outcome::longest)));
    lab.claim(
        "RoPE and ALiBi together lose nothing by length: no higher loss at four times the length"
            + " learned from",
        "",
        Check.atMost("loss (nats a byte)", both, runs.of(BOTH, Outcome::shortest)));
    lab.claim(
        "RoPE and ALiBi together are at least as good as the better of both at four times"
            + " the length",
        "combines their advantages (abstract)",
        ALIBI,
        Check.atMost(
            "loss (nats a byte)", both, alone.lowest(Outcome::longest).of(Outcome::longest)));
    lab.table(
        runs.table(
            "Loss by length of the text, nats a byte, learned from " + trained + " bytes",
            "positions",
            Column.each(TIMES.size(), i -> lengths.get(i - 1) + " bytes", Outcome::losses)));
    lab.figure(
        runs.figure(
            "Loss by length of the text, first seed",
            "bytes",
            "nats a byte",
            Curve.at(lengths, Outcome::losses)));
  }

  private static Trial<Outcome> trial(
      ExperimentContext lab, Position.Config position, int trained, List<Integer> lengths) {
    TokenMixer.Config mixer = new SoftmaxAttention.Config(HEADS, 0);
    return new LanguageTrial(
            Small.language(2, lab.pick(16, 64, 512), trained, position, mixer),
            Small.training(lab.pick(2, 500, 20_000), lab.pick(2, 16, 32), 1),
            lab.pick(1, 20, 40))
        .examined(
            Outcome.class,
            (model, result) ->
                new Outcome(lengths.stream().map(length -> loss(lab, model, length)).toList()));
  }

  /** Mean loss of the same held-out text, cut into sequences of a length. */
  private static double loss(ExperimentContext lab, CausalLm model, int length) {
    int rows = Math.max(1, 1024 / length);
    int batches = Math.max(1, lab.pick(256, 40_000, 200_000) / (rows * length));
    return HeldOutText.loss(
        lab.text(), rows, length, batches, ids -> model.logits(ids).logSoftmax(2));
  }

  private static String name(double p) {
    return String.format(Locale.ROOT, "p = %.2f", p);
  }

  private static Arms<TokenMixer.Config> flash(int block) {
    return Arms.named(List.of(1.0, 0.95, 0.8, 0.5), GenerativeAiModelingStudy::name)
        .with(p -> new ProbabilisticFlash.Config(HEADS, 0, block, p, false));
  }

  private static void blocks(ExperimentContext lab) {
    List<Integer> sizes =
        lab.pick(List.of(128, 256), List.of(1024, 2048, 4096), List.of(4096, 8192));
    Measured<Cost.Point> layers =
        new LayerCost(lab.pick(16, 128, 512), sizes).measure(lab, flash(128), true).map(Cost::last);
    int length = lab.pick(32, 256, 2048);
    int width = lab.pick(16, 64, 512);
    Measured<TrainingResult> runs =
        flash(length / 8)
            .learn(
                lab,
                "language",
                lab.pick(1, 2, 3),
                mixer ->
                    new LanguageTrial(
                        Small.language(2, width, length, new Rope.Config(), mixer),
                        Small.training(lab.pick(2, 300, 20_000), lab.pick(2, 8, 16), 1)));
    ToDoubleFunction<String> gain =
        arm -> layers.first(name(1)).seconds() / layers.first(arm).seconds();
    lab.claim(
        "Leaving blocks out makes attention faster",
        "fewer blocks are computed (abstract)",
        name(1),
        Check.all(
            Check.above("times as fast with " + name(0.8), gain.applyAsDouble(name(0.8)), 1),
            Check.above("with " + name(0.5), gain.applyAsDouble(name(0.5)), 1)));
    lab.claim(
        "Leaving blocks out of attention costs little loss",
        "",
        name(1),
        runs.ratioAtMost(
            "loss with " + name(0.8), name(0.8), name(1), TrainingResult::finalLoss, 1.02));
    lab.table(
        runs.table(
            ("PrFlashAttention: a layer of %d tokens in training, blocks of 128; language models"
                    + " of %d bytes, blocks of %d, evaluated with all blocks")
                .formatted(layers.first(name(1)).size(), length, length / 8),
            "probability",
            named("ms", arm -> 1e3 * layers.first(arm).seconds()),
            named("times as fast as exact", gain::applyAsDouble),
            column("loss", "nats a byte", TrainingResult::finalLoss)));
  }

  private static Arms<StaircaseCache.Config> staircases(ExperimentContext lab) {
    int unit = lab.pick(4, 32, 128);
    int group = lab.pick(4, 16, 32);
    return Arms.named(List.of(8, 4, 2), bits -> bits + " bits")
        .with(bits -> List.of(new Step(unit, bits)))
        .arm(STAIRCASE, List.of(new Step(unit, 8), new Step(3 * unit, 4), new Step(7 * unit, 2)))
        .with(steps -> new StaircaseCache.Config(group, 32, steps));
  }

  private static void caches(ExperimentContext lab, String heads, int keyValueHeads) {
    int length = lab.pick(40, 512, 4096);
    TokenMixer.Config mixer = new SoftmaxAttention.Config(HEADS, keyValueHeads);
    LanguageTrial trial =
        new LanguageTrial(
            Small.language(2, lab.pick(16, 64, 512), length, new Rope.Config(), mixer),
            Small.training(lab.pick(2, 800, 20_000), lab.pick(2, 4, 16), 1),
            lab.pick(1, 5, 40));
    Measured<Decoded.Outcome> caches =
        lab.learnTogether(
            "caches, " + heads,
            Decoded.Outcome.class,
            1,
            session -> trial.examine(session, (model, result) -> decoded(lab, model)));
    String with = " with " + heads + " attention";
    lab.claim(
        "The staircase takes less than half of the full cache's memory" + with,
        "",
        FULL,
        Check.below(
            "bytes as a share of the full float32 cache's",
            caches.first(STAIRCASE).bytes() / caches.first(FULL).bytes(),
            0.5),
        "Short texts: what is kept as it is weighs most. A float16 cache would take 0.5.");
    lab.claim(
        "The staircase costs little loss" + with,
        "minimal loss (abstract)",
        FULL,
        caches.ratioAtMost("loss", STAIRCASE, FULL, Decoded.Outcome::loss, 1.02));
    lab.claim(
        "Old tokens bear fewer bits than newer ones: it costs less than 2 bits for all but"
            + " the newest,"
            + with,
        "",
        TWO_BITS,
        caches.below("loss (nats a byte)", STAIRCASE, TWO_BITS, Decoded.Outcome::loss),
        Check.sentence(
            "Bytes: %s against %s.",
            caches.first(STAIRCASE).bytes(), caches.first(TWO_BITS).bytes()));
    lab.table(
        caches.table(
            "Caches of a language model" + with + " at the end of " + length + " bytes of text",
            "cache",
            fixed("bytes a sequence", Decoded.Outcome::bytes),
            fixed("times smaller", cache -> caches.first(FULL).bytes() / cache.bytes()),
            column("loss", "nats a byte", Decoded.Outcome::loss),
            column("same likeliest byte (%)", cache -> 100 * cache.agreement()),
            column("same greedy bytes until they part (%)", cache -> 100 * cache.together())));
  }

  /** What decoding with a model's caches gives, by name. */
  private static Map<String, Decoded.Outcome> decoded(ExperimentContext lab, CausalLm model) {
    Batch text =
        HeldOutText.batches(lab.text(), lab.pick(2, 8, 8), model.config().length(), 1).get(0);
    Decoded full = Decoded.of(model, text);
    Map<String, Decoded.Outcome> outcomes = new LinkedHashMap<>();
    outcomes.put(FULL, full.beside(full));
    staircases(lab)
        .settings()
        .forEach(
            (name, config) -> {
              try (Scope scope = Scope.open();
                  CausalLm other = (CausalLm) new StaircaseCaching(config).apply(model, null)) {
                outcomes.put(name, Decoded.of(other, text).beside(full));
              }
            });
    return outcomes;
  }

  private static void steps(ExperimentContext lab) {
    List<Integer> lengths =
        lab.pick(List.of(64), List.of(1024, 2048, 4096), List.of(4096, 8192, 16_384));
    Arms<TokenMixer.Config> mixers =
        Arms.<Cache.Config>of(FULL, new KeyValueCache.Config())
            .arm(STAIRCASE, new StaircaseCache.Config())
            .with(cache -> new SoftmaxAttention.Config(HEADS, 0, cache));
    Measured<StepCost> costs =
        Arms.named(lengths, Object::toString)
            .measure(
                lab,
                "steps of a layer after ",
                StepCost.class,
                tokens -> StepCost.measure(mixers, 256, tokens, lab.pick(2, 64, 64)));
    lab.table(
        costs.table(
            "A step of one layer of attention, width 256, 4 heads, with the default staircase",
            "tokens before",
            column("ms, full", cost -> cost.ms(FULL)),
            column("ms, staircase", cost -> cost.ms(STAIRCASE)),
            column("times as long", cost -> cost.times().ratio(STAIRCASE, FULL).value()),
            fixed("bytes, full", cost -> cost.bytes().get(FULL)),
            fixed("bytes, staircase", cost -> cost.bytes().get(STAIRCASE)),
            fixed("times smaller", cost -> cost.share(FULL, STAIRCASE))));
    String longest = "" + lengths.get(lengths.size() - 1);
    StepCost last = costs.first(longest);
    lab.claim(
        "On long texts the staircase takes at most a quarter of the full cache's memory",
        "",
        Check.atMost(
            "bytes as a share of the full float32 cache's after " + longest + " tokens",
            last.share(STAIRCASE, FULL),
            0.25),
        Check.sentence(
            "It is unpacked anew at each step, which on a CPU without a fused kernel takes time:"
                + " %s ms a step against %s.",
            last.ms(STAIRCASE), last.ms(FULL)));
  }
}
