package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.TokenFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.ProbabilisticFlash;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.sparse.Combiner;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.HeldOutText;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Combiner: Full Attention Transformer with Sparse Computation Cost (<a
 * href="https://arxiv.org/abs/2107.05768">arXiv 2107.05768</a>): what its factorisations cost as
 * sequences grow, and how near to full attention they learn, beside their sparse pattern alone.
 */
@AutoService(Study.class)
public final class CombinerStudy implements Study {
  private static final int HEADS = 4;

  /** Of held-out text. */
  private static final int BATCHES = 40;

  private static final String SOFTMAX = "softmax attention";
  private static final String FIXED = "Combiner, fixed";
  private static final String LOG = "Combiner, log-sparse";
  private static final String AXIAL = "Combiner, axial";
  private static final String ALONE = "own block alone";
  private static final Arms<TokenMixer.Config> MIXERS =
      Arms.<TokenMixer.Config>of(SOFTMAX, new SoftmaxAttention.Config(HEADS, 0))
          .arm(FIXED, combiner(Combiner.Kind.FIXED))
          .arm(LOG, combiner(Combiner.Kind.LOG_SPARSE))
          .arm(AXIAL, combiner(Combiner.Kind.AXIAL));

  /**
   * How a mixer does in a model that learned with softmax attention.
   *
   * @param loss nats a byte on held-out text
   * @param divergence Kullback-Leibler divergence of the predictions from softmax attention's, nats
   *     a byte
   */
  public record Exchanged(double loss, double divergence) {}

  /** What became of a model that learned with softmax attention, by mixer in its place. */
  public record Exchange(Map<String, Exchanged> mixers) {}

  private static TokenMixer.Config combiner(Combiner.Kind kind) {
    return new Combiner.Config(HEADS, kind, Combiner.Pool.MAX, 0);
  }

  @Override
  public void run(ExperimentContext lab) {
    // What the fixed factorisation sees directly: blocks on the diagonal only.
    int block = (int) Math.ceil(Math.sqrt(length(lab.scale())));
    Arms<TokenMixer.Config> mixers =
        MIXERS.control(ALONE, new ProbabilisticFlash.Config(HEADS, 0, block, 0, true));
    costs(lab);
    language(lab, mixers);
    exchange(lab, mixers);
  }

  private static void costs(ExperimentContext lab) {
    List<Integer> sizes = List.of(1024, 2048, 4096, 8192, 16_384);
    LayerCost layer =
        new LayerCost(
            lab.scale().pick(16, 128, 512), lab.scale().pick(List.of(64, 128), sizes, sizes));
    int from = lab.scale().pick(64, 2048, 2048);
    Measured<Cost> costs = layer.measure(lab, MIXERS, true);
    Cost log = costs.first(LOG);
    lab.claim(
        "Combiner's fixed and axial factorisations cost O(T √T)",
        "O(L √L) (table 1)",
        Check.all(
            Check.atMost("exponent of time, fixed", costs.first(FIXED).timeExponent(from), 1.6),
            Check.atMost("axial", costs.first(AXIAL).timeExponent(from), 1.6)));
    lab.claim(
        "Combiner's log-sparse factorisation costs O(T log T)",
        "O(L log L) (table 1)",
        Check.all(
            Check.atMost("exponent of time", log.timeExponent(from), 1.25),
            Check.atMost("exponent of memory", log.memoryExponent(from), 1.25)));
    layer.report(lab, costs, from);
  }

  private static int length(Scale scale) {
    return scale.pick(36, 256, 1024);
  }

  private static int batch(Scale scale) {
    return scale.pick(2, 8, 16);
  }

  private static CausalLm.Config model(Scale scale, TokenMixer.Config mixer) {
    return Small.language(2, scale.pick(16, 64, 512), length(scale), mixer);
  }

  private static LanguageTrial trial(Scale scale, TokenMixer.Config mixer) {
    return new LanguageTrial(
        model(scale, mixer),
        Small.training(scale.pick(2, 400, 40_000), batch(scale), 1),
        BATCHES,
        null);
  }

  private static void language(ExperimentContext lab, Arms<TokenMixer.Config> mixers) {
    Measured<TrainingResult> runs =
        mixers.learn(
            lab, "language", lab.scale().pick(1, 2, 3), mixer -> trial(lab.scale(), mixer));
    lab.claim(
        "With regions, Combiner learns language better than its sparse pattern alone",
        "perplexity 16.60 against 19.12 of fixed sparse attention on Wiki-40B (table 3)",
        ALONE,
        runs.below("held-out loss", FIXED, ALONE, TrainingResult::finalLoss));
    lab.claim(
        "Combiner learns language about as well as full attention",
        "perplexity 16.60 against 16.69 of full attention (table 3)",
        ALONE,
        Check.atMost(
            "loss as a multiple of softmax attention's",
            runs.ratio(FIXED, SOFTMAX, TrainingResult::finalLoss),
            1.02));
    LanguageTrial.report(
        lab,
        runs,
        "Language models of " + length(lab.scale()) + " bytes at equal updates",
        "mixer");
  }

  private static void exchange(ExperimentContext lab, Arms<TokenMixer.Config> mixers) {
    Measured<Exchanged> all =
        Measured.within(
            lab.learn(
                "predictions in the place of softmax attention",
                trial(lab.scale(), MIXERS.settings().get(SOFTMAX))
                    .examined(
                        Exchange.class,
                        (model, result) -> exchange(lab.scale(), lab.text(), mixers, model)),
                lab.scale().pick(1, 2, 3)),
            Exchange::mixers);
    lab.claim(
        Claim.that(
                "In a model that learned with full attention, Combiner predicts more like it than"
                    + " its sparse pattern alone does",
                all.below(
                    "divergence of the predictions (nats a byte)",
                    FIXED,
                    ALONE,
                    Exchanged::divergence))
            .paper("full attention as a conditional expectation, not a part of it (section 3)")
            .control(ALONE)
            .remark("The weights of a softmax model are used with the other mixers, untrained."));
    lab.table(
        all.table(
            "A model that learned with softmax attention, others in its place",
            "mixer",
            column("loss", "nats a byte", Exchanged::loss),
            column("divergence", "nats a byte", Exchanged::divergence)));
  }

  private static Exchange exchange(
      Scale scale, TokenFile text, Arms<TokenMixer.Config> mixers, CausalLm learned) {
    Map<String, Exchanged> found = new LinkedHashMap<>();
    mixers
        .settings()
        .forEach(
            (name, mixer) -> {
              try (CausalLm other = model(scale, mixer).build()) {
                other.copyFrom(learned);
                other.train(false);
                found.put(
                    name,
                    new Exchanged(
                        LanguageModelling.evaluate(other, text, batch(scale), BATCHES),
                        divergence(learned, other, text, batch(scale))));
              }
            });
    return new Exchange(found);
  }

  /** How far the predictions of {@code other} are from those of {@code model}, nats a byte. */
  private static double divergence(CausalLm model, CausalLm other, TokenFile text, int rows) {
    return HeldOutText.mean(
        text,
        rows,
        model.config().length(),
        BATCHES,
        batch -> {
          Tensor expected = model.logits(batch.inputs()).logSoftmax(2);
          Tensor found = other.logits(batch.inputs()).logSoftmax(2);
          return expected.exp().mul(expected.sub(found)).sum(2, false);
        });
  }
}
