package dev.jformer.studies;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.Combiner;
import dev.jformer.mixer.ProbabilisticFlash;
import dev.jformer.mixer.SoftmaxAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Learned;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Combiner (arXiv 2107.05768): what its factorisations cost as sequences grow, and how near to full
 * attention they learn, beside their sparse pattern alone.
 */
@AutoService(Study.class)
public final class CombinerStudy implements Study {
  private static final int HEADS = 4;
  private static final String SOFTMAX = "softmax attention";
  private static final String FIXED = "Combiner, fixed";
  private static final String LOG = "Combiner, log-sparse";
  private static final String AXIAL = "Combiner, axial";

  @Override
  public String slug() {
    return "combiner";
  }

  private static Map<String, TokenMixer.Config> mixers() {
    Map<String, TokenMixer.Config> mixers = new LinkedHashMap<>();
    mixers.put(SOFTMAX, new SoftmaxAttention.Config(HEADS, 0));
    mixers.put(FIXED, combiner(Combiner.Kind.FIXED));
    mixers.put(LOG, combiner(Combiner.Kind.LOG_SPARSE));
    mixers.put(AXIAL, combiner(Combiner.Kind.AXIAL));
    return mixers;
  }

  private static TokenMixer.Config combiner(Combiner.Kind kind) {
    return new Combiner.Config(HEADS, kind, Combiner.Pool.MAX, 0);
  }

  @Override
  public void run(Lab lab) {
    costs(lab);
    language(lab);
  }

  private static void costs(Lab lab) {
    LayerCost layer =
        new LayerCost(
            lab.scale().pick(16, 128, 512),
            lab.scale()
                .pick(
                    List.of(64, 128),
                    List.of(1024, 2048, 4096, 8192, 16_384),
                    List.of(1024, 2048, 4096, 8192, 16_384)));
    int from = lab.scale().pick(64, 2048, 2048);
    Map<String, Cost> costs = layer.measure(lab, mixers(), true);
    lab.claim(
        "Fixed and axial factorisations cost O(T √T)",
        "O(L √L) (table 1)",
        Check.all(
            Check.atMost("exponent of time, fixed", costs.get(FIXED).timeExponent(from), 1.6),
            Check.atMost("axial", costs.get(AXIAL).timeExponent(from), 1.6)));
    lab.claim(
        "The log-sparse factorisation costs O(T log T)",
        "O(L log L) (table 1)",
        Check.all(
            Check.atMost("exponent of time", costs.get(LOG).timeExponent(from), 1.25),
            Check.atMost("exponent of memory", costs.get(LOG).memoryExponent(from), 1.25)));
    layer.report(lab, costs, from);
  }

  private static void language(Lab lab) {
    int length = lab.scale().pick(36, 256, 1024);
    int block = (int) Math.ceil(Math.sqrt(length));
    Map<String, TokenMixer.Config> mixers = mixers();
    // Blocks on the diagonal only: what the fixed factorisation sees directly.
    String alone = "own block alone";
    mixers.put(alone, new ProbabilisticFlash.Config(HEADS, 0, block, 0, true));
    Map<String, List<Learned>> runs = new LinkedHashMap<>();
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    mixers.forEach(
        (name, mixer) -> {
          LanguageTrial trial =
              new LanguageTrial(
                  Small.language(2, lab.scale().pick(16, 64, 512), length, mixer),
                  Small.training(lab.scale().pick(2, 400, 40_000), lab.scale().pick(2, 8, 16), 1));
          List<Learned> learned = lab.learn("language, " + name, trial, lab.scale().pick(1, 2, 3));
          runs.put(name, learned);
          rows.add(
              Table.row(
                  name,
                  Learned.loss(learned),
                  Learned.spread(learned),
                  Seeds.mean(learned, run -> 1e3 * run.seconds() / run.steps()),
                  Seeds.mean(learned, run -> run.peakBytes() / 1e6)));
          curves.add(learned.get(0).curve(name));
        });
    double softmax = Learned.loss(runs.get(SOFTMAX));
    double fixed = Learned.loss(runs.get(FIXED));
    lab.claim(
        "With regions, Combiner is nearer to full attention than its sparse pattern alone",
        "perplexity 16.60 against 19.12 of fixed sparse attention on Wiki-40B (table 3)",
        Check.below(
            "distance to softmax attention's loss",
            fixed - softmax,
            Learned.loss(runs.get(alone)) - softmax));
    lab.claim(
        "Combiner learns language about as well as full attention",
        "perplexity 16.60 against 16.69 of full attention (table 3)",
        Check.atMost("loss as a multiple of softmax attention's", fixed / softmax, 1.02));
    lab.table(
        new Table(
            "Language models of " + length + " bytes at equal updates",
            List.of("mixer", "loss (nats a byte)", "spread", "ms a step", "peak MB"),
            rows));
    lab.figure(
        new Figure(
            "Language models, first seed", "updates", "held-out loss", false, false, curves));
  }
}
