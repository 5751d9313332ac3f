package dev.jformer.studies;

import com.google.auto.service.AutoService;
import dev.jformer.data.HeldOut;
import dev.jformer.data.TokenFile;
import dev.jformer.mixer.ProbabilisticFlash;
import dev.jformer.mixer.SoftmaxAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.CausalLm;
import dev.jformer.position.Alibi;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.RopeAlibi;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.Course;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Learned;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Training;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Two techniques of arXiv 2410.18441: rotary positions and linear biases at once, held to how
 * models fare on longer texts than they learned from, and PrFlashAttention, held to what leaving
 * blocks out saves and costs.
 */
@AutoService(Study.class)
public final class GenerativeAiModelingStudy implements Study {
  private static final int HEADS = 4;
  private static final String ROPE = "RoPE";
  private static final String ALIBI = "ALiBi";
  private static final String BOTH = "RoPE and ALiBi";

  /**
   * Losses of a model by length of the text.
   *
   * @param losses nats a byte, all bytes of a sequence counted
   */
  public record Outcome(List<Double> losses) {}

  @Override
  public String slug() {
    return "generative-ai-modeling";
  }

  @Override
  public void run(Lab lab) {
    extrapolation(lab);
    blocks(lab);
    lab.note(
        "Of the paper's techniques these two are here; staircase quantization of the cache, sub-word"
            + " encoding and the cross-entropy method are not yet. The paper gives no figures for these"
            + " two, so that claims are what its summary says of them.");
  }

  // ---- Length

  private static void extrapolation(Lab lab) {
    int trained = lab.scale().pick(16, 64, 512);
    int[] times = {1, 2, 3, 4};
    Map<String, Position.Config> positions = new LinkedHashMap<>();
    positions.put(ROPE, new Rope.Config());
    positions.put(ALIBI, new Alibi.Config());
    positions.put(BOTH, new RopeAlibi.Config());
    Map<String, List<Outcome>> all = new LinkedHashMap<>();
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    positions.forEach(
        (name, position) -> {
          List<Outcome> outcomes = new ArrayList<>();
          for (int seed = 1; seed <= lab.scale().pick(1, 3, 3); seed++) {
            int s = seed;
            outcomes.add(
                lab.measure(
                    name + ", seed " + seed,
                    Outcome.class,
                    progress ->
                        learn(lab.scale(), lab.text(), position, trained, times, s, progress)));
          }
          all.put(name, outcomes);
          List<Object> row = new ArrayList<>(List.of(name));
          List<Double> at = new ArrayList<>();
          List<Double> losses = new ArrayList<>();
          for (int i = 0; i < times.length; i++) {
            int n = i;
            double loss = Seeds.mean(outcomes, o -> o.losses().get(n));
            row.add(loss);
            at.add((double) times[i] * trained);
            losses.add(loss);
          }
          row.add(Seeds.spread(outcomes, o -> o.losses().get(times.length - 1)));
          rows.add(Table.row(row.toArray()));
          curves.add(Figure.Series.line(name, at, losses));
        });
    int last = times.length - 1;
    double both = Seeds.mean(all.get(BOTH), o -> o.losses().get(last));
    double rope = Seeds.mean(all.get(ROPE), o -> o.losses().get(last));
    double alibi = Seeds.mean(all.get(ALIBI), o -> o.losses().get(last));
    double gain = Seeds.mean(all.get(BOTH), o -> o.losses().get(0));
    lab.claim(
        "RoPE and ALiBi together fare better than RoPE alone on texts four times as long as learned"
            + " from",
        "improved extrapolation (abstract)",
        Check.below("loss (nats a byte)", both, rope),
        "ALiBi alone: " + Check.number(alibi) + ".");
    lab.claim(
        "They do not lose by length: no higher loss at four times the length than at the length learned"
            + " from",
        "",
        Check.atMost("loss (nats a byte)", both, gain));
    lab.claim(
        "Together they are at least as good as the better of both at four times the length",
        "combines their advantages (abstract)",
        Check.atMost("loss (nats a byte)", both, Math.min(rope, alibi)));
    List<String> columns = new ArrayList<>(List.of("positions"));
    for (int n : times) {
      columns.add(n * trained + " bytes");
    }
    columns.add("spread, " + times[last] * trained + " bytes");
    lab.table(
        new Table(
            "Loss by length of the text, nats a byte, learned from " + trained + " bytes",
            columns,
            rows));
    lab.figure(
        new Figure("Loss by length of the text", "bytes", "nats a byte", false, false, curves));
  }

  private static Outcome learn(
      Scale scale,
      TokenFile text,
      Position.Config position,
      int trained,
      int[] times,
      long seed,
      DoubleConsumer progress) {
    int batch = scale.pick(2, 16, 32);
    Training training = Small.training(scale.pick(2, 500, 20_000), batch, seed);
    Random.seed(seed);
    try (CausalLm model =
        Small.language(
                2,
                scale.pick(16, 64, 512),
                trained,
                position,
                new SoftmaxAttention.Config(HEADS, 0))
            .build()) {
      Course.of(
          model,
          new LanguageModelling(model, text, batch, seed, scale.pick(1, 20, 40)),
          training,
          progress);
      model.train(false);
      List<Double> losses = new ArrayList<>();
      for (int n : times) {
        losses.add(loss(model, text, n * trained, scale.pick(256, 40_000, 200_000)));
      }
      return new Outcome(List.copyOf(losses));
    }
  }

  /** Mean loss of the same held-out text, cut into sequences of a length. */
  private static double loss(CausalLm model, TokenFile text, int length, int bytes) {
    double[] sum = new double[2];
    int rows = Math.max(1, 1024 / length);
    HeldOut.read(
        text,
        rows,
        length,
        Math.max(1, bytes / (rows * length)),
        batch -> {
          try (Scope scope = Scope.open();
              Mode mode = Autograd.noGrad()) {
            Tensor chosen =
                model.logits(batch.inputs()).logSoftmax(2).gather(2, batch.targets().unsqueeze(2));
            sum[0] -= chosen.to(DType.FLOAT64).sum().item();
            sum[1] += batch.targets().elements();
          }
        });
    return sum[0] / sum[1];
  }

  // ---- Blocks

  private static String name(double p) {
    return String.format(Locale.ROOT, "p = %.2f", p);
  }

  private static void blocks(Lab lab) {
    double[] probabilities = {1, 0.95, 0.8, 0.5};
    LayerCost layer =
        new LayerCost(
            lab.scale().pick(16, 128, 512),
            lab.scale().pick(List.of(128, 256), List.of(1024, 2048, 4096), List.of(4096, 8192)));
    Map<String, TokenMixer.Config> mixers = new LinkedHashMap<>();
    for (double p : probabilities) {
      mixers.put(name(p), new ProbabilisticFlash.Config(HEADS, 0, 128, p, false));
    }
    Map<String, Cost> costs = layer.measure(lab, mixers, true);
    int length = lab.scale().pick(32, 256, 2048);
    List<List<String>> rows = new ArrayList<>();
    Map<String, List<Learned>> runs = new LinkedHashMap<>();
    for (double p : probabilities) {
      LanguageTrial trial =
          new LanguageTrial(
              Small.language(
                  2,
                  lab.scale().pick(16, 64, 512),
                  length,
                  new Rope.Config(),
                  new ProbabilisticFlash.Config(HEADS, 0, length / 8, p, false)),
              Small.training(lab.scale().pick(2, 300, 20_000), lab.scale().pick(2, 8, 16), 1));
      runs.put(name(p), lab.learn("language, " + name(p), trial, lab.scale().pick(1, 2, 3)));
    }
    int last = layer.sizes().size() - 1;
    double exact = costs.get(name(1)).points().get(last).seconds();
    for (double p : probabilities) {
      Cost.Point point = costs.get(name(p)).points().get(last);
      rows.add(
          Table.row(
              name(p),
              1e3 * point.seconds(),
              exact / point.seconds(),
              Learned.loss(runs.get(name(p))),
              Learned.spread(runs.get(name(p)))));
    }
    lab.claim(
        "Leaving blocks out makes attention faster",
        "fewer blocks are computed (abstract)",
        Check.all(
            Check.above(
                "times as fast with " + name(0.8),
                exact / costs.get(name(0.8)).points().get(last).seconds(),
                1),
            Check.above(
                "with " + name(0.5),
                exact / costs.get(name(0.5)).points().get(last).seconds(),
                1)));
    lab.claim(
        "and costs little loss",
        "",
        Check.atMost(
            "loss with " + name(0.8) + " as a multiple of the exact one's",
            Learned.loss(runs.get(name(0.8))) / Learned.loss(runs.get(name(1))),
            1.02));
    lab.table(
        new Table(
            String.format(
                Locale.ROOT,
                "PrFlashAttention: a layer of %d tokens in training, blocks of 128; language models of"
                    + " %d bytes, blocks of %d, evaluated with all blocks",
                layer.sizes().get(last),
                length,
                length / 8),
            List.of("probability", "ms", "times as fast as exact", "loss (nats a byte)", "spread"),
            rows));
  }
}
