package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.compress.quantize.StaticQuantization;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.ClippedSoftmax;
import dev.jformer.mixer.attention.GatedAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Outliers;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Clipped softmax and gated attention (arXiv 2306.12929) beside plain attention: how outliers grow
 * while a GPT learns, and what 8-bit weights and activations cost at the end.
 */
@AutoService(Study.class)
public final class QuantizableStudy implements Study {
  private static final String VANILLA = "softmax attention";
  private static final String CLIPPED = "clipped softmax";
  private static final String GATED = "gated attention";

  /** How much worse than plain attention's a float32 loss may be and still be equal. */
  private static final double EQUAL = 1.005;

  /**
   * A look at a model while it learns.
   *
   * @param step after which update
   * @param attention outliers after the attention halves
   * @param ffn outliers after the feed-forward halves
   */
  private record Look(long step, Outliers attention, Outliers ffn) {}

  /** A training, what was seen on the way, and the loss of the quantized model at its end. */
  private record Course(
      TrainingResult learned, List<Look> looks, double floatLoss, double w8a8Loss) {
    Look last() {
      return looks.get(looks.size() - 1);
    }

    double gap() {
      return w8a8Loss - floatLoss;
    }
  }

  @Override
  public String slug() {
    return "quantizable";
  }

  @Override
  public void run(ExperimentContext lab) {
    int heads = lab.scale().pick(2, 4, 12);
    Map<String, TokenMixer.Config> mixers = new LinkedHashMap<>();
    mixers.put(VANILLA, new SoftmaxAttention.Config(heads, 0));
    mixers.put(CLIPPED, new ClippedSoftmax.Config(heads, 0, 4, 1));
    mixers.put(GATED, new GatedAttention.Config(heads, 0, 0.5));
    int seeds = lab.scale().pick(1, 2, 3);
    Map<String, List<Course>> all = new LinkedHashMap<>();
    mixers.forEach(
        (name, mixer) -> {
          List<Course> courses = new ArrayList<>();
          for (int seed = 1; seed <= seeds; seed++) {
            int number = seed;
            courses.add(
                lab.measure(
                    name + ", seed " + seed,
                    Course.class,
                    progress -> course(lab, mixer, number, progress)));
          }
          all.put(name, courses);
        });
    report(lab, all);
  }

  private static Course course(
      ExperimentContext lab,
      TokenMixer.Config mixer,
      int seed,
      java.util.function.DoubleConsumer progress) {
    TrainingConfig training = training(lab.scale());
    List<Look> looks = new ArrayList<>();
    double[] losses = new double[2];
    try (Scope scope = Scope.open()) {
      List<Tensor> heldOut = heldOut(lab);
      LanguageTrial.Observer observer =
          (model, step, loss) -> {
            looks.add(
                new Look(
                    step,
                    Outliers.afterAttention(model, heldOut),
                    Outliers.afterFfn(model, heldOut)));
            if (step == training.steps()) {
              losses[0] = loss(lab, model, training);
              losses[1] = quantizedLoss(lab, model, training);
            }
          };
      TrainingResult learned =
          new LanguageTrial(model(lab.scale(), mixer), training, batches(lab), observer)
              .withSeed(seed)
              .run(lab.text(), (done, detail) -> progress.accept(done), null);
      return new Course(learned, looks, losses[0], losses[1]);
    }
  }

  /** Calibrates on sequences of the training text, as far from the ones trained on as can be. */
  private static double quantizedLoss(
      ExperimentContext lab, CausalLm model, TrainingConfig training) {
    TokenFile text = lab.text();
    SequenceSampler sampler =
        new SequenceSampler(text, training.batch(), model.config().length(), 1_000_003);
    try (StaticQuantization quantized =
        StaticQuantization.of(
            model,
            () -> {
              for (int i = 0; i < lab.scale().pick(1, 4, 16); i++) {
                try (Scope scope = Scope.open()) {
                  model.logits(sampler.batch(i).inputs());
                }
              }
            })) {
      return loss(lab, model, training);
    }
  }

  private static double loss(ExperimentContext lab, CausalLm model, TrainingConfig training) {
    try (Mode mode = Autograd.noGrad()) {
      return LanguageModelling.evaluate(model, lab.text(), training.batch(), batches(lab));
    }
  }

  private static long batches(ExperimentContext lab) {
    return lab.scale().pick(2, 20, 100);
  }

  private static List<Tensor> heldOut(ExperimentContext lab) {
    List<Tensor> batches = new ArrayList<>();
    int length = model(lab.scale(), new SoftmaxAttention.Config(1, 0)).length();
    HeldOut.read(
        lab.text(), 8, length, lab.scale().pick(1, 2, 8), batch -> batches.add(batch.inputs()));
    return batches;
  }

  private static CausalLm.Config model(Scale scale, TokenMixer.Config mixer) {
    CausalLm.Config base = new CausalLm.Config();
    return base.with(c -> c.vocab(256).length(scale.pick(16, 128, 512)).tied(true))
        .withStack(s -> s.layers(scale.pick(1, 4, 12)).width(scale.pick(16, 96, 768)))
        .withBlock(b -> b.mixer(mixer).bias(true).dropout(0));
  }

  private static TrainingConfig training(Scale scale) {
    int steps = scale.pick(4, 800, 125_000);
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(scale.pick(4, 16, 192))
                    .learningRate(scale.pick(1e-3, 3e-3, 4e-4))
                    .schedule(new Schedule(Schedule.Shape.LINEAR, Math.max(1, steps / 20), 0))
                    .evaluateEvery(Math.max(1, steps / 8))
                    .checkpointEvery(steps));
  }

  private static void report(ExperimentContext lab, Map<String, List<Course>> all) {
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> norms = new ArrayList<>();
    List<Figure.Series> kurtoses = new ArrayList<>();
    all.forEach(
        (name, courses) -> {
          rows.add(
              Table.row(
                  name,
                  mean(courses, Course::floatLoss),
                  mean(courses, Course::w8a8Loss),
                  mean(courses, Course::gap),
                  mean(courses, c -> c.last().attention().maxNorm()),
                  mean(courses, c -> c.last().attention().kurtosis()),
                  mean(courses, c -> c.last().ffn().maxNorm()),
                  mean(courses, c -> c.last().ffn().kurtosis()),
                  mean(courses, c -> c.learned().unitsPerSecond())));
          List<Look> looks = courses.get(0).looks();
          List<Double> steps = looks.stream().map(look -> (double) look.step()).toList();
          norms.add(
              Figure.Series.line(
                  name, steps, looks.stream().map(look -> look.attention().maxNorm()).toList()));
          kurtoses.add(
              Figure.Series.line(
                  name, steps, looks.stream().map(look -> look.attention().kurtosis()).toList()));
        });
    lab.table(
        new Table(
            "At the end, means over the seeds",
            List.of(
                "attention",
                "float32 loss",
                "W8A8 loss",
                "gap",
                "max norm after attention",
                "kurtosis",
                "max norm after FFN",
                "kurtosis after FFN",
                "tokens/s"),
            rows));
    lab.figure(
        new Figure("Largest activation after attention", "steps", "max norm", false, false, norms));
    lab.figure(new Figure("Kurtosis after attention", "steps", "kurtosis", false, false, kurtoses));
    List<Course> vanilla = all.get(VANILLA);
    for (String name : List.of(CLIPPED, GATED)) {
      List<Course> ours = all.get(name);
      lab.claim(
          sentence(name) + " has smaller outliers than plain attention",
          "lower maximum norm and kurtosis",
          Check.all(
              Check.below(
                  "max norm",
                  mean(ours, c -> c.last().attention().maxNorm()),
                  mean(vanilla, c -> c.last().attention().maxNorm())),
              Check.below(
                  "kurtosis",
                  mean(ours, c -> c.last().attention().kurtosis()),
                  mean(vanilla, c -> c.last().attention().kurtosis()))));
      lab.claim(
          sentence(name) + " loses less by W8A8 quantization than plain attention",
          "smaller gap",
          Check.below("gap in loss", mean(ours, Course::gap), mean(vanilla, Course::gap)));
      lab.claim(
          sentence(name) + " is as good as plain attention in float32",
          "equal or better",
          Check.atMost(
              "loss as a multiple of plain attention's",
              mean(ours, Course::floatLoss) / mean(vanilla, Course::floatLoss),
              EQUAL));
    }
    Look first = vanilla.get(0).looks().get(0);
    Look last = vanilla.get(0).last();
    lab.note(
        "Plain attention's own outliers went from a max norm of "
            + Check.number(first.attention().maxNorm())
            + " and a kurtosis of "
            + Check.number(first.attention().kurtosis())
            + " at step "
            + first.step()
            + " to "
            + Check.number(last.attention().maxNorm())
            + " and "
            + Check.number(last.attention().kurtosis())
            + " at step "
            + last.step()
            + ": where they hardly grow, there is little for the techniques to take away. The paper"
            + " trains BERT-base, OPT-125m to 1.3b and ViT for 10⁵ to 10⁶ updates.");
    lab.note(
        "W8A8 is simulated: weights symmetric, activations asymmetric with ranges from "
            + lab.scale().pick(1, 4, 16)
            + " batches of the training text, one scale a tensor. Inside of attention and in the"
            + " output layer nothing is quantized. There is no encoder family yet, so the BERT side"
            + " of the paper is not measured.");
  }

  private static double mean(List<Course> courses, ToDoubleFunction<Course> value) {
    return courses.stream().mapToDouble(value).average().orElse(Double.NaN);
  }

  /** A name as a sentence begins with it. */
  private static String sentence(String name) {
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }
}
