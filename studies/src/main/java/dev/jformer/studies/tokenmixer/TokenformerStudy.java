package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Growth;
import dev.jformer.data.text.TokenFile;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.PattentionMlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Pattention;
import dev.jformer.position.LearnedPosition;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;

/**
 * TokenFormer (arXiv 2410.23168): whether growing a model preserves what it computes, and whether a
 * model that was trained small and grown twice is as good as a large one trained from scratch at
 * equal total compute.
 */
@AutoService(Study.class)
public final class TokenformerStudy implements Study {
  private static final int HEADS = 4;
  private static final int EVALUATION_BATCHES = 40;

  /**
   * What came of training a model in stages.
   *
   * @param losses on held-out text, nats a byte
   * @param compute operations of matrix products until then, 1e12
   * @param changes the largest differences of logits that growing made
   * @param parameters number of weights in the end
   */
  public record Outcome(
      List<Double> losses, List<Double> compute, List<Double> changes, long parameters) {
    double last() {
      return losses.get(losses.size() - 1);
    }

    double spent() {
      return compute.get(compute.size() - 1);
    }

    /** Operations until the loss first was as low as this; NaN if it never was. */
    double until(double loss) {
      for (int i = 0; i < losses.size(); i++) {
        if (losses.get(i) <= loss) {
          return compute.get(i);
        }
      }
      return Double.NaN;
    }
  }

  @Override
  public String slug() {
    return "tokenformer";
  }

  @Override
  public void run(ExperimentContext lab) {
    int seeds = lab.scale().pick(1, 2, 3);
    int[] stages =
        lab.scale()
            .pick(
                new int[] {2, 2, 2}, new int[] {400, 200, 150}, new int[] {60_000, 30_000, 30_000});
    List<Outcome> grown = new ArrayList<>();
    List<Outcome> scratch = new ArrayList<>();
    List<Outcome> plain = new ArrayList<>();
    for (int seed = 1; seed <= seeds; seed++) {
      int s = seed;
      grown.add(
          lab.measure(
              "grown 1x, 2x, 4x, seed " + seed,
              Outcome.class,
              progress -> grow(lab.scale(), lab.text(), stages, s, progress)));
      double budget = grown.get(grown.size() - 1).spent();
      scratch.add(
          lab.measure(
              "4x from scratch, seed " + seed,
              Outcome.class,
              progress -> whole(lab.scale(), lab.text(), large(lab.scale()), budget, s, progress)));
      plain.add(
          lab.measure(
              "Transformer of that size, seed " + seed,
              Outcome.class,
              progress ->
                  whole(lab.scale(), lab.text(), transformer(lab.scale()), budget, s, progress)));
    }
    double change =
        grown.stream()
            .flatMap(outcome -> outcome.changes().stream())
            .mapToDouble(Double::doubleValue)
            .max()
            .orElseThrow();
    lab.claim(
        "Growing preserves the function",
        "new key parameters start at zero: output unchanged (section 3.3)",
        Check.below("largest difference of a logit", change, 1e-5));
    double fromScratch = Seeds.mean(scratch, Outcome::last);
    lab.claim(
        "TokenFormer grown step by step is as good as trained from scratch at equal total compute",
        "comparable performance at a third to a tenth of the cost (figure 3)",
        Check.atMost("held-out loss", Seeds.mean(grown, Outcome::last), fromScratch));
    double saved = Seeds.mean(grown, o -> o.until(fromScratch) / o.spent());
    lab.claim(
        "Grown TokenFormer reaches the loss of training from scratch with less compute",
        "a third to a tenth of the cost (figure 3)",
        Check.below("share of the compute", saved, 1));
    lab.claim(
        "A TokenFormer learns about as well as a Transformer of the same number of weights",
        "perplexity 16.1 against 16.4 at 354 M parameters (table 2)",
        Check.atMost(
            "loss as a multiple of the Transformer's",
            fromScratch / Seeds.mean(plain, Outcome::last),
            1.02));
    lab.table(
        new Table(
            "Language models at equal total compute",
            List.of("model", "weights", "operations (1e12)", "loss (nats a byte)", "spread"),
            List.of(
                row("TokenFormer, grown 1x, 2x, 4x", grown),
                row("TokenFormer 4x from scratch", scratch),
                row("Transformer from scratch", plain))));
    lab.figure(
        new Figure(
            "Held-out loss against operations, first seed",
            "operations (1e12)",
            "nats a byte",
            false,
            false,
            List.of(
                Figure.Series.line("grown", grown.get(0).compute(), grown.get(0).losses()),
                Figure.Series.line(
                    "4x from scratch", scratch.get(0).compute(), scratch.get(0).losses()),
                Figure.Series.line("Transformer", plain.get(0).compute(), plain.get(0).losses()))));
    lab.note(
        "Compute is that of matrix products, forward and backward, added up over the stages. Each stage"
            + " has a warm-up and a cosine of its own, as has training from scratch.");
  }

  private static List<String> row(String name, List<Outcome> outcomes) {
    return Table.row(
        name,
        outcomes.get(0).parameters(),
        Seeds.mean(outcomes, Outcome::spent),
        Seeds.mean(outcomes, Outcome::last),
        Seeds.spread(outcomes, Outcome::last));
  }

  private static int width(Scale scale) {
    return scale.pick(16, 64, 512);
  }

  private static int length(Scale scale) {
    return scale.pick(16, 96, 1024);
  }

  private static CausalLm.Config tokens(Scale scale, int growth) {
    return Small.language(
        3,
        width(scale),
        length(scale),
        new LearnedPosition.Config(),
        new SoftmaxAttention.Config(HEADS, 0),
        new PattentionMlp.Config(2, growth),
        new Pattention.Config(0.5, growth));
  }

  private static CausalLm.Config large(Scale scale) {
    return tokens(scale, 4);
  }

  /** Perceptrons so wide that the weights are as many as the large TokenFormer's. */
  private static CausalLm.Config transformer(Scale scale) {
    int width = width(scale);
    // Blocks of the large one: 4 projections of 2 (2 D) D and 2 (8 D) D; here 4 D² and 2 h D.
    int hidden = (16 + 16 - 4) * width / 2;
    return Small.language(
        3,
        width,
        length(scale),
        new LearnedPosition.Config(),
        new SoftmaxAttention.Config(HEADS, 0),
        new Mlp.Config(dev.jformer.nn.Activation.GELU, 4, hidden),
        new Linear.Config());
  }

  private static Outcome grow(
      Scale scale, TokenFile text, int[] stages, long seed, DoubleConsumer progress) {
    List<Double> losses = new ArrayList<>();
    List<Double> compute = new ArrayList<>();
    List<Double> changes = new ArrayList<>();
    Random.seed(seed);
    CausalLm model = tokens(scale, 1).build();
    try {
      double spent = 0;
      for (int stage = 0; stage < stages.length; stage++) {
        if (stage > 0) {
          CausalLm larger = (CausalLm) Growth.grow(model, 2);
          changes.add(difference(model, larger));
          model.close();
          model = larger;
        }
        int s = stage;
        spent =
            train(
                scale,
                text,
                model,
                stages[stage],
                seed + 100L * stage,
                spent,
                losses,
                compute,
                done -> progress.accept((s + done) / stages.length));
      }
      return new Outcome(
          List.copyOf(losses), List.copyOf(compute), List.copyOf(changes), model.parameterCount());
    } finally {
      model.close();
    }
  }

  private static double difference(CausalLm a, CausalLm b) {
    a.train(false);
    b.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor ids = Tensor.randint(0, 256, 4, a.config().length());
      return a.logits(ids).sub(b.logits(ids)).abs().max().item();
    } finally {
      a.train(true);
      b.train(true);
    }
  }

  private static Outcome whole(
      Scale scale,
      TokenFile text,
      CausalLm.Config config,
      double budget,
      long seed,
      DoubleConsumer progress) {
    List<Double> losses = new ArrayList<>();
    List<Double> compute = new ArrayList<>();
    Random.seed(seed);
    try (CausalLm model = config.build()) {
      int steps = Math.max(1, (int) Math.floor(budget / perStep(scale, model)));
      train(scale, text, model, steps, seed, 0, losses, compute, progress);
      return new Outcome(
          List.copyOf(losses), List.copyOf(compute), List.of(), model.parameterCount());
    }
  }

  /** Trains, notes losses with the operations spent until then, and returns those in the end. */
  private static double train(
      Scale scale,
      TokenFile text,
      CausalLm model,
      int steps,
      long seed,
      double before,
      List<Double> losses,
      List<Double> compute,
      DoubleConsumer progress) {
    TrainingConfig training = Small.training(steps, batch(scale), seed);
    LanguageModelling task =
        new LanguageModelling(
            model, text, batch(scale), seed, scale.pick(2, EVALUATION_BATCHES, 100));
    double each = perStep(scale, model);
    TrainingCurve course = TrainingCurve.of(model, task, training, progress);
    for (int i = 0; i < course.losses().size(); i++) {
      losses.add(course.losses().get(i));
      compute.add(before + each * Math.min(steps, (i + 1L) * training.evaluateEvery()));
    }
    return before + each * steps;
  }

  private static int batch(Scale scale) {
    return scale.pick(2, 16, 32);
  }

  /** Operations of an update, 1e12. */
  private static double perStep(Scale scale, CausalLm model) {
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor ids = Tensor.zeros(DType.INT64, 1, model.config().length());
      return 3e-12 * batch(scale) * Flops.of(() -> model.logits(ids));
    } finally {
      model.train(true);
    }
  }
}
