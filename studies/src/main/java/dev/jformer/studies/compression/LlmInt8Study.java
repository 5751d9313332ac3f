package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.quantize.LlmInt8;
import dev.jformer.config.Configs;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.quantized.Int8Linear;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.OutlierChannels;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Listener;
import dev.jformer.train.MaskedModelling;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * LLM.int8() (arXiv 2208.07339) on a language model and an encoder that are trained here, and on
 * all-MiniLM-L6-v2: what it costs in quality, beside 8-bit rows without decomposition, with and
 * without outlier features, and what it gains in speed and memory.
 */
@AutoService(Study.class)
public final class LlmInt8Study implements Study {
  /** A loss so much higher is not worse. */
  private static final double EQUAL = 1.002;

  /** So many points less of a rank correlation x 100 is not worse. */
  private static final double POINTS = 0.3;

  /** How much of a model's memory its 8-bit form may take to be about a quarter. */
  private static final double QUARTER = 0.30;

  /** Features that are made outliers; 2 of 128 are as many as the paper's largest models have. */
  private static final int OUTLIERS = 2;

  /**
   * Losses of one model.
   *
   * @param factor what features are multiplied by to be outliers; 1 as it was trained
   * @param exact in float32
   * @param decomposed by LLM.int8()
   * @param rowWise with 8-bit rows and no decomposition
   * @param share of the values that 8-bit layers are given that are multiplied in 8 bits,
   *     LLM.int8()
   */
  private record Losses(
      double factor, double exact, double decomposed, double rowWise, double share) {
    /** By how many percent the loss is higher. */
    static double percent(double loss, double exact) {
      return 100 * (loss / exact - 1);
    }
  }

  /** Losses of a model as it was trained, and with outliers of rising size. */
  private record Quality(List<Losses> losses) {
    Losses trained() {
      return losses.get(0);
    }
  }

  /**
   * A model of MiniLM's shape, of random weights, on a batch.
   *
   * @param product seconds of its widest product in float32
   * @param product8 in 8 bits, with rounding and scaling
   */
  private record Speed(
      double floatTokens,
      double int8Tokens,
      double product,
      double product8,
      double floatBytes,
      double int8Bytes) {}

  /**
   * How well all-MiniLM-L6-v2 agrees with people on how alike texts are (Spearman x 100).
   *
   * @param share as in {@link Losses}
   */
  private record Sentences(
      int pairs, double exact, double decomposed, double rowWise, double share) {}

  @Override
  public String slug() {
    return "llm-int8";
  }

  @Override
  public void run(ExperimentContext lab) {
    Quality language =
        lab.measure("language model", Quality.class, progress -> language(lab, progress));
    Quality encoder = lab.measure("encoder", Quality.class, progress -> encoder(lab, progress));
    Speed speed = lab.measure("speed", Speed.class, () -> speed(lab.scale()));
    Sentences sentences =
        lab.measure("sentence encoder", Sentences.class, () -> sentences(lab.scale()));
    report(lab, language, encoder, speed);
    report(lab, sentences);
  }

  // ---- A language model

  private static Quality language(ExperimentContext lab, DoubleConsumer progress) {
    CausalLm.Config config =
        Small.language(
            lab.scale().pick(1, 4, 12),
            lab.scale().pick(32, 128, 768),
            lab.scale().pick(16, 128, 512),
            new SoftmaxAttention.Config(lab.scale().pick(2, 4, 12), 0));
    TrainingConfig training = Small.training(lab.scale().pick(4, 400, 100_000), 16, 1);
    long batches = lab.scale().pick(1, 20, 200);
    List<Losses> losses = new ArrayList<>();
    LanguageTrial.Observer observer =
        (model, step, loss) -> {
          if (step == training.steps()) {
            for (double factor : factors(lab.scale())) {
              try (CausalLm changed = (CausalLm) OutlierChannels.in(model, OUTLIERS, factor, 1)) {
                losses.add(
                    losses(
                        factor,
                        changed,
                        lm -> LanguageModelling.evaluate((CausalLm) lm, lab.text(), 16, batches)));
              }
            }
          }
        };
    new LanguageTrial(config, training, batches, observer)
        .run(lab.text(), (done, detail) -> progress.accept(done), null);
    return new Quality(losses);
  }

  private static List<Double> factors(Scale scale) {
    return scale.pick(
        List.of(1.0, 32.0),
        List.of(1.0, 4.0, 8.0, 16.0, 32.0, 64.0),
        List.of(1.0, 4.0, 8.0, 16.0, 32.0, 64.0));
  }

  private static Losses losses(double factor, Model model, ToDoubleFunction<Model> loss) {
    try (Mode mode = Autograd.noGrad();
        Model decomposed = new LlmInt8().apply(model, null);
        Model rowWise = new LlmInt8(0).apply(model, null)) {
      double exact = loss.applyAsDouble(model);
      double plain = loss.applyAsDouble(rowWise);
      Counter counter = Counter.in(decomposed);
      return new Losses(factor, exact, loss.applyAsDouble(decomposed), plain, counter.share());
    }
  }

  /** Counts the values of features in which no row reaches a threshold, and all. */
  private static final class Counter {
    private final double threshold;
    private double regular;
    private double all;

    private Counter(double threshold) {
      this.threshold = threshold;
    }

    /** Counts what a model's 8-bit layers are given. */
    static Counter in(Model model) {
      Counter counter = new Counter(new LlmInt8().threshold());
      model
          .modules()
          .forEach(
              (name, module) -> {
                if (module instanceof Int8Linear layer) {
                  model.replace(name, counter.around(layer));
                }
              });
      return counter;
    }

    Layer around(Layer layer) {
      return new Layer() {
        private final dev.jformer.nn.Slot<Layer> inner = child("inner", Layer.class, layer);

        @Override
        public Tensor forward(Tensor x) {
          Tensor largest = x.abs().flatten(0, x.rank() - 2).max(0, false);
          double outliers = largest.toDoubles().length - below(largest.toDoubles());
          double rows = (double) x.elements() / x.size(-1);
          regular += rows * (x.size(-1) - outliers);
          all += x.elements();
          return inner.get().forward(x);
        }
      };
    }

    private double below(double[] values) {
      return Arrays.stream(values).filter(value -> value < threshold).count();
    }

    double share() {
      return regular / all;
    }
  }

  // ---- An encoder

  private static Quality encoder(ExperimentContext lab, DoubleConsumer progress) {
    Encoder.Config config =
        encoder(lab.scale().pick(1, 4, 6), lab.scale().pick(32, 128, 384), 4, 256, 64);
    TrainingConfig training = Small.training(lab.scale().pick(4, 400, 100_000), 16, 1);
    Random.seed(1);
    try (Encoder model = config.build()) {
      MaskedModelling task =
          new MaskedModelling(model, lab.text(), 16, 1, lab.scale().pick(1, 20, 200));
      try (Trainer trainer = new Trainer(model, task, training, null)) {
        trainer.addListener(
            new Listener() {
              @Override
              public void step(Step step) {
                progress.accept((double) step.step() / training.steps());
              }
            });
        trainer.run();
      }
      model.train(false);
      Function<Model, Double> loss =
          other ->
              new MaskedModelling((Encoder) other, lab.text(), 16, 1, lab.scale().pick(1, 20, 200))
                  .evaluate()
                  .loss();
      List<Losses> all = new ArrayList<>();
      for (double factor : List.of(1.0, 32.0)) {
        try (Model changed = OutlierChannels.in(model, OUTLIERS, factor, 1)) {
          all.add(losses(factor, changed, loss::apply));
        }
      }
      return new Quality(all);
    }
  }

  private static Encoder.Config encoder(int layers, int width, int heads, int words, int length) {
    String json =
        String.format(
            Locale.ROOT,
            "{\"model\":\"encoder\",\"layers\":%d,\"width\":%d,\"vocab\":%d,\"length\":%d,"
                + "\"dropout\":0,\"mixer\":{\"type\":\"softmax\",\"heads\":%d}}",
            layers,
            width,
            words + Encoder.SPECIAL,
            length,
            heads);
    return (Encoder.Config) Configs.parse(json, Model.Config.class);
  }

  // ---- A published encoder

  private static Sentences sentences(Scale scale) {
    try (TextPairs pairs = new TextPairs(scale, scale.pick(3, 500, 10_000));
        Encoder decomposed = (Encoder) new LlmInt8().apply(pairs.model(), null);
        Encoder rowWise = (Encoder) new LlmInt8(0).apply(pairs.model(), null)) {
      double exact = pairs.score(pairs.model());
      double plain = pairs.score(rowWise);
      Counter counter = Counter.in(decomposed);
      double mixed = pairs.score(decomposed);
      return new Sentences(pairs.count(), exact, mixed, plain, counter.share());
    }
  }

  private static void report(ExperimentContext lab, Sentences found) {
    lab.table(
        new Table(
            String.format(
                Locale.ROOT,
                "all-MiniLM-L6-v2 on %,d pairs of texts (Spearman x 100)",
                found.pairs()),
            List.of("float32", "LLM.int8()", "8-bit rows only", "values in 8 bits (%)"),
            List.of(
                Table.row(
                    found.exact(), found.decomposed(), found.rowWise(), 100 * found.share()))));
    lab.claim(
        "Almost all values of all-MiniLM-L6-v2 are multiplied in 8 bits",
        "more than 99.9 %",
        Check.above("share (%)", 100 * found.share(), 99.9));
    lab.claim(
        "By LLM.int8() all-MiniLM-L6-v2 loses nothing that could be measured",
        "no degradation",
        Check.atMost("points below float32's", found.exact() - found.decomposed(), POINTS));
  }

  // ---- Speed and memory

  private static Speed speed(Scale scale) {
    int batch = scale.pick(2, 32, 32);
    int length = scale.pick(16, 128, 128);
    int width = scale.pick(48, 384, 384);
    Encoder.Config config =
        encoder(scale.pick(1, 6, 6), width, 12, scale.pick(100, 30_520, 30_520), length);
    Random.seed(1);
    try (Encoder model = config.build();
        Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      model.train(false);
      try (Encoder smaller = (Encoder) new LlmInt8().apply(model, null)) {
        Tensor ids = Tensor.randint(0, config.vocab() - 2L, batch, length);
        int rounds = scale.pick(2, 7, 15);
        List<Double> passes =
            InterleavedTimer.seconds(
                List.of(() -> model.hidden(ids, null), () -> smaller.hidden(ids, null)), 1, rounds);
        Tensor x = Tensor.randn(batch, length, width);
        Layer wide = up(model);
        Layer wide8 = up(smaller);
        List<Double> products =
            InterleavedTimer.seconds(
                List.of(() -> wide.forward(x), () -> wide8.forward(x)), 1, rounds);
        double tokens = (double) batch * length;
        return new Speed(
            tokens / passes.get(0),
            tokens / passes.get(1),
            products.get(0),
            products.get(1),
            bytes(model),
            bytes(smaller));
      }
    }
  }

  private static Layer up(Module model) {
    return (Layer) model.modules().get("trunk.blocks.0.ffn.up");
  }

  private static double bytes(Model model) {
    return model.parameters().values().stream()
        .mapToDouble(p -> (double) p.value().elements() * p.value().dtype().bytes())
        .sum();
  }

  // ---- What was found

  private static void report(
      ExperimentContext lab, Quality language, Quality encoder, Speed speed) {
    Map<String, Quality> models = new LinkedHashMap<>();
    models.put("language model", language);
    models.put("encoder", encoder);
    List<List<String>> rows = new ArrayList<>();
    models.forEach(
        (name, quality) ->
            quality
                .losses()
                .forEach(
                    l ->
                        rows.add(
                            Table.row(
                                name,
                                l.factor(),
                                l.exact(),
                                Losses.percent(l.decomposed(), l.exact()),
                                Losses.percent(l.rowWise(), l.exact()),
                                100 * l.share()))));
    lab.table(
        new Table(
            "Losses on held-out text",
            List.of(
                "model",
                "outliers' factor",
                "float32 (nats)",
                "LLM.int8() (% higher)",
                "8-bit rows only (% higher)",
                "values in 8 bits (%)"),
            rows));
    lab.table(
        new Table(
            "An encoder of MiniLM's shape, random weights, 32 texts of 128 tokens",
            List.of("", "float32", "LLM.int8()", "ratio"),
            List.of(
                Table.row(
                    "tokens/s",
                    speed.floatTokens(),
                    speed.int8Tokens(),
                    speed.int8Tokens() / speed.floatTokens()),
                Table.row(
                    "first layer of a feed-forward half (ms)",
                    1e3 * speed.product(),
                    1e3 * speed.product8(),
                    speed.product8() / speed.product()),
                Table.row(
                    "weights (MB)",
                    speed.floatBytes() / 1e6,
                    speed.int8Bytes() / 1e6,
                    speed.int8Bytes() / speed.floatBytes()))));
    List<Double> factors = language.losses().stream().map(Losses::factor).toList();
    lab.figure(
        new Figure(
            "What outliers cost the language model",
            "factor of the outlier features",
            "loss, % above float32",
            true,
            false,
            List.of(
                Figure.Series.line(
                    "LLM.int8()",
                    factors,
                    language.losses().stream()
                        .map(l -> Losses.percent(l.decomposed(), l.exact()))
                        .toList()),
                Figure.Series.line(
                    "8-bit rows only",
                    factors,
                    language.losses().stream()
                        .map(l -> Losses.percent(l.rowWise(), l.exact()))
                        .toList()))));
    models.forEach(
        (name, quality) -> {
          Losses trained = quality.trained();
          lab.claim(
              "Almost all values of the " + name + " are multiplied in 8 bits",
              "more than 99.9 %",
              Check.above("share (%)", 100 * trained.share(), 99.9));
          lab.claim(
              "By LLM.int8() the " + name + " loses nothing that could be measured",
              "no degradation",
              Check.atMost(
                  "loss as a multiple of float32's",
                  trained.decomposed() / trained.exact(),
                  EQUAL));
          Losses injected = quality.losses().get(quality.losses().size() - 1);
          lab.claim(
              "With outlier features in the "
                  + name
                  + ", 8-bit rows without decomposition are worse",
              "row-wise 8 bits fail from 6.7 B parameters on, where outliers emerge",
              Check.above(
                  "loss above float32's at factor " + Check.number(injected.factor()),
                  injected.rowWise() - injected.exact(),
                  Math.max(0, injected.decomposed() - injected.exact())));
        });
    lab.claim(
        "A real 8-bit product is faster than the float32 one",
        "up to 1.8 times for large models, slower for small ones (appendix D)",
        Check.all(
            Check.above("product, times as fast", speed.product() / speed.product8(), 1),
            Check.above("encoder, times as fast", speed.int8Tokens() / speed.floatTokens(), 1)));
    lab.claim(
        "Weights take about a quarter of the memory",
        "half of 16 bits",
        Check.atMost("share of float32's", speed.int8Bytes() / speed.floatBytes(), QUARTER));
    lab.note(
        "Models as small as these have few outliers of their own. They are made here without a"
            + " change of what the model computes: what each block's norms give in "
            + OUTLIERS
            + " features is multiplied by the factor, and the weights that it meets are divided by"
            + " it. The columns of outliers stay in 8 bits, as in the authors' code for inference;"
            + " the shrunk columns are coarse then, which both 8-bit forms pay for.");
    lab.note(
        "A feature counts as an outlier for all tokens of a call in which one reaches 6.0. The"
            + " share of values in 8 bits is over all inputs of 8-bit layers, the output layer's"
            + " among them. The tables of words are in 8 bits as well, which the paper's are not.");
  }
}
