package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.compress.quantize.StaircaseCaching;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.ProbabilisticFlash;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.cache.Cache;
import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.mixer.cache.StaircaseCache;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.RopeAlibi;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Three techniques of arXiv 2410.18441: rotary positions and linear biases at once, held to how
 * models fare on longer texts than they learned from; PrFlashAttention, held to what leaving blocks
 * out saves and costs; and staircase quantization of keys and values, held to what it saves and
 * costs in decoding, with multi-query attention too.
 */
@AutoService(Study.class)
public final class GenerativeAiModelingStudy implements Study {
  private static final int HEADS = 4;
  private static final String ROPE = "RoPE";
  private static final String ALIBI = "ALiBi";
  private static final String BOTH = "RoPE and ALiBi";
  private static final String STAIRCASE = "8, 4 and 2 bits";

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
  public void run(ExperimentContext lab) {
    extrapolation(lab);
    blocks(lab);
    caches(lab);
    lab.note(
        "Of the paper's techniques these three are here; sub-word encoding and the cross-entropy"
            + " method are not yet. The paper gives no figures for these three, so that claims are"
            + " what its summary says of them.");
  }

  // ---- Length

  private static void extrapolation(ExperimentContext lab) {
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
        "RoPE and ALiBi together lose nothing by length: no higher loss at four times the length"
            + " learned from",
        "",
        Check.atMost("loss (nats a byte)", both, gain));
    lab.claim(
        "RoPE and ALiBi together are at least as good as the better of both at four times the length",
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
    TrainingConfig training = Small.training(scale.pick(2, 500, 20_000), batch, seed);
    Random.seed(seed);
    try (CausalLm model =
        Small.language(
                2,
                scale.pick(16, 64, 512),
                trained,
                position,
                new SoftmaxAttention.Config(HEADS, 0))
            .build()) {
      TrainingCurve.of(
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

  private static void blocks(ExperimentContext lab) {
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
    Map<String, List<TrainingResult>> runs = new LinkedHashMap<>();
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
              TrainingResult.loss(runs.get(name(p))),
              TrainingResult.spread(runs.get(name(p)))));
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
        "Leaving blocks out of attention costs little loss",
        "",
        Check.atMost(
            "loss with " + name(0.8) + " as a multiple of the exact one's",
            TrainingResult.loss(runs.get(name(0.8))) / TrainingResult.loss(runs.get(name(1))),
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

  // ---- Caches

  /**
   * What a cache saves and costs.
   *
   * @param bytes held for one sequence, all layers
   * @param loss nats a byte, each byte predicted by a step
   * @param agreement share of these predictions whose likeliest byte is that with the full cache
   * @param together share of greedily generated bytes before the first that differs
   */
  public record CacheOutcome(
      String cache, double bytes, double loss, double agreement, double together) {}

  /** Those of a model. */
  public record CacheOutcomes(List<CacheOutcome> caches) {}

  /**
   * How long a layer's step takes.
   *
   * @param tokens seen before
   * @param full milliseconds with the full cache
   * @param staircase with the other one
   * @param fullBytes held
   * @param staircaseBytes held
   */
  public record StepTime(
      long tokens, double full, double staircase, long fullBytes, long staircaseBytes) {}

  /** Those of several lengths. */
  public record StepTimes(List<StepTime> times) {}

  private static Map<String, StaircaseCache.Config> staircases(Scale scale) {
    int unit = scale.pick(4, 32, 128);
    int group = scale.pick(4, 16, 32);
    Map<String, StaircaseCache.Config> all = new LinkedHashMap<>();
    for (int bits : new int[] {8, 4, 2}) {
      all.put(
          bits + " bits",
          new StaircaseCache.Config(group, 32, List.of(new StaircaseCache.Step(unit, bits))));
    }
    all.put(
        STAIRCASE,
        new StaircaseCache.Config(
            group,
            32,
            List.of(
                new StaircaseCache.Step(unit, 8),
                new StaircaseCache.Step(3 * unit, 4),
                new StaircaseCache.Step(7 * unit, 2))));
    return all;
  }

  private static void caches(ExperimentContext lab) {
    Map<String, CacheOutcomes> all = new LinkedHashMap<>();
    all.put("multi-head", cache(lab, "multi-head", 0));
    all.put("multi-query", cache(lab, "multi-query", 1));
    List<List<String>> rows = new ArrayList<>();
    all.forEach(
        (heads, outcomes) -> {
          CacheOutcome full = outcomes.caches().get(0);
          for (CacheOutcome c : outcomes.caches()) {
            rows.add(
                Table.row(
                    heads,
                    c.cache(),
                    c.bytes(),
                    full.bytes() / c.bytes(),
                    c.loss(),
                    100 * c.agreement(),
                    100 * c.together()));
          }
          CacheOutcome stairs = outcomes.caches().get(outcomes.caches().size() - 1);
          lab.claim(
              "The staircase takes less than half of the full cache's memory with "
                  + heads
                  + " attention",
              "",
              Check.below("bytes as a share of the full float32 cache's", share(stairs, full), 0.5),
              "Short texts: what is kept as it is weighs most. A float16 cache would take 0.5.");
          lab.claim(
              "The staircase costs little loss with " + heads + " attention",
              "minimal loss (abstract)",
              Check.atMost("loss as a multiple", stairs.loss() / full.loss(), 1.02));
          CacheOutcome two = outcomes.caches().get(outcomes.caches().size() - 2);
          lab.claim(
              "Old tokens bear fewer bits than newer ones: it costs less than 2 bits for all but the"
                  + " newest, with "
                  + heads
                  + " attention",
              "",
              Check.below("loss (nats a byte)", stairs.loss(), two.loss()),
              "Bytes: "
                  + Check.number(stairs.bytes())
                  + " against "
                  + Check.number(two.bytes())
                  + ".");
        });
    lab.table(
        new Table(
            "Caches of language models at the end of "
                + cacheLength(lab.scale())
                + " bytes of text",
            List.of(
                "attention",
                "cache",
                "bytes a sequence",
                "times smaller",
                "loss (nats a byte)",
                "same likeliest byte (%)",
                "same greedy bytes until they part (%)"),
            rows));
    times(lab);
  }

  private static double share(CacheOutcome one, CacheOutcome of) {
    return one.bytes() / of.bytes();
  }

  private static int cacheLength(Scale scale) {
    return scale.pick(40, 512, 4096);
  }

  private static CacheOutcomes cache(ExperimentContext lab, String name, int keyValueHeads) {
    return lab.measure(
        "caches, " + name,
        CacheOutcomes.class,
        progress -> {
          Scale scale = lab.scale();
          int length = cacheLength(scale);
          int batch = scale.pick(2, 4, 16);
          Random.seed(1);
          try (CausalLm model =
              Small.language(
                      2,
                      scale.pick(16, 64, 512),
                      length,
                      new Rope.Config(),
                      new SoftmaxAttention.Config(HEADS, keyValueHeads))
                  .build()) {
            TrainingCurve.of(
                model,
                new LanguageModelling(model, lab.text(), batch, 1, scale.pick(1, 5, 40)),
                Small.training(scale.pick(2, 800, 20_000), batch, 1),
                progress);
            model.train(false);
            return cache(scale, model, lab.text());
          }
        });
  }

  private static CacheOutcomes cache(Scale scale, CausalLm model, TokenFile text) {
    int length = model.config().length();
    Batch[] read = new Batch[1];
    HeldOut.read(text, scale.pick(2, 8, 8), length, 1, batch -> read[0] = batch);
    List<CacheOutcome> outcomes = new ArrayList<>();
    Decoded full = decode("full", model, read[0], null);
    outcomes.add(full.outcome());
    staircases(scale)
        .forEach(
            (name, config) -> {
              try (Scope scope = Scope.open();
                  CausalLm other = (CausalLm) new StaircaseCaching(config).apply(model, null)) {
                outcomes.add(decode(name, other, read[0], full).outcome());
              }
            });
    return new CacheOutcomes(List.copyOf(outcomes));
  }

  /** What was measured, the likeliest bytes [B, T], and the greedy ones [B, T']. */
  private record Decoded(CacheOutcome outcome, Tensor likeliest, Tensor greedy) {}

  private static Decoded decode(String name, CausalLm model, Batch text, Decoded full) {
    long rows = text.inputs().size(0);
    long length = text.inputs().size(1);
    Tensor[] likeliest = new Tensor[(int) length];
    double loss = 0;
    double bytes;
    try (Mode mode = Autograd.noGrad();
        CausalLm.Decoding decoding = model.decode(rows, length)) {
      for (int t = 0; t < length; t++) {
        try (Scope scope = Scope.open()) {
          Tensor logits = decoding.next(text.inputs().narrow(1, t, 1));
          Tensor target = text.targets().narrow(1, t, 1);
          loss -= logits.logSoftmax(1).gather(1, target).to(DType.FLOAT64).sum().item();
          likeliest[t] = logits.argmax(1).keep();
        }
      }
      bytes = (double) decoding.bytes() / rows;
    }
    Tensor predicted = Tensor.stack(1, likeliest);
    Tensor greedy = greedy(model, text.inputs());
    double agreement = 1;
    double together = 1;
    if (full != null) {
      agreement = predicted.eq(full.likeliest()).to(DType.FLOAT64).mean().item();
      // Ones until the first that differs.
      Tensor parted = greedy.eq(full.greedy()).not().to(DType.FLOAT64).cumsum(1);
      together = parted.eq(0).to(DType.FLOAT64).mean().item();
    }
    CacheOutcome outcome =
        new CacheOutcome(name, bytes, loss / (rows * length), agreement, together);
    return new Decoded(outcome, predicted, greedy);
  }

  /** Continues the first half of each text to its whole length. */
  private static Tensor greedy(CausalLm model, Tensor texts) {
    long length = texts.size(1);
    long prompt = length / 2;
    List<Tensor> all = new ArrayList<>();
    try (Mode mode = Autograd.noGrad();
        CausalLm.Decoding decoding = model.decode(texts.size(0), length)) {
      Tensor next = texts.narrow(1, 0, prompt);
      for (long t = prompt; t < length; t++) {
        try (Scope scope = Scope.open()) {
          next = decoding.next(next).argmax(1).unsqueeze(1).keep();
        }
        all.add(next);
      }
    }
    return Tensor.cat(1, all.toArray(new Tensor[0]));
  }

  private static void times(ExperimentContext lab) {
    StepTimes times =
        lab.measure("steps of a layer", StepTimes.class, () -> stepTimes(lab.scale()));
    List<List<String>> rows = new ArrayList<>();
    for (StepTime t : times.times()) {
      rows.add(
          Table.row(
              t.tokens(),
              t.full(),
              t.staircase(),
              t.staircase() / t.full(),
              t.fullBytes(),
              t.staircaseBytes(),
              (double) t.fullBytes() / t.staircaseBytes()));
    }
    StepTime last = times.times().get(times.times().size() - 1);
    lab.table(
        new Table(
            "A step of one layer of attention, width 256, 4 heads, with the default staircase",
            List.of(
                "tokens before",
                "ms, full",
                "ms, staircase",
                "times as long",
                "bytes, full",
                "bytes, staircase",
                "times smaller"),
            rows));
    lab.claim(
        "On long texts the staircase takes at most a quarter of the full cache's memory",
        "",
        Check.atMost(
            "bytes as a share of the full float32 cache's after " + last.tokens() + " tokens",
            (double) last.staircaseBytes() / last.fullBytes(),
            0.25),
        "It is unpacked anew at each step, which on a CPU without a fused kernel takes time: "
            + Check.number(last.staircase())
            + " ms a step against "
            + Check.number(last.full())
            + ".");
  }

  private static StepTimes stepTimes(Scale scale) {
    List<StepTime> times = new ArrayList<>();
    time(new KeyValueCache.Config(), 64, 16); // what is loaded once
    for (int tokens :
        scale.pick(List.of(64), List.of(1024, 2048, 4096), List.of(4096, 8192, 16384))) {
      Timed full = time(new KeyValueCache.Config(), tokens, scale.pick(2, 64, 64));
      Timed stairs = time(new StaircaseCache.Config(), tokens, scale.pick(2, 64, 64));
      times.add(
          new StepTime(
              tokens, full.milliseconds(), stairs.milliseconds(), full.bytes(), stairs.bytes()));
    }
    return new StepTimes(List.copyOf(times));
  }

  private record Timed(double milliseconds, long bytes) {}

  /** The mean of {@code steps} steps, as many before them not counted. */
  private static Timed time(Cache.Config cache, int tokens, int steps) {
    int width = 256;
    Random.seed(1);
    BlockContext site =
        new BlockContext(
            width, 0, 1, tokens, true, true, 0, new BlockContext.Init(), new Linear.Config());
    long capacity = tokens + 2L * steps;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        TokenMixer layer =
            new SoftmaxAttention.Config(HEADS, 0, cache)
                .build(site, new NoPosition.Config().build(width, HEADS, width / HEADS, tokens));
        TokenMixer.State state = layer.start(1, capacity)) {
      layer.train(false);
      try (Scope prompt = Scope.open()) {
        layer.step(Tensor.randn(1, tokens, width), state);
      }
      long start = 0;
      for (int i = 0; i < 2 * steps; i++) {
        if (i == steps) {
          start = System.nanoTime();
        }
        try (Scope step = Scope.open()) {
          layer.step(Tensor.randn(1, 1, width), state);
        }
      }
      return new Timed((System.nanoTime() - start) / 1e6 / steps, state.bytes());
    }
  }
}
