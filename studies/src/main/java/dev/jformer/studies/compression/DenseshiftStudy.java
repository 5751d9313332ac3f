package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.quantize.DenseShift;
import dev.jformer.config.Configs;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.ffn.Mlp;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.quantized.Int8Linear;
import dev.jformer.nn.shift.DenseShiftLinear;
import dev.jformer.nn.shift.RoundedShiftLinear;
import dev.jformer.nn.shift.ShiftLinear;
import dev.jformer.nn.shift.ShiftLinear.Arithmetic;
import dev.jformer.position.LearnedPosition;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.Pictures;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import dev.jformer.train.WeightFreezing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;

/**
 * DenseShift (arXiv 2208.09708): small vision transformers and language models whose weights are
 * powers of two of 2 to 4 bits without zero, beside floats and rounded ones with zero; how many
 * weights freeze while they learn; what they take, and whether shifts and sums give what floats do.
 */
@AutoService(Study.class)
public final class DenseshiftStudy implements Study {
  private static final String FLOATS = "floats";
  private static final String SPREAD = "DenseShift, 3 bits, latents of deviation 0.02";

  /** So many points are near full precision, and so many percent of a loss. */
  private static final double NEAR = 1;

  /**
   * A model that learned.
   *
   * @param score accuracy in percent, or loss in nats
   * @param stored the same as it is stored, or NaN of floats
   * @param integers the same computed with shifts, or NaN
   * @param signs share of weights whose sign never changed, or NaN
   * @param shifts share of those whose exponent never changed, or NaN
   * @param weights share of those of which nothing changed, or NaN
   * @param bytes of the linear layers in the blocks, as they are stored
   * @param apart the largest difference of shifts and sums from the product of floats; or NaN
   */
  private record Outcome(
      double score,
      double stored,
      double integers,
      double signs,
      double shifts,
      double weights,
      double bytes,
      double apart) {}

  /** Seconds of a pass, by numbers of tokens. */
  private record Times(List<String> names, List<List<Double>> seconds) {}

  @Override
  public String slug() {
    return "denseshift";
  }

  private static Map<String, Projection> variants() {
    Map<String, Projection> variants = new LinkedHashMap<>();
    variants.put(FLOATS, new Linear.Config());
    for (int bits = 2; bits <= 4; bits++) {
      variants.put(dense(bits), new DenseShiftLinear.Config(bits));
      variants.put(zero(bits), new RoundedShiftLinear.Config(bits));
    }
    variants.put(SPREAD, new DenseShiftLinear.Config(3, 0.02));
    return variants;
  }

  private static String dense(int bits) {
    return "DenseShift, " + bits + " bits";
  }

  private static String zero(int bits) {
    return "with zero, " + bits + " bits";
  }

  @Override
  public void run(ExperimentContext lab) {
    Map<String, List<Outcome>> vision = new LinkedHashMap<>();
    Map<String, List<Outcome>> text = new LinkedHashMap<>();
    variants()
        .forEach(
            (name, projection) -> {
              List<Outcome> seen = new ArrayList<>();
              List<Outcome> read = new ArrayList<>();
              for (int seed = 1; seed <= seeds(lab.scale(), name); seed++) {
                long s = seed;
                seen.add(
                    lab.measure(
                        name + ", images, seed " + s,
                        Outcome.class,
                        progress -> vision(lab.scale(), projection, s, progress)));
                read.add(
                    lab.measure(
                        name + ", text, seed " + s,
                        Outcome.class,
                        progress -> text(lab, projection, s, progress)));
              }
              vision.put(name, seen);
              text.put(name, read);
            });
    Times times = lab.measure("times of a layer", Times.class, () -> times(lab.scale()));
    report(lab, vision, text, times);
  }

  /** Those that claims are about have two. */
  private static int seeds(Scale scale, String name) {
    boolean judged = name.equals(FLOATS) || name.equals(dense(3)) || name.equals(zero(3));
    return scale.pick(1, judged ? 2 : 1, 3);
  }

  // ---- Learning

  private static TrainingConfig training(Scale scale, int steps, int batch, long seed) {
    return Small.training(steps, batch, seed).withSteps(steps, 1);
  }

  /** Trains a model; null if it has no weights to freeze. */
  private static WeightFreezing learn(
      Model model, Task task, TrainingConfig training, DoubleConsumer progress) {
    WeightFreezing freezing =
        model.config().equals(plain(model)) ? null : new WeightFreezing(model);
    try (Trainer trainer = new Trainer(model, task, training, null)) {
      if (freezing != null) {
        trainer.addListener(freezing);
      }
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
    return freezing;
  }

  private static Model.Config plain(Model model) {
    return Configs.replace(model.config(), Projection.class, Projection::folded);
  }

  /** What came of learning. */
  private static Outcome outcome(
      Model model, WeightFreezing freezing, ToDoubleFunction<Model> score) {
    double trained = score.applyAsDouble(model);
    if (freezing == null) {
      double none = Double.NaN;
      return new Outcome(trained, none, none, none, none, none, bytes(model), none);
    }
    try (Model stored = new DenseShift(3, Arithmetic.FLOATS).apply(model, null);
        Model integers = new DenseShift(3, Arithmetic.SHIFTS).apply(model, null)) {
      return new Outcome(
          trained,
          score.applyAsDouble(stored),
          score.applyAsDouble(integers),
          freezing.signs(),
          freezing.shifts(),
          freezing.weights(),
          bytes(stored),
          apart(integers));
    }
  }

  /** Of the layers that a projection made, without their biases. */
  private static double bytes(Model model) {
    double[] bytes = new double[1];
    model
        .modules()
        .forEach(
            (name, module) -> {
              boolean made = module instanceof Linear || module instanceof ShiftLinear;
              if (name.contains("blocks.") && made) {
                Map<String, Parameter> parameters = module.parameters();
                parameters.remove("bias");
                for (Parameter p : parameters.values()) {
                  bytes[0] += (double) p.value().elements() * p.value().dtype().bytes();
                }
              }
            });
    return bytes[0];
  }

  /** Shifts and sums of integers beside the product of the same numbers as floats of 64 bits. */
  private static double apart(Model model) {
    double apart = 0;
    for (Module module : model.modules().values()) {
      if (module instanceof ShiftLinear layer) {
        try (Scope scope = Scope.open()) {
          long in = layer.signs().size(1);
          Tensor x = Tensor.randint(-127, 128, 16, in);
          Tensor sums = layer.product(x.to(DType.INT8)).to(DType.FLOAT64);
          Tensor scales = layer.scales().to(DType.FLOAT64).unsqueeze(1);
          Tensor whole = layer.dequantized().to(DType.FLOAT64).div(scales).round();
          Tensor floats = x.to(DType.FLOAT64).matmul(whole.t());
          apart = Math.max(apart, sums.sub(floats).abs().max().item());
        }
      }
    }
    return apart;
  }

  private static Outcome vision(
      Scale scale, Projection projection, long seed, DoubleConsumer progress) {
    int batch = scale.pick(4, 64, 128);
    int steps = scale.pick(2, 200, 30_000);
    try (Pictures pictures = new Pictures(scale);
        ImageFile training = pictures.training();
        ImageFile test = pictures.test()) {
      ImageSampler sampler = new ImageSampler(training, 0.05, new Augmentation(), batch, seed);
      Random.seed(seed);
      try (ImageModel model =
          config(scale, projection, training.header().classes().size()).build()) {
        try (Scope scope = Scope.open()) {
          Tensor[] channels = sampler.channels();
          model.standardise(channels[0], channels[1]);
        }
        WeightFreezing freezing =
            learn(
                model,
                new ImageClassification(model, sampler, 0),
                training(scale, steps, batch, seed),
                progress);
        return outcome(model, freezing, m -> right((ImageModel) m, test));
      }
    }
  }

  private static ImageModel.Config config(Scale scale, Projection projection, int classes) {
    String json =
        "{\"model\":\"vit\",\"classes\":"
            + classes
            + ",\"patch\":8,\"stem\":\"convolutional\",\"layers\":"
            + scale.pick(1, 3, 12)
            + ",\"width\":"
            + scale.pick(8, 64, 384)
            + ",\"mixer\":{\"type\":\"softmax\",\"heads\":"
            + scale.pick(2, 4, 6)
            + "},\"projection\":"
            + Configs.toJson(projection)
            + "}";
    return (ImageModel.Config) Configs.parse(json, Model.Config.class);
  }

  private static double right(ImageModel model, ImageFile test) {
    ClassificationScores scores = new ClassificationScores();
    try (Mode mode = Autograd.noGrad()) {
      ImageSampler.all(test, (images, labels) -> scores.add(model.logits(images), labels));
    }
    return 100 * scores.accuracy();
  }

  private static Outcome text(
      ExperimentContext lab, Projection projection, long seed, DoubleConsumer progress) {
    Scale scale = lab.scale();
    int batch = scale.pick(4, 16, 32);
    int steps = scale.pick(2, 300, 50_000);
    Random.seed(seed);
    CausalLm.Config config =
        Small.language(
            scale.pick(1, 2, 12),
            scale.pick(16, 64, 768),
            scale.pick(16, 64, 512),
            new LearnedPosition.Config(),
            new SoftmaxAttention.Config(scale.pick(2, 4, 12), 0),
            new Mlp.Config(),
            projection);
    try (CausalLm model = config.build()) {
      WeightFreezing freezing =
          learn(
              model,
              new LanguageModelling(model, lab.text(), batch, seed, 1),
              training(scale, steps, batch, seed),
              progress);
      return outcome(
          model,
          freezing,
          m -> LanguageModelling.evaluate((CausalLm) m, lab.text(), 16, scale.pick(1, 20, 200)));
    }
  }

  // ---- Time

  private static List<Integer> tokens(Scale scale) {
    return scale.pick(List.of(1, 4), List.of(1, 128), List.of(1, 128));
  }

  private static Times times(Scale scale) {
    int in = scale.pick(32, 384, 768);
    Map<String, Projection> parts = new LinkedHashMap<>();
    parts.put(FLOATS, new Linear.Config());
    parts.put("powers of two, kept as floats", new ShiftLinear.Config());
    parts.put("shifts and sums", new ShiftLinear.Config(3, false, Arithmetic.SHIFTS));
    parts.put("8-bit integers (LLM.int8())", new Int8Linear.Config());
    Random.seed(1);
    List<Layer> layers = new ArrayList<>();
    parts.values().forEach(p -> layers.add(p.build(in, 4L * in, true, Initializer.normal(0.02))));
    List<List<Double>> seconds = new ArrayList<>();
    try (Mode mode = Autograd.noGrad()) {
      layers.forEach(layer -> layer.train(false));
      for (int tokens : tokens(scale)) {
        Tensor x = Tensor.randn(tokens, in);
        List<Runnable> work = new ArrayList<>();
        layers.forEach(layer -> work.add(() -> layer.forward(x)));
        seconds.add(InterleavedTimer.seconds(work, scale.pick(3, 10, 10), scale.pick(3, 11, 11)));
      }
    } finally {
      layers.forEach(Layer::close);
    }
    return new Times(List.copyOf(parts.keySet()), seconds);
  }

  // ---- What was found

  private static double mean(List<Outcome> outcomes, ToDoubleFunction<Outcome> value) {
    return Seeds.mean(outcomes, value);
  }

  private static double score(Map<String, List<Outcome>> all, String name) {
    return mean(all.get(name), Outcome::score);
  }

  private static void report(
      ExperimentContext lab,
      Map<String, List<Outcome>> vision,
      Map<String, List<Outcome>> text,
      Times times) {
    claims(lab, vision, text, times);
    lab.table(table("Vision transformer on CIFAR-10", "test images right (%)", vision));
    lab.table(table("Language model of bytes", "held-out loss (nats)", text));
    List<String> columns = new ArrayList<>(List.of(""));
    tokens(lab.scale()).forEach(n -> columns.add(n + " tokens"));
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < times.names().size(); i++) {
      List<Object> row = new ArrayList<>(List.of(times.names().get(i)));
      for (List<Double> each : times.seconds()) {
        row.add(each.get(i) / each.get(0));
      }
      rows.add(Table.row(row.toArray()));
    }
    lab.table(new Table("Time of a layer in inference, times that of floats", columns, rows));
    lab.figure(figure("Vision", "test images right (%)", vision));
    lab.figure(figure("Language", "held-out loss (nats)", text));
    lab.note(
        "Powers of two are the linear layers in the blocks; embeddings, stem and head are floats,"
            + " as the first and last layers of the paper's networks are. All learn by AdamW at the"
            + " same rate for the same updates; two seeds of floats and 3 bits, one of the others."
            + " A weight is frozen if no update changed its sign or exponent, looked at after"
            + " each.");
    lab.note(
        "Shifts and sums run in the JVM on 32-bit lanes, inputs rounded to 8 bits. The engine's"
            + " float products use fused multiply-adds, and its 8-bit ones four products and sums"
            + " an instruction and lane, so on this CPU a multiplication costs nothing that a shift"
            + " would spare. The paper's 1.6 times are of an ARM A57.");
  }

  private static Table table(String title, String score, Map<String, List<Outcome>> all) {
    List<List<String>> rows = new ArrayList<>();
    double floats = mean(all.get(FLOATS), Outcome::bytes);
    all.forEach(
        (name, outcomes) ->
            rows.add(
                Table.row(
                    name,
                    mean(outcomes, Outcome::score),
                    Seeds.spread(outcomes, Outcome::score),
                    mean(outcomes, Outcome::stored),
                    mean(outcomes, Outcome::integers),
                    100 * mean(outcomes, Outcome::signs),
                    100 * mean(outcomes, Outcome::shifts),
                    100 * mean(outcomes, Outcome::weights),
                    floats / mean(outcomes, Outcome::bytes))));
    return new Table(
        title,
        List.of(
            "",
            score,
            "spread",
            "as stored",
            "by shifts of 8-bit inputs",
            "signs frozen (%)",
            "exponents frozen (%)",
            "weights frozen (%)",
            "times fewer bytes"),
        rows);
  }

  private static Figure figure(String title, String y, Map<String, List<Outcome>> all) {
    List<Double> bits = List.of(2.0, 3.0, 4.0);
    List<Double> dense = new ArrayList<>();
    List<Double> zero = new ArrayList<>();
    for (int b = 2; b <= 4; b++) {
      dense.add(score(all, dense(b)));
      zero.add(score(all, zero(b)));
    }
    double floats = score(all, FLOATS);
    return new Figure(
        title,
        "bits of a weight",
        y,
        false,
        false,
        List.of(
            Figure.Series.line(FLOATS, bits, List.of(floats, floats, floats)),
            Figure.Series.line("DenseShift", bits, dense),
            Figure.Series.line("with zero", bits, zero)));
  }

  private static void claims(
      ExperimentContext lab,
      Map<String, List<Outcome>> vision,
      Map<String, List<Outcome>> text,
      Times times) {
    lab.claim(
        "DenseShift of 3 bits is near full precision",
        "70.57 against 69.76 % (ResNet-18 on ImageNet)",
        Check.all(
            Check.atLeast(
                "images right (%)", score(vision, dense(3)), score(vision, FLOATS) - NEAR),
            Check.atMost(
                "loss of language",
                score(text, dense(3)),
                score(text, FLOATS) * (1 + NEAR / 100))));
    lab.claim(
        "DenseShift with 3 bits is more accurate than rounding with zero",
        "above shift networks with zero of equal bits",
        better(vision, text, 3));
    lab.claim(
        "DenseShift with 2 and with 4 bits is more accurate than rounding with zero",
        "above shift networks with zero of equal bits",
        Check.all(better(vision, text, 2), better(vision, text, 4)));
    lab.claim(
        "Fewer weights freeze than by rounding with zero",
        "sign-scale decomposition lowers weight freezing",
        Check.all(
            frozen("signs, images (%)", vision, zero(3), Outcome::signs),
            frozen("signs, language (%)", text, zero(3), Outcome::signs),
            frozen("weights, images (%)", vision, zero(3), Outcome::weights),
            frozen("weights, language (%)", text, zero(3), Outcome::weights)));
    lab.claim(
        "Fewer weights freeze where latents start with little variance",
        "low-variance random initialization",
        Check.all(
            frozen("weights, images (%)", vision, SPREAD, Outcome::weights),
            frozen("weights, language (%)", text, SPREAD, Outcome::weights)));
    lab.claim(
        "Stored, 3 bits take a tenth of the bytes (12 % with scales) and give what training gave",
        "3 bits a weight",
        Check.all(
            Check.atMost(
                "share of the bytes",
                mean(text.get(dense(3)), Outcome::bytes) / mean(text.get(FLOATS), Outcome::bytes),
                0.12),
            Check.atMost(
                "loss as stored, less that in training",
                Math.abs(mean(text.get(dense(3)), o -> o.stored() - o.score())),
                1e-5)));
    double apart = 0;
    for (Map<String, List<Outcome>> task : List.of(vision, text)) {
      for (List<Outcome> outcomes : task.values()) {
        for (Outcome outcome : outcomes) {
          apart = Double.isNaN(outcome.apart()) ? apart : Math.max(apart, outcome.apart());
        }
      }
    }
    lab.claim(
        "Shifts and sums give exactly what products of the same numbers give",
        "(by construction)",
        Check.atMost("largest difference, all layers of all models", apart, 0));
    lab.claim(
        "By shifts a layer is faster than by floats",
        "1.6 times as fast on an ARM A57",
        Check.below(
            "times floats, 128 tokens",
            times.seconds().get(1).get(2) / times.seconds().get(1).get(0),
            1));
  }

  private static Check better(
      Map<String, List<Outcome>> vision, Map<String, List<Outcome>> text, int bits) {
    return Check.all(
        Check.above("images right (%)", score(vision, dense(bits)), score(vision, zero(bits))),
        Check.below("loss of language", score(text, dense(bits)), score(text, zero(bits))));
  }

  private static Check frozen(
      String what, Map<String, List<Outcome>> all, String other, ToDoubleFunction<Outcome> share) {
    return Check.below(
        what, 100 * mean(all.get(dense(3)), share), 100 * mean(all.get(other), share));
  }
}
