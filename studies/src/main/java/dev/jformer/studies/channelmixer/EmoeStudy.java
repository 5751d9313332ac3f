package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.compress.experts.Emoe;
import dev.jformer.compress.experts.Unite;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.EmergentExperts;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Sentiment;
import dev.jformer.studies.trial.Sentiment.Sentence;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
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

  /**
   * Percentages of sentences that a tuned model gets right.
   *
   * @param near short ones, as it learned from
   * @param far long ones
   * @param misspelt short ones with misspellings
   */
  public record Right(double near, double far, double misspelt) {
    double foreign() {
      return (far + misspelt) / 2;
    }
  }

  /**
   * What came of tuning.
   *
   * @param tuned of the model as it learned
   * @param united of the same made dense; the same if it was
   */
  public record Outcome(Right tuned, Right united) {}

  /**
   * The largest difference of two models' outputs.
   *
   * @param difference of logits
   */
  public record Distance(double difference) {}

  @Override
  public void run(ExperimentContext lab) {
    Distance exact =
        lab.measure("all experts against dense", Distance.class, () -> exact(lab.scale()));
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

  private static Distance exact(Scale scale) {
    Sentiment texts = new Sentiment(scale);
    try (Encoder pretrained = texts.pretrained();
        Encoder plain = texts.classifier(pretrained, 1);
        Model all = new Emoe(8, 8, Emoe.Split.CLUSTERED, 0, 1).apply(plain, null);
        Mode mode = Autograd.noGrad()) {
      plain.train(false);
      int[] tokens = texts.tokens("a film that is kind to its experts");
      long[] ids = Arrays.stream(tokens).asLongStream().toArray();
      Tensor text = Tensor.of(ids, 1, ids.length);
      return new Distance(
          plain.logits(text, null).sub(((Encoder) all).logits(text, null)).abs().max().item());
    }
  }

  // ---- Tuning

  private static void tuning(ExperimentContext lab) {
    Scale scale = lab.scale();
    int steps = scale.pick(2, 120, 1500);
    Measured<Outcome> runs =
        Arms.<List<Emoe>>ofControl(DENSE, List.of())
            .arm(CLUSTERED, List.of(experts(scale, Emoe.Split.CLUSTERED)))
            .control(RANDOM, List.of(experts(scale, Emoe.Split.RANDOM)))
            .learn(
                lab,
                "",
                scale.pick(1, 3, 5),
                experts ->
                    Trial.of(Outcome.class, session -> tune(scale, steps, experts, session)));
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

  private static Emoe experts(Scale scale, Emoe.Split split) {
    return new Emoe(scale.pick(4, 16, 64), scale.pick(2, 8, 32), split, scale.pick(1, 3, 3), 1);
  }

  private static Outcome tune(Scale scale, int steps, List<Emoe> experts, Trial.Session session) {
    Sentiment texts = new Sentiment(scale);
    int batch = scale.pick(4, 16, 32);
    long seed = session.seed();
    TrainingConfig training = Small.tuning(steps, batch, scale.pick(1e-3, 1e-4, 5e-5), seed);
    try (Encoder pretrained = texts.pretrained();
        Encoder plain = texts.classifier(pretrained, seed);
        Encoder split = experts.isEmpty() ? null : (Encoder) experts.get(0).apply(plain, null)) {
      Encoder model = split == null ? plain : split;
      TrainingCurve.of(
          model,
          texts.task(model, brief(texts.training()).toList(), batch, seed),
          training,
          done -> session.progress().at(done, ""));
      Right tuned = right(texts, model);
      if (split == null) {
        return new Outcome(tuned, tuned);
      }
      try (Encoder dense = (Encoder) new Unite().apply(model, null)) {
        return new Outcome(tuned, right(texts, dense));
      }
    }
  }

  private static Right right(Sentiment texts, Encoder model) {
    SplittableRandom random = new SplittableRandom(1);
    return new Right(
        percent(texts, model, brief(texts.test())),
        percent(texts, model, texts.test().stream().filter(s -> s.words() >= LONG)),
        percent(texts, model, brief(texts.test()).map(s -> misspelt(s, random))));
  }

  private static double percent(Sentiment texts, Encoder model, Stream<Sentence> sentences) {
    return 100 * texts.right(model, sentences.toList());
  }

  private static Stream<Sentence> brief(List<Sentence> sentences) {
    return sentences.stream().filter(s -> s.words() <= SHORT);
  }

  /** With neighbouring letters exchanged in a third of the longer words. */
  private static Sentence misspelt(Sentence sentence, SplittableRandom random) {
    String[] words = sentence.text().split(" ", -1);
    for (int i = 0; i < words.length; i++) {
      if (words[i].length() > 3 && random.nextInt(3) == 0) {
        int at = 1 + random.nextInt(words[i].length() - 2);
        StringBuilder word = new StringBuilder(words[i]);
        word.setCharAt(at, words[i].charAt(at - 1));
        word.setCharAt(at - 1, words[i].charAt(at));
        words[i] = word.toString();
      }
    }
    return new Sentence(String.join(" ", words), sentence.label());
  }

  // ---- Speed

  private static void speed(ExperimentContext lab) {
    int width = lab.scale().pick(16, 384, 768);
    List<Integer> sizes =
        lab.scale().pick(List.of(32, 64), List.of(512, 2048, 8192), List.of(512, 2048, 8192));
    Arms<ChannelMixer.Config> layers = Arms.ofControl(DENSE, new Mlp.Config());
    for (int n : List.of(8, 16, 64)) {
      layers =
          layers.arm("half of " + n, new EmergentExperts.Config(Activation.GELU, 4, 0, n, n / 2));
    }
    Measured<TimedArms> inference = times(lab, layers, "inference", width, sizes);
    Measured<TimedArms> training = times(lab, layers, "training", width, sizes);
    String half = "half of 8";
    String middle = ", " + sizes.get(1) + " tokens";
    lab.claim(
        "Half of EMoE's experts are faster than the dense layer from 2,048 tokens on",
        "fewer operations with sparse experts (section 6)",
        DENSE,
        Check.all(
            Check.below(
                "times dense, inference",
                inference.first("inference" + middle).ratio(half, DENSE),
                1),
            Check.below(
                "times dense, training",
                training.first("training" + middle).ratio(half, DENSE),
                1)));
    lab.table(
        TimedArms.ratios(
            "Time of a layer of width " + width + ", times the dense one's",
            "layer",
            inference.and(training)));
    List<Double> tokens = sizes.stream().map(Integer::doubleValue).toList();
    List<Figure.Series> curves = new ArrayList<>();
    for (String layer : layers.settings().keySet()) {
      List<Double> ratios =
          inference.arms().stream().map(t -> t.first().ratio(layer, DENSE).value()).toList();
      curves.add(Figure.Series.line(layer, tokens, ratios));
    }
    lab.figure(Figure.of("Time in inference", "tokens", "times dense", curves).withLogX());
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
