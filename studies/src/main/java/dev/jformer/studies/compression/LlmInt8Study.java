package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.quantize.LlmInt8;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.quantized.Int8Share;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.OutlierChannels;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Small.Size;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.MaskedModelling;
import dev.jformer.train.TrainingConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * LLM.int8() (arXiv 2208.07339) on a language model and an encoder that are trained here, and on
 * all-MiniLM-L6-v2: what it costs in quality, beside 8-bit rows without decomposition, with and
 * without outlier features, and what it gains in speed and memory.
 */
@AutoService(Study.class)
public final class LlmInt8Study implements Study {
  /** Features that are made outliers; 2 of 128 are as many as the paper's largest models have. */
  private static final int OUTLIERS = 2;

  private static final String FLOATS = "float32";
  private static final String INT8 = "LLM.int8()";
  private static final String ROWS = "8-bit rows only";

  /**
   * Qualities of one model: losses in nats, or Spearman's correlation x 100.
   *
   * @param factor what features are multiplied by to be outliers; 1 as it was trained
   * @param exact in float32; also by LLM.int8(), {@code decomposed}, and with 8-bit rows alone
   * @param share percentage of the values given to 8-bit layers that are multiplied in 8 bits
   */
  private record Quality(
      double factor, double exact, double decomposed, double rowWise, double share) {
    double decomposedPercent() {
      return 100 * (decomposed / exact - 1);
    }

    double rowWisePercent() {
      return 100 * (rowWise / exact - 1);
    }
  }

  /** Times of a model of MiniLM's shape and of its widest product, and bytes of its weights. */
  private record Speed(TimedArms passes, TimedArms products, long floatBytes, long int8Bytes) {}

  @Override
  public void run(ExperimentContext lab) {
    Measured<Quality> language =
        lab.learnTogether("language model", Quality.class, 1, run -> language(lab, run));
    Measured<Quality> encoder =
        lab.learnTogether("encoder", Quality.class, 1, run -> encoder(lab, run));
    losses(lab, language, encoder);
    claims(lab, "language model", language);
    claims(lab, "encoder", encoder);
    speed(lab);
    sentences(lab);
    lab.note(
        "Models as small as these have few outliers of their own. Here what each block's norms give"
            + " in %d features is multiplied by the factor, and the weights that it meets are divided"
            + " by it, so that the model computes the same. Columns of outliers stay in 8 bits, as in"
            + " the authors' code; the shrunk ones are coarse then, for both 8-bit forms.",
        OUTLIERS);
    lab.note(
        "A feature is an outlier for all tokens of a call in which one reaches 6.0. The share is over"
            + " the inputs of all 8-bit layers, the output layer's among them. The tables of words"
            + " are in 8 bits as well, which the paper's are not.");
  }

  private static TrainingConfig training(ExperimentContext lab) {
    return Small.training(lab.pick(4, 400, 100_000), 16, 1);
  }

  private static Map<String, Quality> language(ExperimentContext lab, Trial.Session run) {
    List<Double> factors = List.of(1.0, 4.0, 8.0, 16.0, 32.0, 64.0);
    List<Double> chosen = lab.pick(List.of(1.0, 32.0), factors, factors);
    long batches = lab.pick(1, 20, 200);
    ToDoubleFunction<Model> loss =
        lm -> LanguageModelling.evaluate((CausalLm) lm, lab.text(), 16, batches);
    CausalLm.Config config =
        Small.language(
            lab.pick(new Size(1, 32, 16, 2), new Size(4, 128, 128, 4), new Size(12, 768, 512, 12)));
    return new LanguageTrial(config, training(lab), batches)
        .examine(run, (lm, result) -> qualities("language model", lm, chosen, loss));
  }

  private static Map<String, Quality> encoder(ExperimentContext lab, Trial.Session run) {
    Encoder.Config config = encoder(lab.pick(1, 4, 6), lab.pick(32, 128, 384), 4, 256, 64);
    ToDoubleFunction<Model> loss = model -> masked(lab, (Encoder) model).evaluate().loss();
    return new TaskTrial<>(config::build, training(lab), (model, session) -> masked(lab, model))
        .examine(
            run, (model, task, result) -> qualities("encoder", model, List.of(1.0, 32.0), loss));
  }

  private static MaskedModelling masked(ExperimentContext lab, Encoder model) {
    return new MaskedModelling(model, lab.text(), 16, 1, lab.pick(1, 20, 200));
  }

  private static Encoder.Config encoder(int layers, int width, int heads, int words, int length) {
    return new Encoder.Config()
        .with(c -> c.vocab(words + Encoder.SPECIAL).length(length))
        .withStack(s -> s.layers(layers).width(width))
        .withBlock(b -> b.dropout(0).mixer(new SoftmaxAttention.Config(heads, 0)));
  }

  /** Qualities as it was trained, and with outliers of rising size. */
  private static Map<String, Quality> qualities(
      String name, Model model, List<Double> factors, ToDoubleFunction<Model> quality) {
    Map<String, Quality> all = new LinkedHashMap<>();
    for (double factor : factors) {
      try (Model changed = OutlierChannels.in(model, OUTLIERS, factor, 1)) {
        all.put(name + ", x " + Check.number(factor), quality(changed, factor, quality));
      }
    }
    return all;
  }

  private static Quality quality(Model model, double factor, ToDoubleFunction<Model> quality) {
    try (Mode mode = Autograd.noGrad();
        Model decomposed = new LlmInt8().apply(model, null);
        Model rowWise = new LlmInt8(0).apply(model, null);
        Int8Share share = Int8Share.of(decomposed)) {
      return new Quality(
          factor,
          quality.applyAsDouble(model),
          quality.applyAsDouble(decomposed),
          quality.applyAsDouble(rowWise),
          100 * share.value());
    }
  }

  private static void losses(
      ExperimentContext lab, Measured<Quality> language, Measured<Quality> encoder) {
    lab.table(
        language
            .and(encoder)
            .table(
                "Losses on held-out text",
                "model, and how many times as large outliers are",
                fixed("outliers' factor", Quality::factor),
                column(FLOATS + " (nats)", Quality::exact),
                column(INT8 + " (% higher)", Quality::decomposedPercent),
                column(ROWS + " (% higher)", Quality::rowWisePercent),
                column("values in 8 bits (%)", Quality::share)));
    lab.figure(
        Figure.of(
                "What outliers cost the language model",
                "factor of the outlier features",
                "loss, % above float32",
                language.line(INT8, Quality::factor, Quality::decomposedPercent),
                language.line(ROWS, Quality::factor, Quality::rowWisePercent))
            .withLogX());
  }

  private static void claims(ExperimentContext lab, String name, Measured<Quality> qualities) {
    Quality trained = qualities.arms().get(0).first();
    Quality injected = qualities.arms().get(qualities.arms().size() - 1).first();
    mostly(lab, "the " + name, trained);
    lab.claim(
        "By LLM.int8() the " + name + " loses nothing that could be measured",
        "no degradation",
        FLOATS,
        Check.atMost(
            "loss as a multiple of float32's", trained.decomposed() / trained.exact(), 1.002));
    lab.claim(
        "With outlier features in the %s, 8-bit rows without decomposition are worse than LLM.int8()"
            .formatted(name),
        "row-wise 8 bits fail from 6.7 B parameters on, where outliers emerge",
        ROWS,
        Check.above(
            "loss above float32's at factor " + Check.number(injected.factor()),
            injected.rowWise() - injected.exact(),
            Math.max(0, injected.decomposed() - injected.exact())));
  }

  private static void mostly(ExperimentContext lab, String name, Quality quality) {
    lab.claim(
        "LLM.int8() multiplies almost all values of " + name + " in 8 bits",
        "more than 99.9 %",
        Check.above("share (%)", quality.share(), 99.9));
  }

  private static void sentences(ExperimentContext lab) {
    int most = lab.pick(3, 500, 10_000);
    Quality found =
        lab.measure(
            "sentence encoder",
            Quality.class,
            () -> {
              try (TextPairs pairs = new TextPairs(lab.scale(), most)) {
                return quality(pairs.model(), 1, other -> pairs.score((Encoder) other));
              }
            });
    lab.table(
        Measured.of(Map.of("all-MiniLM-L6-v2", found))
            .table(
                "Agreement with people on how alike texts are (Spearman x 100), mean of four files of"
                    + " at most %d pairs".formatted(most),
                "encoder",
                column(FLOATS, Quality::exact),
                column(INT8, Quality::decomposed),
                column(ROWS, Quality::rowWise),
                column("values in 8 bits (%)", Quality::share)));
    mostly(lab, "all-MiniLM-L6-v2", found);
    lab.claim(
        "By LLM.int8() all-MiniLM-L6-v2 loses nothing that could be measured",
        "no degradation",
        FLOATS,
        Check.atMost("points below float32's", found.exact() - found.decomposed(), 0.3));
  }

  private static void speed(ExperimentContext lab) {
    int batch = lab.pick(2, 32, 32);
    int length = lab.pick(16, 128, 128);
    Speed speed = lab.measure("speed", Speed.class, () -> speed(lab, batch, length));
    TimedArms passes = speed.passes();
    TimedArms products = speed.products();
    String of = ", random weights, " + batch + " texts of " + length + " tokens";
    lab.table(
        passes.table("A pass of an encoder of MiniLM's shape" + of, "weights", "times float32's"));
    lab.table(
        products.table(
            "The first layer of a feed-forward half of it" + of, "weights", "times float32's"));
    lab.claim(
        "LLM.int8() multiplies faster than float32 does",
        "up to 1.8 times for large models, slower for small ones (appendix D)",
        FLOATS,
        Check.all(
            Check.above("product, times as fast", products.ratio(FLOATS, INT8), 1),
            Check.above("encoder, times as fast", passes.ratio(FLOATS, INT8), 1)));
    double int8 = speed.int8Bytes() / 1e6;
    double floats = speed.floatBytes() / 1e6;
    lab.claim(
        "Weights of LLM.int8() take about a quarter of the memory of float32's",
        "half of 16 bits",
        Check.atMost("share of float32's", int8 / floats, 0.3),
        Check.number(int8) + " against " + Check.number(floats) + " MB.");
  }

  private static Speed speed(ExperimentContext lab, int batch, int length) {
    int width = lab.pick(48, 384, 384);
    int words = lab.pick(100, 30_520, 30_520);
    int rounds = lab.pick(2, 7, 15);
    Random.seed(1);
    try (Encoder model = encoder(lab.pick(1, 6, 6), width, 12, words, length).build();
        Encoder int8 = (Encoder) new LlmInt8().apply(model, null);
        Mode mode = Autograd.noGrad()) {
      model.train(false);
      Arms<Encoder> arms = Arms.of(FLOATS, model).arm(INT8, int8);
      Tensor ids = Tensor.randint(0, words + Encoder.SPECIAL - 2L, batch, length);
      Tensor x = Tensor.randn(batch, length, width);
      return new Speed(
          TimedArms.measure(arms.map((name, m) -> () -> m.hidden(ids, null)), 1, rounds),
          TimedArms.measure(arms.map((name, m) -> () -> up(m).forward(x)), 1, rounds),
          model.parameterBytes(),
          int8.parameterBytes());
    }
  }

  private static Layer up(Module model) {
    return (Layer) model.modules().get("trunk.blocks.0.ffn.up");
  }
}
