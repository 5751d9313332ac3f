package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.compress.experts.Emoe;
import dev.jformer.compress.experts.Unite;
import dev.jformer.data.text.Misspellings;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.EmergentExperts;
import dev.jformer.model.Encoder;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Sentiment;
import dev.jformer.studies.trial.Sentiment.Sentence;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * EMoE (<a href="https://arxiv.org/abs/2310.10908">Emergent Mixture-of-Experts: Can Dense
 * Pre-trained Transformers Benefit from Emergent Modular Structures?</a>): all-MiniLM-L6-v2 learns
 * whether short sentences of film reviews are kind, densely, with experts found by clustering and
 * with experts drawn at random; it is asked of such sentences, of long ones, and of misspelt ones.
 */
@AutoService(Study.class)
public final class EmoeStudy implements Study {
  private static final String DENSE = "dense";
  private static final String CLUSTERED = "EMoE";
  private static final String RANDOM = "random experts";

  /** The most words of sentences to learn from, and the fewest of those that are foreign. */
  private static final int SHORT = 15;

  private static final int LONG = 22;

  /** Percentages of short, of long and of misspelt short sentences that a model gets right. */
  public record Right(double near, double far, double misspelt) {
    double foreign() {
      return (far + misspelt) / 2;
    }
  }

  /** What a tuned model gets right, and the same model made dense. */
  public record Outcome(Right tuned, Right united) {}

  /** The largest difference of two models' logits. */
  public record Distance(double difference) {}

  @Override
  public void run(ExperimentContext lab) {
    Distance exact = lab.measure("all experts against dense", Distance.class, () -> exact(lab));
    lab.claim(
        "With all experts an EMoE model is the dense one exactly",
        "(by construction)",
        Check.atMost("largest difference of logits", exact.difference(), 0));
    speed(lab);
    tuning(lab);
    lab.note(
        "Learned from are the sentences of SST-2 of at most "
            + SHORT
            + " words; long ones have at least "
            + LONG
            + ". The paper's other domains are other data sets, which are not at hand here. EMoE is"
            + " put into the last half of the layers with half of its experts active.");
  }

  private static Distance exact(ExperimentContext lab) {
    Sentiment texts = new Sentiment(lab.scale());
    try (Encoder pretrained = texts.pretrained();
        Encoder plain = texts.classifier(pretrained, 1);
        Encoder all = (Encoder) new Emoe(8, 8, Emoe.Split.CLUSTERED, 0, 1).apply(plain, null);
        Mode mode = Autograd.noGrad()) {
      plain.train(false);
      Tensor text = Tensor.randint(0, 200, 1, 16);
      return new Distance(plain.logits(text, null).sub(all.logits(text, null)).abs().max().item());
    }
  }

  private static void tuning(ExperimentContext lab) {
    int steps = lab.pick(2, 120, 1500);
    Measured<Outcome> runs =
        Arms.<List<Emoe>>ofControl(DENSE, List.of())
            .arm(CLUSTERED, List.of(experts(lab, Emoe.Split.CLUSTERED)))
            .control(RANDOM, List.of(experts(lab, Emoe.Split.RANDOM)))
            .learn(lab, lab.pick(1, 3, 5), experts -> trial(lab, steps, experts));
    Measured<Right> tuned = runs.map(Outcome::tuned);
    List<Right> united = runs.arm(CLUSTERED).runs().stream().map(Outcome::united).toList();
    lab.table(
        tuned
            .and(Measured.ofRuns(Map.of("EMoE, then made dense", united)))
            .table(
                "Sentences that are right after " + steps + " updates (%)",
                "tuned",
                column("short", Right::near),
                column("long", Right::far),
                column("misspelt", Right::misspelt)));
    lab.claim(
        "EMoE is at least as good as dense tuning in most seeds, in its domain and out of it",
        "better on GLUE by 0.84 points with BERT-Large (table 2)",
        DENSE,
        Check.all(
            mostSeeds("share of seeds, in domain", tuned, Right::near),
            mostSeeds("share of seeds, out of domain", tuned, Right::foreign)));
    lab.claim(
        "EMoE's clustering is better than a random split into experts",
        "random construction is worse (section 5.1)",
        RANDOM,
        Check.all(
            tuned.above("in domain (%)", CLUSTERED, RANDOM, Right::near),
            tuned.above("out of domain (%)", CLUSTERED, RANDOM, Right::foreign)));
  }

  private static Check mostSeeds(
      String name, Measured<Right> tuned, ToDoubleFunction<Right> right) {
    return Check.above(
        name,
        tuned.beside(
            CLUSTERED,
            DENSE,
            (ours, theirs) -> right.applyAsDouble(ours) >= right.applyAsDouble(theirs) ? 1.0 : 0.0),
        0.5);
  }

  private static Emoe experts(ExperimentContext lab, Emoe.Split split) {
    return new Emoe(lab.pick(4, 16, 64), lab.pick(2, 8, 32), split, lab.pick(1, 3, 3), 1);
  }

  private static Trial<Outcome> trial(ExperimentContext lab, int steps, List<Emoe> experts) {
    Sentiment texts = new Sentiment(lab.scale());
    int batch = lab.pick(4, 16, 32);
    return new TaskTrial<>(
            own -> untuned(texts, experts, own.seed()),
            Small.tuning(steps, batch, lab.pick(1e-3, 1e-4, 5e-5), 1),
            (model, own) -> texts.task(model, brief(texts.training()).toList(), batch, own.seed()))
        .examined(
            Outcome.class,
            (model, task, result) -> {
              Right tuned = right(texts, model);
              if (experts.isEmpty()) {
                return new Outcome(tuned, tuned);
              }
              try (Encoder dense = (Encoder) new Unite().apply(model, null)) {
                return new Outcome(tuned, right(texts, dense));
              }
            });
  }

  private static Encoder untuned(Sentiment texts, List<Emoe> experts, long seed) {
    try (Encoder pretrained = texts.pretrained()) {
      Encoder plain = texts.classifier(pretrained, seed);
      if (experts.isEmpty()) {
        return plain;
      }
      try (plain) {
        return (Encoder) experts.get(0).apply(plain, null);
      }
    }
  }

  private static Right right(Sentiment texts, Encoder model) {
    SplittableRandom random = new SplittableRandom(1);
    return new Right(
        percent(texts, model, brief(texts.test())),
        percent(texts, model, texts.test().stream().filter(s -> s.words() >= LONG)),
        percent(
            texts,
            model,
            brief(texts.test())
                .map(s -> new Sentence(new Misspellings(3).in(s.text(), random), s.label()))));
  }

  private static double percent(Sentiment texts, Encoder model, Stream<Sentence> sentences) {
    return 100 * texts.right(model, sentences.toList());
  }

  private static Stream<Sentence> brief(List<Sentence> sentences) {
    return sentences.stream().filter(s -> s.words() <= SHORT);
  }

  private static void speed(ExperimentContext lab) {
    int width = lab.pick(16, 384, 768);
    List<Integer> sizes =
        lab.scale().pick(List.of(32, 64), List.of(512, 2048, 8192), List.of(512, 2048, 8192));
    Arms<ChannelMixer.Config> layers = Arms.ofControl(DENSE, new Mlp.Config());
    for (int n : List.of(8, 16, 64)) {
      layers =
          layers.arm("half of " + n, new EmergentExperts.Config(Activation.GELU, 4, 0, n, n / 2));
    }
    Measured<TimedArms> inference = times(lab, layers, "inference", width, sizes);
    Measured<TimedArms> training = times(lab, layers, "training", width, sizes);
    lab.claim(
        "Half of EMoE's experts are faster than the dense layer from 2,048 tokens on",
        "fewer operations with sparse experts (section 6)",
        DENSE,
        Check.all(
            faster("times dense, inference", inference.arms().get(1).first()),
            faster("times dense, training", training.arms().get(1).first())));
    lab.table(
        TimedArms.ratios(
            "Time of a layer of width " + width + ", times the dense one's",
            "layer",
            inference.and(training)));
    List<Figure.Series> curves = new ArrayList<>();
    for (String layer : layers.settings().keySet()) {
      List<Double> ratios =
          inference.arms().stream().map(t -> t.first().ratio(layer, DENSE).value()).toList();
      curves.add(Figure.Series.line(layer, sizes, ratios));
    }
    lab.figure(Figure.of("Time in inference", "tokens", "times dense", curves).withLogX());
  }

  private static Check faster(String name, TimedArms times) {
    return Check.below(name, times.ratio("half of 8", DENSE), 1);
  }

  private static Measured<TimedArms> times(
      ExperimentContext lab,
      Arms<ChannelMixer.Config> layers,
      String what,
      int width,
      List<Integer> sizes) {
    return Arms.named(sizes, tokens -> what + ", " + tokens + " tokens")
        .measure(
            lab,
            "time of ",
            TimedArms.class,
            tokens ->
                TimedArms.layers(
                    layers,
                    layer -> layer.build(Small.context(width)),
                    what.equals("training"),
                    10,
                    15,
                    tokens,
                    width));
  }
}
