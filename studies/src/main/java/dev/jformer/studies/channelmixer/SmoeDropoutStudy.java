package dev.jformer.studies.channelmixer;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.ffn.expert.SmoeDropoutGate;
import dev.jformer.ffn.expert.TopKGate;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
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
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.stream.IntStream;

/**
 * SMoE-Dropout (arXiv 2303.01610): language models whose tokens are routed by gates that never
 * learn to more and more experts, beside such with a gate that learns. On a long text they are
 * asked with fewer and more experts; on one that can be learned by heart they stand beside dense
 * models of as many weights, with and without dropout.
 */
@AutoService(Study.class)
public final class SmoeDropoutStudy implements Study {
  private static final String SMOE = "SMoE-Dropout";
  private static final String LEARNED = "learned top-k";
  private static final String DENSE = "dense";
  private static final String DROPOUT = "dense, dropout 0.1";
  private static final int EXPERTS = 8;

  /** More of the whole way than this in one step is not smooth. */
  private static final double SMOOTH = 0.5;

  /**
   * What came of a training.
   *
   * @param course of the loss on the text held out
   * @param onLearned loss of the last model on the text it learned from
   * @param byActive losses of the last model on the text held out, with 1, 2, ... experts for each
   *     token; empty for a dense model
   * @param parameters number of weights
   */
  public record Outcome(
      TrainingCurve course, double onLearned, List<Double> byActive, long parameters) {
    double last() {
      return course.last();
    }

    double best() {
      return course.best();
    }
  }

  /**
   * A model to be trained.
   *
   * @param ffn its channel mixers
   * @param dropout in its blocks
   */
  private record Arm(ChannelMixer.Config ffn, double dropout) {
    boolean slims() {
      return ffn instanceof Experts.Config;
    }
  }

  @Override
  public String slug() {
    return "smoe-dropout";
  }

  @Override
  public void run(ExperimentContext lab) {
    int width = lab.scale().pick(16, 64, 256);
    Mlp.Config expert = new Mlp.Config(Activation.GELU, 4, width);
    ChannelMixer.Config frozen = new Experts.Config(expert, EXPERTS, new SmoeDropoutGate.Config());
    ChannelMixer.Config learned =
        new Experts.Config(expert, EXPERTS, new TopKGate.Config(EXPERTS / 2, true, 0.01));
    ChannelMixer.Config dense = new Mlp.Config(Activation.GELU, EXPERTS, 0);
    Map<String, Arm> arms = new LinkedHashMap<>();
    arms.put(SMOE, new Arm(frozen, 0));
    arms.put(LEARNED, new Arm(learned, 0));
    slimming(lab, width, arms);
    arms.remove(LEARNED);
    arms.put(DENSE, new Arm(dense, 0));
    arms.put(DROPOUT, new Arm(dense, 0.1));
    overfitting(lab, width, arms);
    lab.note(
        EXPERTS
            + " experts in every block, each with as many hidden units as the model is wide; dense"
            + " models have all of them in one perceptron. SMoE-Dropout begins with "
            + EXPERTS / 2
            + " experts for each token and ends with all; the learned gate has "
            + EXPERTS / 2
            + " throughout.");
  }

  // ---- A long text: how many experts run

  private static void slimming(ExperimentContext lab, int width, Map<String, Arm> arms) {
    int steps = lab.scale().pick(3, 500, 20_000);
    Map<String, List<Outcome>> all = new LinkedHashMap<>();
    arms.forEach(
        (name, arm) ->
            all.put(name, learn(lab, name + ", long text", lab.text(), arm, width, steps, 1e-3)));
    List<Double> smoe = byActive(all.get(SMOE));
    List<Double> learned = byActive(all.get(LEARNED));
    lab.claim(
        "With each more expert that runs SMoE-Dropout gets better, smoothly",
        "smooth and consistent boosts as more experts are activated (abstract)",
        Check.all(
            Check.atMost("experts that make it worse", worse(smoe), 0),
            Check.atMost("largest step as a share of the way", largest(smoe), SMOOTH)));
    lab.claim(
        "Experts behind a learned gate do not",
        "learned routing lacks it (experiments)",
        Check.above("experts that make it worse", worse(learned), 0));
    List<String> head = new ArrayList<>(List.of("gate"));
    List<Double> numbers = new ArrayList<>();
    for (int k = 1; k <= EXPERTS; k++) {
      head.add(k + " active");
      numbers.add((double) k);
    }
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> series = new ArrayList<>();
    all.forEach(
        (name, outcomes) -> {
          List<Object> row = new ArrayList<>(List.of(name));
          row.addAll(byActive(outcomes));
          rows.add(Table.row(row.toArray()));
          series.add(Figure.Series.line(name, numbers, byActive(outcomes)));
        });
    lab.table(
        new Table(
            "Held-out loss (nats a byte) by the experts that run for each token, after "
                + steps
                + " updates on the whole text",
            head,
            rows));
    lab.figure(
        new Figure(
            "Held-out loss by the experts that run, mean over seeds",
            "experts for each token",
            "nats a byte",
            false,
            false,
            series));
  }

  private static List<Double> byActive(List<Outcome> outcomes) {
    return IntStream.range(0, EXPERTS)
        .mapToObj(k -> Seeds.mean(outcomes, o -> o.byActive().get(k)))
        .toList();
  }

  /** How many losses are higher than the one before. */
  private static int worse(List<Double> losses) {
    return (int)
        IntStream.range(1, losses.size()).filter(k -> losses.get(k) > losses.get(k - 1)).count();
  }

  /** The largest change from one to the next, as a share of that from the first to the last. */
  private static double largest(List<Double> losses) {
    double way = Math.abs(losses.get(losses.size() - 1) - losses.get(0));
    return IntStream.range(1, losses.size())
            .mapToDouble(k -> Math.abs(losses.get(k) - losses.get(k - 1)))
            .max()
            .orElseThrow()
        / way;
  }

  // ---- A short text: what is learned by heart

  private static void overfitting(ExperimentContext lab, int width, Map<String, Arm> arms) {
    int steps = lab.scale().pick(3, 600, 20_000);
    int bytes = lab.scale().pick(4000, 8000, 1_000_000);
    Map<String, List<Outcome>> all = new LinkedHashMap<>();
    try (TokenFile excerpt = lab.text().excerpt(bytes, 4L * bytes)) {
      arms.forEach(
          (name, arm) ->
              all.put(name, learn(lab, name + ", short text", excerpt, arm, width, steps, 3e-3)));
    }
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> series = new ArrayList<>();
    all.forEach(
        (name, outcomes) -> {
          rows.add(
              Table.row(
                  name,
                  Seeds.mean(outcomes, Outcome::last),
                  Seeds.spread(outcomes, Outcome::last),
                  Seeds.mean(outcomes, Outcome::best),
                  Seeds.spread(outcomes, Outcome::best),
                  Seeds.mean(outcomes, Outcome::onLearned),
                  Seeds.mean(outcomes, o -> o.course().seconds()),
                  outcomes.get(0).parameters()));
          series.add(outcomes.get(0).course().curve(name, steps));
        });
    double last = Seeds.mean(all.get(SMOE), Outcome::last);
    lab.claim(
        "SMoE-Dropout with all experts is at least as good as a dense model that overfits",
        "better than dense training with as many weights (abstract)",
        Check.atMost("nats a byte, in the end", last, Seeds.mean(all.get(DENSE), Outcome::last)));
    lab.claim(
        "SMoE-Dropout with all experts is at least as good as a dense model with dropout",
        "better than dense training with dropout (experiments)",
        Check.atMost("nats a byte, in the end", last, Seeds.mean(all.get(DROPOUT), Outcome::last)));
    lab.claim(
        "SMoE-Dropout is at least as good as dropout also where each is stopped at its best",
        "(the paper does not say)",
        Check.atMost(
            "nats a byte, lowest",
            Seeds.mean(all.get(SMOE), Outcome::best),
            Math.min(
                Seeds.mean(all.get(DENSE), Outcome::best),
                Seeds.mean(all.get(DROPOUT), Outcome::best))));
    lab.table(
        new Table(
            "Language models after " + steps + " updates on " + bytes + " bytes",
            List.of(
                "model",
                "held-out loss (nats a byte), in the end",
                "spread",
                "lowest",
                "spread",
                "on the text learned from, in the end",
                "seconds of training",
                "weights"),
            rows));
    lab.figure(
        new Figure(
            "Held-out loss while a short text is learned, first seed",
            "updates",
            "nats a byte",
            false,
            false,
            series));
  }

  // ---- Training

  private static List<Outcome> learn(
      ExperimentContext lab,
      String name,
      TokenFile text,
      Arm arm,
      int width,
      int steps,
      double rate) {
    List<Outcome> outcomes = new ArrayList<>();
    for (int seed = 1; seed <= lab.scale().pick(1, 2, 3); seed++) {
      int s = seed;
      outcomes.add(
          lab.measure(
              name + ", seed " + s,
              Outcome.class,
              progress -> learn(lab.scale(), text, arm, width, steps, rate, s, progress)));
    }
    return outcomes;
  }

  private static Outcome learn(
      Scale scale,
      TokenFile text,
      Arm arm,
      int width,
      int steps,
      double rate,
      long seed,
      DoubleConsumer progress) {
    Random.seed(seed);
    int batches = scale.pick(2, 30, 200);
    TrainingConfig training = training(scale, steps, rate, seed);
    CausalLm lm = model(scale, arm, width).build();
    try {
      LanguageModelling task = new LanguageModelling(lm, text, training.batch(), seed, batches);
      TrainingCurve course = TrainingCurve.of(lm, task, training, progress);
      lm.train(false);
      try (Mode mode = Autograd.noGrad()) {
        double onLearned = onLearned(lm, text, training.batch(), batches);
        List<Double> byActive = new ArrayList<>();
        for (int k = 1; arm.slims() && k <= EXPERTS; k++) {
          Experts.activate(lm, k);
          byActive.add(task.evaluate().loss());
        }
        return new Outcome(course, onLearned, byActive, lm.parameterCount());
      }
    } finally {
      lm.close();
    }
  }

  private static TrainingConfig training(Scale scale, int steps, double rate, long seed) {
    TrainingConfig plain = Small.training(steps, scale.pick(2, 8, 32), seed);
    return plain.withLearningRate(rate);
  }

  private static double onLearned(CausalLm lm, TokenFile text, int batch, int batches) {
    SequenceSampler sampler = new SequenceSampler(text, batch, lm.config().length(), 1);
    double sum = 0;
    for (int i = 0; i < batches; i++) {
      try (Scope scope = Scope.open()) {
        Batch some = sampler.batch(i);
        sum += lm.loss(some.inputs(), some.targets()).item();
      }
    }
    return sum / batches;
  }

  private static CausalLm.Config model(Scale scale, Arm arm, int width) {
    CausalLm.Config plain =
        Small.language(
            scale.pick(1, 3, 4),
            width,
            scale.pick(16, 128, 256),
            new SoftmaxAttention.Config(4, 0));
    return plain.withBlock(
        b ->
            b.ffn(arm.ffn())
                .dropout(arm.dropout())
                .init(new BlockContext.Init())
                .projection(new Linear.Config()));
  }
}
