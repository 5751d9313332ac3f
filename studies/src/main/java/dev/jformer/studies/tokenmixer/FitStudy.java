package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.NoChannels;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.interleaved.FarReaching;
import dev.jformer.position.NoPosition;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LanguageUpdate;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Memory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * FIT: Far-reaching Interleaved Transformers (<a href="https://arxiv.org/abs/2305.12689">arXiv
 * 2305.12689</a>): how the time of a training step grows with the text, what a step of 160,000
 * tokens takes, and how near to full attention language models of bytes learn.
 */
@AutoService(Study.class)
public final class FitStudy implements Study {
  private static final int HEADS = 4;
  private static final String FIT = "FIT";
  private static final String FULL = "full attention";
  private static final String ALONE = "groups alone";

  /** Blocks of full attention that have about as many weights as the network of FIT. */
  private static final int BLOCKS = 6;

  private static final int LONGEST = 160_000;

  /**
   * One training step.
   *
   * @param tokens in its text
   * @param seconds that it took, the only one of this length
   * @param bytes the most memory that the process held meanwhile; -1 if unknown
   */
  public record Step(int tokens, double seconds, double bytes) {
    double gigabytes() {
      return bytes < 0 ? Double.NaN : bytes / 1e9;
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    longest(lab);
    language(lab);
    lab.note(
        "Models of bytes of width %d. FIT: groups of %d tokens with %d latents at all lengths,"
            + " layout %s, learned positions of tokens in their group and of latents. Full"
            + " attention: %d blocks, which have about as many weights. Groups alone: as many local"
            + " layers as FIT has local and global ones, so no token sees another group. A training"
            + " step is forward, backward, and AdamW, for one text of random bytes.",
        width(lab), group(lab), latents(lab), LAYOUT, BLOCKS);
  }

  private static final String LAYOUT = "(1)1(1)1(1)";

  private static int width(ExperimentContext lab) {
    return lab.pick(8, 64, 512);
  }

  private static int group(ExperimentContext lab) {
    return lab.pick(8, 64, 64);
  }

  private static int latents(ExperimentContext lab) {
    return lab.pick(2, 4, 8);
  }

  private static CausalLm.Config fit(ExperimentContext lab, int length, String layout) {
    FarReaching.Config network =
        new FarReaching.Config()
            .with(
                c ->
                    c.layout(layout)
                        .group(group(lab))
                        .latents(latents(lab))
                        .latentHeads(HEADS)
                        .local(new SoftmaxAttention.Config(HEADS, 0)));
    return Small.language(1, width(lab), length, new NoPosition.Config(), network)
        .withBlock(b -> b.firstNorm(false).ffn(new NoChannels.Config()));
  }

  private static CausalLm.Config full(ExperimentContext lab, int length) {
    return Small.language(BLOCKS, width(lab), length, HEADS);
  }

  // ---- Time and memory

  private static Map<String, IntFunction<Runnable>> steps(
      ExperimentContext lab, boolean beside, List<LanguageUpdate> made) {
    Map<String, IntFunction<Runnable>> work = new LinkedHashMap<>();
    work.put(FIT, tokens -> added(made, new LanguageUpdate(fit(lab, tokens, LAYOUT), 1)));
    if (beside) {
      work.put(FULL, tokens -> added(made, new LanguageUpdate(full(lab, tokens), 1)));
    }
    return work;
  }

  private static Runnable added(List<LanguageUpdate> made, LanguageUpdate update) {
    made.add(update);
    return update;
  }

  private static Measured<Cost> measured(
      ExperimentContext lab, String name, boolean beside, List<Integer> sizes) {
    return lab.measureTogether(
        name,
        Cost.class,
        progress -> {
          List<LanguageUpdate> made = new ArrayList<>();
          try {
            return Cost.measure(
                sizes.stream().mapToInt(Integer::intValue).toArray(), steps(lab, beside, made));
          } finally {
            made.forEach(LanguageUpdate::close);
          }
        });
  }

  private static void costs(ExperimentContext lab) {
    List<Integer> beside =
        lab.pick(List.of(16, 32), List.of(2048, 4096), List.of(2048, 4096, 8192));
    List<Integer> more =
        lab.pick(
            List.of(64, 128),
            List.of(8192, 16_384, 32_768, 65_536),
            List.of(16_384, 32_768, 65_536));
    Measured<Cost> both = measured(lab, "steps with both", true, beside);
    List<Cost.Point> points = new ArrayList<>(both.first(FIT).points());
    points.addAll(measured(lab, "longer steps", false, more).first(FIT).points());
    Map<String, Cost> all = new LinkedHashMap<>();
    all.put(FIT, new Cost(points));
    all.put(FULL, both.first(FULL));
    Measured<Cost> costs = Measured.of(all);
    int from = beside.get(0);
    int last = beside.size() - 1;
    lab.claim(
        "FIT's time of a training step grows with an exponent of at most 1.4 from 2,048 to 65,536"
            + " tokens",
        "O(L^(4/3)) for the best size of groups (abstract)",
        FULL,
        Check.atMost("exponent of time", costs.first(FIT).timeExponent(from), 1.4),
        Check.sentence(
            "Full attention, from %,d to %,d tokens: %s.",
            from, beside.get(last), costs.first(FULL).timeExponent(from)));
    lab.claim(
        "FIT's memory of a training step grows with an exponent of at most 1.4",
        "O(L^(4/3)) for the best size of groups (abstract)",
        Check.atMost("exponent of memory", costs.first(FIT).memoryExponent(from), 1.4));
    lab.claim(
        "A training step of FIT on 4,096 tokens is faster than one with full attention",
        "",
        FULL,
        Check.below("seconds", seconds(costs.first(FIT), last), seconds(costs.first(FULL), last)));
    lab.table(
        costs.table(
            "A training step on one text; exponents from " + from + " tokens on",
            "model",
            column("exponent of time", cost -> cost.timeExponent(from)),
            column("exponent of memory", cost -> cost.memoryExponent(from)),
            column("ms, " + from + " tokens", cost -> 1e3 * seconds(cost, 0)),
            column("ms, " + beside.get(last) + " tokens", cost -> 1e3 * seconds(cost, last)),
            column("longest text", cost -> cost.last().size()),
            column("ms, longest text", cost -> 1e3 * cost.last().seconds()),
            column("MB, longest text", cost -> cost.last().bytes() / 1e6)));
    lab.figure(
        costs.logFigure(
            "Time of a training step",
            "tokens",
            "ms",
            Curve.line(Cost::points, Cost.Point::size, p -> 1e3 * p.seconds())));
  }

  private static double seconds(Cost cost, int size) {
    return cost.points().get(size).seconds();
  }

  private static void longest(ExperimentContext lab) {
    int tokens = lab.pick(160, LONGEST, LONGEST);
    Step step = lab.measure("a step of " + tokens + " tokens", Step.class, () -> step(lab, tokens));
    lab.claim(
        "A training step of FIT on a text of 160,000 tokens takes at most 16 GB",
        "160,000 tokens in 16 GB (abstract)",
        Check.atMost("peak GB", step.gigabytes(), 16));
    lab.table(
        Measured.of(Map.of(FIT, step))
            .table(
                "One training step on a long text",
                "model",
                column("tokens", Step::tokens),
                column("seconds", Step::seconds),
                column("peak GB", Step::gigabytes)));
  }

  private static Step step(ExperimentContext lab, int tokens) {
    double[] seconds = new double[1];
    long before = Memory.resident();
    long bytes =
        Memory.peakOf(
            () -> {
              try (LanguageUpdate update = new LanguageUpdate(fit(lab, tokens, LAYOUT), 1)) {
                long start = System.nanoTime();
                update.run();
                seconds[0] = (System.nanoTime() - start) / 1e9;
              }
            });
    return new Step(tokens, seconds[0], bytes < 0 ? -1 : before + bytes);
  }

  // ---- Quality

  private static void language(ExperimentContext lab) {
    int length = lab.pick(32, 1024, 4096);
    int batch = lab.pick(2, 4, 16);
    Measured<TrainingResult> runs =
        Arms.of(FIT, fit(lab, length, LAYOUT))
            .control(FULL, full(lab, length))
            .control(ALONE, fit(lab, length, "(5)"))
            .learn(
                lab,
                "language",
                lab.pick(1, 3, 3),
                model ->
                    new LanguageTrial(
                        model, Small.training(lab.pick(2, 220, 20_000), batch, 1), 10));
    lab.claim(
        "FIT learns language about as well as full attention: its loss is within 3 %",
        "", FULL, runs.ratioAtMost("loss", FIT, FULL, TrainingResult::finalLoss, 1.03));
    lab.claim(
        "FIT learns language better than groups without latents",
        "",
        ALONE,
        runs.below("held-out loss", FIT, ALONE, TrainingResult::finalLoss));
    LanguageTrial.report(
        lab, runs, "Language models of " + length + " bytes at equal updates", "model");
  }
}
