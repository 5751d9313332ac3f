package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import dev.jformer.data.text.Batch;
import dev.jformer.decode.HiddenStateOptimization;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.position.Rope;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Scale;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.HeldOutText;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Hidden-state optimization: language models of source code read more of it, and verse, and adapt
 * their caches with several rates. The rate that is best on the first half of a text is judged on
 * the second. Beside them stand the models without steps, and steps towards the text's tokens in
 * random order.
 */
final class AdaptedStates {
  private static final String CODE = "source code, as learned from";
  private static final String VERSE = "verse";
  private static final String ORDER = ", tokens in random order";
  private static final List<Double> RATES = List.of(0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2);

  private AdaptedStates() {}

  /**
   * Losses of a text in nats a byte, one for each rate.
   *
   * @param first of its first half
   * @param second of its second half
   * @param slowdown time of the largest rate as a multiple of that without steps
   */
  public record Losses(List<Double> first, List<Double> second, double slowdown) {}

  static void run(ExperimentContext lab) {
    int length = lab.pick(32, 256, 512);
    int block = lab.pick(8, 32, 32);
    LanguageTrial trial =
        new LanguageTrial(
            Small.language(
                2,
                lab.pick(16, 64, 256),
                length,
                new Rope.Config(),
                new SoftmaxAttention.Config(4, 0)),
            Small.training(lab.pick(2, 1000, 20_000), lab.pick(2, 16, 32), 1),
            lab.pick(1, 5, 40));
    Measured<Losses> runs =
        lab.learnTogether(
            "adapted states",
            Losses.class,
            lab.pick(1, 3, 3),
            session -> trial.examine(session, (model, result) -> losses(lab, model, block)));
    Judged code = Judged.of(runs, CODE);
    Judged verse = Judged.of(runs, VERSE);
    Judged control = Judged.of(runs, VERSE + ORDER);
    lab.claim(
        "Steps on the cache lower the loss of a text of another kind than the model learned from",
        "lower perplexity on PG-19 (abstract of 2112.08653)",
        "no steps",
        Check.above("gain (nats a byte)", verse.gain(), 0),
        verse.remark());
    lab.claim(
        "Steps on the cache lower the loss of the kind of text that the model learned from",
        "lower perplexity on WikiText-103 (abstract of 2112.08653)",
        "no steps",
        Check.above("gain (nats a byte)", code.gain(), 0),
        code.remark());
    lab.claim(
        "The gain is larger on the other kind of text",
        "especially outside of the training distribution (abstract of 2112.08653)",
        Check.above("gain (nats a byte)", verse.gain(), code.gain()));
    lab.claim(
        "The gain needs the order of the text: steps towards its tokens in random order gain less",
        "",
        "random order",
        Check.above("gain (nats a byte)", verse.gain(), control.gain()),
        "Tokens in random order still tell which bytes are frequent.");
    lab.table(
        runs.table(
            "Losses of the second half of texts with the rate that is best on the first, nats a"
                + " byte; steps after "
                + block
                + " bytes, caches of "
                + length,
            "text",
            column("no steps", "nats a byte", losses -> losses.second().get(0)),
            column("adapted", "nats a byte", losses -> losses.second().get(best(losses))),
            fixed("best rate, first seed", losses -> RATES.get(best(losses))),
            column("times as long", Losses::slowdown)));
    lab.figure(
        runs.figure(
            "Loss of the second half by rate; 0.00001 stands for no steps; first seed",
            "rate",
            "nats a byte",
            Curve.at(
                RATES.stream().map(rate -> Math.log10(Math.max(1e-5, rate))).toList(),
                Losses::second)));
  }

  private static int best(Losses losses) {
    int best = 0;
    for (int i = 1; i < losses.first().size(); i++) {
      best = losses.first().get(i) < losses.first().get(best) ? i : best;
    }
    return best;
  }

  /** What a model gains over itself without steps by the rate that suits the text's first half. */
  private record Judged(Estimate gain, String remark) {
    static Judged of(Measured<Losses> runs, String text) {
      return new Judged(
          runs.of(text, losses -> losses.second().get(0) - losses.second().get(best(losses))),
          Check.sentence(
              "Each model is compared with itself. Rate of the first seed: %s.",
              RATES.get(best(runs.first(text)))));
    }
  }

  private static Map<String, Losses> losses(ExperimentContext lab, CausalLm model, int block) {
    int length = model.config().length();
    int rows = lab.pick(2, 16, 16);
    int batches = lab.pick(2, 16, 32);
    List<Batch> code = HeldOutText.batches(lab.text(), rows, length, batches);
    Map<String, Losses> all = new LinkedHashMap<>();
    all.put(CODE, losses(model, block, code, false));
    List<Batch> verse = verse(lab, code, rows, length, batches);
    all.put(VERSE, losses(model, block, verse, false));
    all.put(VERSE + ORDER, losses(model, block, verse, true));
    return all;
  }

  /** Plays of Shakespeare; at smoke scale the code backwards. */
  private static List<Batch> verse(
      ExperimentContext lab, List<Batch> code, int rows, int length, int batches) {
    if (lab.scale() == Scale.SMOKE) {
      return code.stream().map(b -> new Batch(b.targets().flip(1), b.inputs().flip(1))).toList();
    }
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(DataSets.require("tinyshakespeare/input.txt"));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read tinyshakespeare", e);
    }
    List<Batch> all = new ArrayList<>();
    for (int i = 0; i < batches; i++) {
      long[] ids = new long[rows * length + 1];
      for (int t = 0; t < ids.length; t++) {
        ids[t] = bytes[i * rows * length + t] & 0xff;
      }
      Tensor text = Tensor.of(ids, ids.length);
      all.add(
          new Batch(
              text.narrow(0, 0, ids.length - 1L).view(rows, length),
              text.narrow(0, 1, ids.length - 1L).view(rows, length)));
    }
    return all;
  }

  private static Losses losses(CausalLm model, int block, List<Batch> text, boolean shuffled) {
    List<Double> first = new ArrayList<>();
    List<Double> second = new ArrayList<>();
    double[] seconds = new double[RATES.size()];
    int half = text.size() / 2;
    for (int i = 0; i < seconds.length; i++) {
      HiddenStateOptimization.Settings settings =
          new HiddenStateOptimization.Settings(block, RATES.get(i), 0.9, 0.999);
      long start = System.nanoTime();
      try (HiddenStateOptimization optimization = new HiddenStateOptimization(model, settings)) {
        first.add(mean(optimization, text.subList(0, half), shuffled));
        second.add(mean(optimization, text.subList(half, text.size()), shuffled));
      }
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    return new Losses(first, second, seconds[seconds.length - 1] / seconds[0]);
  }

  private static double mean(
      HiddenStateOptimization optimization, List<Batch> text, boolean shuffled) {
    double sum = 0;
    Random.seed(1);
    for (Batch batch : text) {
      try (Scope scope = Scope.open()) {
        Tensor targets = batch.targets();
        Tensor learned = shuffled ? shuffled(targets) : targets;
        sum += optimization.losses(batch.inputs(), targets, learned).mean().item();
      }
    }
    return sum / text.size();
  }

  /** The targets of each row in an order of its own. */
  private static Tensor shuffled(Tensor targets) {
    Tensor order = Tensor.rand(targets.size(0), targets.size(1)).sort(1, false).indices();
    return targets.gather(1, order.to(DType.INT64));
  }
}
