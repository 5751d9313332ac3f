package dev.jformer.studies.incontext;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.incontext.CooccurrenceSource;
import dev.jformer.incontext.OneLayerDecoder;
import dev.jformer.metrics.RankCorrelation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How attention of one layer learns where to look (<a href="https://arxiv.org/abs/2305.16380">Scan
 * and Snap: Understanding Training Dynamics and Token Composition in 1-layer Transformer</a>):
 * towards tokens that tell the next one, in the order of their frequency, away from common ones,
 * until it stops to change.
 */
@AutoService(Study.class)
public final class ScanAndSnapStudy implements Study {
  private static final CooccurrenceSource SOURCE = new CooccurrenceSource();
  private static final List<Double> RATIOS = List.of(0.25, 1.0, 4.0, 16.0);
  private static final String EQUAL = name(1);

  /**
   * What was seen while a model learned, after each update.
   *
   * @param common attention of all common tokens together
   * @param frequent attention of the most frequent distinct token
   * @param rare that of the least frequent one
   * @param size of all attention logits
   * @param losses of batches, in nats
   * @param order rank correlation of distinct tokens' attention logits and frequencies in the end
   * @param snap updates until nine tenths of the attention logits' final size
   */
  public record Course(
      List<Double> common,
      List<Double> frequent,
      List<Double> rare,
      List<Double> size,
      List<Double> losses,
      double order,
      double snap) {
    double lastCommon() {
      return common.get(common.size() - 1);
    }

    double firstCommon() {
      return common.get(0);
    }

    double lastLoss() {
      return losses.get(losses.size() - 1);
    }

    double lastSize() {
      return size.get(size.size() - 1);
    }
  }

  private static String name(double ratio) {
    return "decoder's rate times %s"
        .formatted(ratio == Math.rint(ratio) ? "" + (long) ratio : "" + ratio);
  }

  @Override
  public void run(ExperimentContext lab) {
    int updates = lab.pick(5, 400, 2000);
    Measured<Course> runs =
        Arms.named(RATIOS, ScanAndSnapStudy::name)
            .learn(
                lab,
                lab.pick(1, 10, 10),
                ratio ->
                    Trial.of(
                        Course.class,
                        session -> course(ratio, updates, lab.pick(16, 128, 128), session.seed())));
    lab.claim(
        "Attention to distinct tokens ends in the order of their frequency",
        "fattest first (theorem 3)",
        Check.atLeast("rank correlation", runs.of(EQUAL, Course::order), 0.99));
    lab.claim(
        "Attention moves away from common tokens",
        "monotonically (theorem 2)",
        "before training",
        Check.below(
            "attention of all common tokens",
            runs.of(EQUAL, Course::lastCommon),
            runs.of(EQUAL, Course::firstCommon)));
    lab.claim(
        "Attention changes the less, the faster the decoder learns: its logits end smaller with 16"
            + " times the decoder's rate than with a quarter",
        "attention snaps sooner for a larger ratio (theorem 4)",
        name(0.25),
        Check.below(
            "size of all logits",
            runs.of(name(16), Course::lastSize),
            runs.of(name(0.25), Course::lastSize)));
    lab.claim(
        "Attention is at nine tenths of its final logits sooner with 16 times the decoder's rate"
            + " than with a quarter",
        "attention snaps sooner for a larger ratio (theorem 4)",
        name(0.25),
        runs.below("updates", name(16), name(0.25), Course::snap));
    lab.table(
        runs.table(
            "One layer after %d updates".formatted(updates),
            "rates",
            column("rank correlation of attention and frequency", Course::order),
            column("attention of common tokens at first", Course::firstCommon),
            column("in the end", Course::lastCommon),
            column("size of attention logits", Course::lastSize),
            column("updates to nine tenths of it", Course::snap),
            column("loss (nats)", Course::lastLoss)));
    figures(lab, runs);
    lab.note(
        "Two last tokens with a next one each, %d common tokens, %d distinct tokens for each next"
            + " one, %d tokens before the last; batches of 128, momentum 0.9, rate 1 for the"
            + " attention. Attention is that of the last token 0 where tokens stand in their"
            + " expected shares.",
        SOURCE.common(), SOURCE.distinct(), SOURCE.length());
  }

  private static Course course(double ratio, int updates, int batch, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    OneLayerDecoder model = new OneLayerDecoder(SOURCE.tokens(), 1, ratio, 0.9);
    double[] shares = SOURCE.distribution(0);
    int distinct = SOURCE.distinct();
    List<Double> common = new ArrayList<>();
    List<Double> frequent = new ArrayList<>();
    List<Double> rare = new ArrayList<>();
    List<Double> size = new ArrayList<>();
    List<Double> losses = new ArrayList<>();
    for (int step = 0; step <= updates; step++) {
      double[] attention = model.attention(0, shares);
      common.add(
          IntStream.range(0, SOURCE.common())
              .mapToDouble(i -> attention[SOURCE.firstCommon() + i])
              .sum());
      frequent.add(attention[SOURCE.distinctToken(0, distinct - 1)]);
      rare.add(attention[SOURCE.distinctToken(0, 0)]);
      size.add(model.attentionNorm());
      if (step < updates) {
        losses.add(model.learn(Stream.generate(() -> SOURCE.draw(random)).limit(batch).toList()));
      }
    }
    double[] logits = model.logits(0);
    double[] found = new double[distinct];
    double[] expected = new double[distinct];
    for (int i = 0; i < distinct; i++) {
      found[i] = logits[SOURCE.distinctToken(0, i)];
      expected[i] = shares[SOURCE.distinctToken(0, i)];
    }
    double last = size.get(updates);
    int snap = 0;
    while (size.get(snap) < 0.9 * last) {
      snap++;
    }
    return new Course(
        common, frequent, rare, size, losses, RankCorrelation.spearman(found, expected), snap);
  }

  private static void figures(ExperimentContext lab, Measured<Course> runs) {
    Course first = runs.first(EQUAL);
    lab.figure(
        Figure.of(
            "Attention while one layer learns, equal rates, first seed",
            "updates",
            "attention",
            Figure.Series.spaced("all common tokens", 0, 1, first.common()),
            Figure.Series.spaced("most frequent distinct token", 0, 1, first.frequent()),
            Figure.Series.spaced("least frequent distinct token", 0, 1, first.rare())));
    lab.figure(
        Figure.of(
            "Size of the attention logits, first seed",
            "updates",
            "root of the sum of squares",
            runs.names().stream()
                .map(name -> Figure.Series.spaced(name, 0, 1, runs.first(name).size()))
                .toList()));
  }
}
