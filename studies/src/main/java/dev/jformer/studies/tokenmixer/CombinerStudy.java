package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.ProbabilisticFlash;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.sparse.Combiner;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.HeldOutText;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import java.util.List;

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

  private static TokenMixer.Config combiner(Combiner.Kind kind) {
    return new Combiner.Config(HEADS, kind, Combiner.Pool.MAX, 0);
  }

  /**
   * How a mixer does in a model that learned with softmax attention.
   *
   * @param loss nats a byte on held-out text
   * @param divergence Kullback-Leibler divergence of the predictions from softmax attention's, nats
   *     a byte
   */
  public record Exchanged(double loss, double divergence) {}

  @Override
  public void run(ExperimentContext lab) {
    // What the fixed factorisation sees directly: blocks on the diagonal only.
    int block = (int) Math.ceil(Math.sqrt(length(lab)));
    Arms<TokenMixer.Config> mixers =
        MIXERS.control(ALONE, new ProbabilisticFlash.Config(HEADS, 0, block, 0, true));
    costs(lab);
    language(lab, mixers);
    exchange(lab, mixers);
  }

  private static void costs(ExperimentContext lab) {
    List<Integer> sizes = List.of(1024, 2048, 4096, 8192, 16_384);
    LayerCost layer =
        new LayerCost(lab.pick(16, 128, 512), lab.pick(List.of(64, 128), sizes, sizes));
    int from = lab.pick(64, 2048, 2048);
    Measured<Cost> costs = layer.measure(lab, MIXERS, true);
    lab.claim(
        "Combiner's fixed and axial factorisations cost O(T √T)",
        "O(L √L) (table 1)",
        Check.all(
            Check.atMost("exponent of time, fixed", costs.first(FIXED).timeExponent(from), 1.6),
            Check.atMost("axial", costs.first(AXIAL).timeExponent(from), 1.6)));
    lab.claim(
        "Combiner's log-sparse factorisation costs O(T log T)",
        "O(L log L) (table 1)",
        costs.first(LOG).growth("exponent of time", from, 1.25));
    layer.report(lab, costs, from);
  }

  private static int length(ExperimentContext lab) {
    return lab.pick(36, 256, 1024);
  }

  private static int batch(ExperimentContext lab) {
    return lab.pick(2, 8, 16);
  }

  private static CausalLm.Config model(ExperimentContext lab, TokenMixer.Config mixer) {
    return Small.language(2, lab.pick(16, 64, 512), length(lab), mixer);
  }

  private static LanguageTrial trial(ExperimentContext lab, TokenMixer.Config mixer) {
    return new LanguageTrial(
        model(lab, mixer), Small.training(lab.pick(2, 400, 40_000), batch(lab), 1), BATCHES);
  }

  private static void language(ExperimentContext lab, Arms<TokenMixer.Config> mixers) {
    Measured<TrainingResult> runs =
        mixers.learn(lab, "language", lab.pick(1, 2, 3), mixer -> trial(lab, mixer));
    lab.claim(
        "With regions, Combiner learns language better than its sparse pattern alone",
        "perplexity 16.60 against 19.12 of fixed sparse attention on Wiki-40B (table 3)",
        ALONE,
        runs.below("held-out loss", FIXED, ALONE, TrainingResult::finalLoss));
    lab.claim(
        "Combiner learns language about as well as full attention",
        "perplexity 16.60 against 16.69 of full attention (table 3)",
        ALONE,
        runs.ratioAtMost("loss", FIXED, SOFTMAX, TrainingResult::finalLoss, 1.02));
    String title = "Language models of " + length(lab) + " bytes at equal updates";
    LanguageTrial.report(lab, runs, title, "mixer");
  }

  private static void exchange(ExperimentContext lab, Arms<TokenMixer.Config> mixers) {
    LanguageTrial trial = trial(lab, MIXERS.settings().get(SOFTMAX));
    Measured<Exchanged> all =
        lab.learnTogether(
            "predictions in the place of softmax attention",
            Exchanged.class,
            lab.pick(1, 2, 3),
            session ->
                trial.examine(
                    session,
                    (model, result) -> mixers.map((name, mixer) -> exchanged(lab, model, mixer))));
    lab.claim(
        "In a model that learned with full attention, Combiner predicts more like it than"
            + " its sparse pattern alone does",
        "full attention as a conditional expectation, not a part of it (section 3)",
        ALONE,
        all.below(
            "divergence of the predictions (nats a byte)", FIXED, ALONE, Exchanged::divergence),
        "The weights of a softmax model are used with the other mixers, untrained.");
    lab.table(
        all.table(
            "A model that learned with softmax attention, others in its place",
            "mixer",
            column("loss", "nats a byte", Exchanged::loss),
            column("divergence", "nats a byte", Exchanged::divergence)));
  }

  private static Exchanged exchanged(
      ExperimentContext lab, CausalLm learned, TokenMixer.Config mixer) {
    try (CausalLm other = model(lab, mixer).build()) {
      other.copyFrom(learned);
      other.train(false);
      return new Exchanged(
          LanguageModelling.evaluate(other, lab.text(), batch(lab), BATCHES),
          divergence(lab, learned, other));
    }
  }

  /** How far the predictions of {@code other} are from those of {@code model}, nats a byte. */
  private static double divergence(ExperimentContext lab, CausalLm model, CausalLm other) {
    return HeldOutText.mean(
        lab.text(),
        batch(lab),
        length(lab),
        BATCHES,
        batch -> {
          Tensor expected = model.logits(batch.inputs()).logSoftmax(2);
          Tensor found = other.logits(batch.inputs()).logSoftmax(2);
          return expected.exp().mul(expected.sub(found)).sum(2, false);
        });
  }
}
