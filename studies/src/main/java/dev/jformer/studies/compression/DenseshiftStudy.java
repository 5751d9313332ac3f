package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.compress.quantize.DenseShift;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Projection;
import dev.jformer.nn.quantized.Int8Linear;
import dev.jformer.nn.shift.DenseShiftLinear;
import dev.jformer.nn.shift.RoundedShiftLinear;
import dev.jformer.nn.shift.ShiftLinear;
import dev.jformer.nn.shift.ShiftLinear.Arithmetic;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.ImageTrial;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Small.Size;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import dev.jformer.train.WeightFreezing;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;

/**
 * DenseShift (arXiv 2208.09708): small vision transformers and language models whose weights are
 * powers of two of 2 to 4 bits without zero, beside floats and rounded ones with zero; how many
 * weights freeze while they learn; what they take, and whether shifts and sums give what floats do.
 */
@AutoService(Study.class)
public final class DenseshiftStudy implements Study {
  private static final List<Integer> BITS = List.of(2, 3, 4);
  private static final String FLOATS = "floats";
  private static final String SPREAD = "DenseShift, 3 bits, latents of deviation 0.02";
  private static final String SHIFTS = "shifts and sums";

  private static final Arms<Projection> LAYERS =
      Arms.<Projection>ofControl(FLOATS, new Linear.Config())
          .arm("powers of two, kept as floats", new ShiftLinear.Config())
          .arm(SHIFTS, new ShiftLinear.Config(3, false, Arithmetic.SHIFTS))
          .arm("8-bit integers (LLM.int8())", new Int8Linear.Config());

  /** So many points are near full precision, and so many percent of a loss. */
  private static final double NEAR = 1;

  /**
   * A model that learned. All but score and bytes are NaN of floats.
   *
   * @param score percentage of test images that are right, or loss in nats: as it was trained, as
   *     it is {@code stored}, and computed with shifts of {@code integers}
   * @param signs percentage of weights whose sign never changed; likewise of exponents ({@code
   *     shifts}) and of whole weights
   * @param bytes of the linear layers in the blocks, as they are stored
   * @param apart the largest difference of shifts and sums from the product of floats
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

  private static String dense(int bits) {
    return "DenseShift, " + bits + " bits";
  }

  private static String zero(int bits) {
    return "with zero, " + bits + " bits";
  }

  @Override
  public void run(ExperimentContext lab) {
    Arms<Projection> variants = Arms.ofControl(FLOATS, new Linear.Config());
    for (int bits : BITS) {
      variants =
          variants
              .arm(dense(bits), new DenseShiftLinear.Config(bits))
              .control(zero(bits), new RoundedShiftLinear.Config(bits));
    }
    variants = variants.arm(SPREAD, new DenseShiftLinear.Config(3, 0.02));
    if (lab.scale() == Scale.LAPTOP) {
      // Those that most claims are about have two seeds.
      for (String single : List.of(dense(2), zero(2), dense(4), zero(4), SPREAD)) {
        variants = variants.seeds(single, 1);
      }
    }
    int seeds = lab.pick(1, 2, 3);
    Models models =
        new Models(
            variants.learn(lab, "images", seeds, p -> vision(lab.scale(), p)),
            variants.learn(lab, "text", seeds, p -> text(lab, p)));
    claims(lab, models);
    report(lab, "Vision transformer on CIFAR-10", "test images right (%)", models.vision());
    report(lab, "Language model of bytes", "held-out loss (nats)", models.text());
    times(lab);
    lab.note(
        "Powers of two are the linear layers in the blocks; embeddings, stem and head are floats, as"
            + " the first and last layers of the paper's networks. All learn by AdamW at the same"
            + " rate for the same updates. A weight is frozen if no update changed it.");
    lab.note(
        "Shifts and sums run in the JVM on 32-bit lanes, inputs rounded to 8 bits. The engine's"
            + " float products use fused multiply-adds, and its 8-bit ones four products and sums"
            + " an instruction and lane, so a shift spares nothing on this CPU.");
  }

  private static Trial<Outcome> vision(Scale scale, Projection projection) {
    AtomicReference<WeightFreezing> freezing = new AtomicReference<>();
    VisionTransformer.Config config =
        new VisionTransformer.Config()
            .with(c -> c.patch(8).stem(VisionTransformer.Stem.CONVOLUTIONAL))
            .withStack(s -> s.layers(scale.pick(1, 3, 12)).width(scale.pick(8, 64, 384)))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(scale.pick(2, 4, 6), 0)))
            .withBlock(b -> b.projection(projection));
    return new ImageTrial(
            scale, config, training(scale.pick(2, 200, 30_000), scale.pick(4, 64, 128)), 0)
        .withListener(model -> watched(model, projection, freezing))
        .examined(
            Outcome.class,
            (model, images, result) ->
                outcome(model, freezing.get(), m -> 100 * images.accuracy((VisionTransformer) m)));
  }

  private static Trial<Outcome> text(ExperimentContext lab, Projection projection) {
    AtomicReference<WeightFreezing> freezing = new AtomicReference<>();
    long batches = lab.pick(1, 20, 200);
    CausalLm.Config config =
        Small.language(
                lab.pick(
                    new Size(1, 16, 16, 2), new Size(2, 64, 64, 4), new Size(12, 768, 512, 12)))
            .withBlock(b -> b.projection(projection));
    return new LanguageTrial(config, training(lab.pick(2, 300, 50_000), lab.pick(4, 16, 32)), 1)
        .withListener(model -> watched(model, projection, freezing))
        .examined(
            Outcome.class,
            (model, result) ->
                outcome(
                    model,
                    freezing.get(),
                    m -> LanguageModelling.evaluate((CausalLm) m, lab.text(), 16, batches)));
  }

  private static TrainingConfig training(int steps, int batch) {
    return Small.training(steps, batch, 1).withSteps(steps, 1);
  }

  /** Watches weights freeze, but for floats. */
  private static WeightFreezing watched(
      Model model, Projection projection, AtomicReference<WeightFreezing> freezing) {
    freezing.set(projection instanceof Linear.Config ? null : new WeightFreezing(model));
    return freezing.get();
  }

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
          100 * freezing.signs(),
          100 * freezing.shifts(),
          100 * freezing.weights(),
          bytes(stored),
          ModelRebuilder.all(integers, ShiftLinear.class).values().stream()
              .mapToDouble(DenseshiftStudy::apart)
              .max()
              .orElseThrow());
    }
  }

  /** Of the linear layers in the blocks, without their biases. */
  private static double bytes(Model model) {
    return model.modules().entrySet().stream()
        .filter(module -> module.getKey().contains("blocks."))
        .filter(m -> m.getValue() instanceof Linear || m.getValue() instanceof ShiftLinear)
        .flatMap(module -> module.getValue().parameters().entrySet().stream())
        .filter(parameter -> !parameter.getKey().equals("bias"))
        .map(parameter -> parameter.getValue().value())
        .mapToDouble(value -> (double) value.elements() * value.dtype().bytes())
        .sum();
  }

  /** Shifts and sums of integers beside the product of the same numbers as floats of 64 bits. */
  private static double apart(ShiftLinear layer) {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensor.randint(-127, 128, 16, layer.signs().size(1));
      Tensor sums = layer.product(x.to(DType.INT8)).to(DType.FLOAT64);
      Tensor scales = layer.scales().to(DType.FLOAT64).unsqueeze(1);
      Tensor whole = layer.dequantized().to(DType.FLOAT64).div(scales).round();
      return sums.sub(x.to(DType.FLOAT64).matmul(whole.t())).abs().max().item();
    }
  }

  private static void times(ExperimentContext lab) {
    int in = lab.pick(32, 384, 768);
    Measured<TimedArms> times =
        TimedArms.projections(
            lab,
            LAYERS,
            in,
            4L * in,
            lab.pick(List.of(1, 4), List.of(1, 128), List.of(1, 128)),
            lab.pick(3, 10, 10),
            lab.pick(3, 11, 11));
    for (Measured.Arm<TimedArms> arm : times.arms()) {
      String title = "Time of a layer in inference, " + arm.name();
      lab.table(arm.first().table(title, "layer", "x floats"));
    }
    Measured.Arm<TimedArms> most = times.arms().get(1);
    lab.claim(
        "By DenseShift's shifts and sums a layer is faster than by floats",
        "1.6 times as fast on an ARM A57",
        FLOATS,
        Check.below("times floats, " + most.name(), most.first().ratio(SHIFTS, FLOATS), 1));
  }

  private static void report(
      ExperimentContext lab, String title, String score, Measured<Outcome> runs) {
    double floats = runs.first(FLOATS).bytes();
    lab.table(
        runs.table(
            title,
            "weights",
            column(score, Outcome::score),
            column("as stored", Outcome::stored),
            column("by shifts of 8-bit inputs", Outcome::integers),
            column("signs frozen (%)", Outcome::signs),
            column("exponents frozen (%)", Outcome::shifts),
            column("weights frozen (%)", Outcome::weights),
            column("times fewer bytes", run -> floats / run.bytes())));
    lab.figure(
        Figure.of(
            title,
            "bits of a weight",
            score,
            curve(runs, FLOATS, bits -> FLOATS),
            curve(runs, "DenseShift", DenseshiftStudy::dense),
            curve(runs, "with zero", DenseshiftStudy::zero)));
  }

  private static Figure.Series curve(Measured<Outcome> runs, String name, IntFunction<String> arm) {
    return Figure.Series.line(
        name, BITS, bits -> bits, bits -> runs.of(arm.apply(bits), Outcome::score).value());
  }

  /** Vision transformers and language models of all weights. */
  private record Models(Measured<Outcome> vision, Measured<Outcome> text) {
    Check better(int bits) {
      return Check.all(
          vision.above("images right (%)", dense(bits), zero(bits), Outcome::score),
          text.below("loss of language", dense(bits), zero(bits), Outcome::score));
    }

    Check fewer(String what, String other, ToDoubleFunction<Outcome> share) {
      return Check.all(
          vision.below(what + ", images (%)", dense(3), other, share),
          text.below(what + ", language (%)", dense(3), other, share));
    }
  }

  private static void claims(ExperimentContext lab, Models models) {
    Measured<Outcome> vision = models.vision();
    Measured<Outcome> text = models.text();
    lab.claim(
        "DenseShift of 3 bits is near full precision",
        "70.57 against 69.76 % (ResNet-18 on ImageNet)",
        FLOATS,
        Check.all(
            vision.atLeast("images right (%)", dense(3), FLOATS, Outcome::score, NEAR),
            Check.atMost(
                "loss of language",
                text.of(dense(3), Outcome::score),
                text.of(FLOATS, Outcome::score).times(1 + NEAR / 100))));
    lab.claim(
        "DenseShift with 3 bits is more accurate than rounding with zero",
        "above shift networks with zero of equal bits",
        zero(3),
        models.better(3));
    lab.claim(
        "DenseShift with 2 and with 4 bits is more accurate than rounding with zero",
        "above shift networks with zero of equal bits",
        zero(2),
        Check.all(models.better(2), models.better(4)));
    lab.claim(
        "Fewer weights freeze in DenseShift than by rounding with zero",
        "sign-scale decomposition lowers weight freezing",
        zero(3),
        Check.all(
            models.fewer("signs", zero(3), Outcome::signs),
            models.fewer("weights", zero(3), Outcome::weights)));
    lab.claim(
        "Fewer weights of DenseShift freeze where latents start with little variance",
        "low-variance random initialization",
        SPREAD,
        models.fewer("weights", SPREAD, Outcome::weights));
    lab.claim(
        "Stored, DenseShift's 3 bits take a tenth of the bytes (12 % with scales) and give what"
            + " training gave",
        "3 bits a weight",
        Check.all(
            Check.atMost(
                "share of the bytes",
                text.first(dense(3)).bytes() / text.first(FLOATS).bytes(),
                0.12),
            Check.atMost(
                "loss as stored, less that in training",
                Math.abs(text.of(dense(3), o -> o.stored() - o.score()).value()),
                1e-5)));
    lab.claim(
        "DenseShift's shifts and sums give exactly what products of the same numbers give",
        "(by construction)",
        Check.atMost(
            "largest difference, all layers of all models",
            vision.and(text).without(FLOATS).largest(Outcome::apart),
            0));
  }
}
