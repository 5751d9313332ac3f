package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.compress.quantize.StaticQuantization;
import dev.jformer.data.text.Batch;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.ClippedSoftmax;
import dev.jformer.mixer.attention.GatedAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Outliers;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.HeldOutText;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Subject;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Schedule;
import java.util.List;

/**
 * Quantizable Transformers: Removing Outliers by Helping Attention Heads Do Nothing (<a
 * href="https://arxiv.org/abs/2306.12929">arXiv 2306.12929</a>): clipped softmax and gated
 * attention beside plain attention, how outliers grow while a GPT learns, and what 8-bit weights
 * and activations cost at the end.
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
  private record Look(long step, Outliers attention, Outliers ffn) {
    String text() {
      return Check.sentence(
          "a max norm of %s and a kurtosis of %s at step %s",
          attention.maxNorm(), attention.kurtosis(), step);
    }
  }

  /** A training, what was seen on the way, and the loss of the quantized model at its end. */
  private record Course(TrainingResult learned, List<Look> looks, double w8a8Loss) {
    Look last() {
      return looks.get(looks.size() - 1);
    }

    double maxNorm() {
      return last().attention().maxNorm();
    }

    double kurtosis() {
      return last().attention().kurtosis();
    }

    double floatLoss() {
      return learned.finalLoss();
    }

    double gap() {
      return w8a8Loss - floatLoss();
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    int heads = lab.pick(2, 4, 12);
    Measured<Course> all =
        Arms.<TokenMixer.Config>ofControl(VANILLA, new SoftmaxAttention.Config(heads, 0))
            .arm(CLIPPED, new ClippedSoftmax.Config(heads, 0, 4, 1))
            .arm(GATED, new GatedAttention.Config(heads, 0, 0.5))
            .learn(lab, "", lab.pick(1, 2, 3), mixer -> trial(lab, mixer));
    lab.table(
        all.table(
            "At the end",
            "attention",
            column("float32 loss", Course::floatLoss),
            column("W8A8 loss", Course::w8a8Loss),
            column("gap", Course::gap),
            column("max norm after attention", Course::maxNorm),
            column("kurtosis", Course::kurtosis),
            column("max norm after FFN", course -> course.last().ffn().maxNorm()),
            column("kurtosis after FFN", course -> course.last().ffn().kurtosis()),
            column("tokens/s", course -> course.learned().unitsPerSecond())));
    lab.figure(
        all.figure(
            "Largest activation after attention",
            "steps",
            "max norm",
            Curve.line(Course::looks, Look::step, look -> look.attention().maxNorm())));
    lab.figure(
        all.figure(
            "Kurtosis after attention",
            "steps",
            "kurtosis",
            Curve.line(Course::looks, Look::step, look -> look.attention().kurtosis())));
    claims(lab, all, CLIPPED, "Clipped softmax");
    claims(lab, all, GATED, "Gated attention");
    Course vanilla = all.first(VANILLA);
    lab.note(
        "Plain attention's own outliers went from %s to %s: where they hardly grow, there is little"
            + " for the techniques to take away. The paper trains BERT-base, OPT-125m to 1.3b and"
            + " ViT for 10⁵ to 10⁶ updates.",
        vanilla.looks().get(0).text(), vanilla.last().text());
    lab.note(
        "W8A8 is simulated: weights symmetric, activations asymmetric with ranges from %s batches of"
            + " the training text, one scale a tensor. Inside of attention and in the output layer"
            + " nothing is quantized. There is no encoder family yet, so the BERT side of the paper"
            + " is not measured.",
        calibration(lab));
  }

  private static void claims(
      ExperimentContext lab, Measured<Course> all, String arm, String subject) {
    lab.claim(
        subject + " has smaller outliers than plain attention",
        "lower maximum norm and kurtosis",
        VANILLA,
        Check.all(
            all.below("max norm", arm, VANILLA, Course::maxNorm),
            all.below("kurtosis", arm, VANILLA, Course::kurtosis)));
    lab.claim(
        subject + " loses less by W8A8 quantization than plain attention",
        "smaller gap",
        VANILLA,
        all.below("gap in loss", arm, VANILLA, Course::gap));
    lab.claim(
        subject + " is as good as plain attention in float32",
        "equal or better",
        VANILLA,
        all.ratioAtMost("loss", arm, VANILLA, Course::floatLoss, EQUAL));
  }

  private static int calibration(ExperimentContext lab) {
    return lab.pick(1, 4, 16);
  }

  private static Trial<Course> trial(ExperimentContext lab, TokenMixer.Config mixer) {
    int steps = lab.pick(4, 800, 125_000);
    int length = lab.pick(16, 128, 512);
    int batch = lab.pick(4, 16, 192);
    int batches = lab.pick(2, 20, 100);
    CausalLm.Config model =
        new CausalLm.Config()
            .with(c -> c.vocab(256).length(length).tied(true))
            .withStack(s -> s.layers(lab.pick(1, 4, 12)).width(lab.pick(16, 96, 768)))
            .withBlock(b -> b.mixer(mixer).bias(true).dropout(0));
    return new LanguageTrial(
            model,
            Small.training(steps, batch, 1)
                .withLearningRate(lab.pick(1e-3, 3e-3, 4e-4))
                .withSchedule(new Schedule(Schedule.Shape.LINEAR, Math.max(1, steps / 20), 0))
                .withEvaluateEvery(Math.max(1, steps / 8)),
            batches)
        .watched(
            Course.class,
            (lm, step) -> {
              List<Tensor> ids =
                  HeldOutText.batches(lab.text(), 8, length, lab.pick(1, 2, 8)).stream()
                      .map(Batch::inputs)
                      .toList();
              return new Look(step, Outliers.afterAttention(lm, ids), Outliers.afterFfn(lm, ids));
            },
            (lm, result, looks) ->
                new Course(
                    result,
                    looks,
                    quantizedLoss(
                        Subject.language(
                            lm, lab.text(), batch, calibration(lab), batch, batches))));
  }

  private static double quantizedLoss(Subject subject) {
    try (StaticQuantization quantized =
        StaticQuantization.of(subject.model(), () -> subject.run(subject.model()))) {
      return subject.evaluate(subject.model()).loss();
    }
  }
}
