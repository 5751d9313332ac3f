package dev.jformer.studies.channelmixer;

import com.google.auto.service.AutoService;
import dev.jformer.compress.experts.Emoe;
import dev.jformer.compress.experts.Unite;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.EmergentExperts;
import dev.jformer.hub.Models;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.MiniLm;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TextClassification;
import dev.jformer.train.TextClassification.Example;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;
import java.util.function.Predicate;

/**
 * EMoE (arXiv 2310.10908): all-MiniLM-L6-v2 learns whether short sentences of film reviews are
 * kind, densely, with experts found by clustering and with experts drawn at random; it is asked of
 * such sentences, of long ones, and of misspelt ones.
 */
@AutoService(Study.class)
public final class EmoeStudy implements Study {
  private static final String DENSE = "dense";
  private static final String CLUSTERED = "EMoE";
  private static final String RANDOM = "random experts";

  /** The most words of sentences to learn from, and the fewest of those that are foreign. */
  private static final int SHORT = 15;

  private static final int LONG = 22;

  /** The most tokens that are looked at. */
  private static final int LONGEST = 48;

  /** A sentence and whether it is kind. */
  private record Sentence(String text, int label) {
    int words() {
      return text.split(" ", -1).length;
    }

    /** With neighbouring letters exchanged in a third of the longer words. */
    Sentence misspelt(SplittableRandom random) {
      String[] words = text.split(" ", -1);
      for (int i = 0; i < words.length; i++) {
        if (words[i].length() > 3 && random.nextInt(3) == 0) {
          int at = 1 + random.nextInt(words[i].length() - 2);
          StringBuilder word = new StringBuilder(words[i]);
          word.setCharAt(at, words[i].charAt(at - 1));
          word.setCharAt(at - 1, words[i].charAt(at));
          words[i] = word.toString();
        }
      }
      return new Sentence(String.join(" ", words), label);
    }
  }

  /**
   * Shares of sentences that a tuned model gets right.
   *
   * @param near short ones, as it learned from
   * @param far long ones
   * @param misspelt short ones with misspellings
   * @param united near, far and misspelt for a model made dense after tuning; empty if it was
   */
  public record Outcome(double near, double far, double misspelt, List<Double> united) {
    double foreign() {
      return (far + misspelt) / 2;
    }
  }

  /**
   * Times of layers.
   *
   * @param times those of the first
   */
  public record Ratios(List<Double> times) {}

  /**
   * The largest difference of two models' outputs.
   *
   * @param difference of logits
   */
  public record Distance(double difference) {}

  @Override
  public String slug() {
    return "emoe";
  }

  @Override
  public void run(ExperimentContext lab) {
    Distance exact =
        lab.measure("all experts against dense", Distance.class, () -> exact(lab.scale()));
    lab.claim(
        "With all experts the model is the dense one exactly",
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

  // ---- Tuning

  private static void tuning(ExperimentContext lab) {
    Map<String, Emoe> variants = new LinkedHashMap<>();
    variants.put(DENSE, null);
    variants.put(CLUSTERED, experts(lab.scale(), Emoe.Split.CLUSTERED));
    variants.put(RANDOM, experts(lab.scale(), Emoe.Split.RANDOM));
    int seeds = lab.scale().pick(1, 3, 5);
    Map<String, List<Outcome>> all = new LinkedHashMap<>();
    for (int seed = 1; seed <= seeds; seed++) {
      int s = seed;
      variants.forEach(
          (name, surgery) ->
              all.computeIfAbsent(name, n -> new ArrayList<>())
                  .add(
                      lab.measure(
                          name + ", seed " + s,
                          Outcome.class,
                          progress -> tune(lab.scale(), surgery, s, progress))));
    }
    List<List<String>> rows = new ArrayList<>();
    all.forEach(
        (name, outcomes) ->
            rows.add(
                Table.row(
                    name,
                    100 * Seeds.mean(outcomes, Outcome::near),
                    100 * Seeds.spread(outcomes, Outcome::near),
                    100 * Seeds.mean(outcomes, Outcome::far),
                    100 * Seeds.mean(outcomes, Outcome::misspelt),
                    100 * Seeds.spread(outcomes, Outcome::foreign))));
    List<Outcome> tuned = all.get(CLUSTERED);
    rows.add(
        Table.row(
            "EMoE, then made dense",
            100 * Seeds.mean(tuned, o -> o.united().get(0)),
            100 * Seeds.spread(tuned, o -> o.united().get(0)),
            100 * Seeds.mean(tuned, o -> o.united().get(1)),
            100 * Seeds.mean(tuned, o -> o.united().get(2)),
            100 * Seeds.spread(tuned, o -> (o.united().get(1) + o.united().get(2)) / 2)));
    lab.table(
        new Table(
            "Sentences that are right after " + steps(lab.scale()) + " updates (%)",
            List.of("tuned", "short", "spread", "long", "misspelt", "spread of these two"),
            rows));
    int near = 0;
    int foreign = 0;
    for (int i = 0; i < seeds; i++) {
      near += tuned.get(i).near() >= all.get(DENSE).get(i).near() ? 1 : 0;
      foreign += tuned.get(i).foreign() >= all.get(DENSE).get(i).foreign() ? 1 : 0;
    }
    lab.claim(
        "EMoE is at least as good as dense tuning in most seeds, in its domain and out of it",
        "better on GLUE by 0.84 points with BERT-Large (table 2)",
        Check.all(
            Check.above("seeds, in domain", near, seeds / 2.0),
            Check.above("seeds, out of domain", foreign, seeds / 2.0)));
    lab.claim(
        "Clustering beats a random split",
        "random construction is worse (section 5.1)",
        Check.all(
            Check.above(
                "in domain (%)",
                100 * Seeds.mean(tuned, Outcome::near),
                100 * Seeds.mean(all.get(RANDOM), Outcome::near)),
            Check.above(
                "out of domain (%)",
                100 * Seeds.mean(tuned, Outcome::foreign),
                100 * Seeds.mean(all.get(RANDOM), Outcome::foreign))));
  }

  private static int steps(Scale scale) {
    return scale.pick(2, 120, 1500);
  }

  private static Emoe experts(Scale scale, Emoe.Split split) {
    return new Emoe(scale.pick(4, 16, 64), scale.pick(2, 8, 32), split, scale.pick(1, 3, 3), 1);
  }

  /** The encoder as it was pretrained, with a new layer over two classes. */
  private static Encoder encoder(Scale scale, long seed) {
    if (scale == Scale.SMOKE) {
      Random.seed(seed);
      return ((Encoder.Config)
              Configs.parse(
                  "{\"model\":\"encoder\",\"layers\":2,\"width\":16,\"vocab\":256,\"length\":64,"
                      + "\"mixer\":{\"heads\":2}}",
                  Model.Config.class))
          .sized(256, 2)
          .build();
    }
    try (Encoder base = (Encoder) Models.load(MiniLm.folder())) {
      Random.seed(seed);
      Encoder made = base.config().sized(base.config().vocab(), 2).build();
      made.copyFrom(base);
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read all-MiniLM-L6-v2", e);
    }
  }

  private static Tokenizer tokenizer(Scale scale) {
    return scale == Scale.SMOKE ? new ByteTokenizer() : Tokenizers.load(MiniLm.folder());
  }

  private static List<Sentence> sentences(Scale scale, String name) {
    if (scale == Scale.SMOKE) {
      List<Sentence> all = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        String text = (i % 2 == 0 ? "bad " : "good ") + "film ".repeat(1 + i % 30);
        all.add(new Sentence(text.strip(), i % 2));
      }
      return all;
    }
    Path file = DataSets.require("sst2/" + name);
    try {
      return Files.readAllLines(file).stream()
          .map(line -> line.split("\t", -1))
          .map(parts -> new Sentence(parts[0], Integer.parseInt(parts[1].strip())))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  private static List<Example> examples(Tokenizer tokenizer, List<Sentence> sentences) {
    return sentences.stream()
        .map(s -> new Example(tokenizer.encodeWhole(s.text(), LONGEST), s.label()))
        .toList();
  }

  private static Outcome tune(Scale scale, Emoe surgery, long seed, DoubleConsumer progress) {
    Tokenizer tokenizer = tokenizer(scale);
    Predicate<Sentence> isShort = s -> s.words() <= SHORT;
    List<Sentence> learned = sentences(scale, "train.tsv").stream().filter(isShort).toList();
    List<Sentence> asked = sentences(scale, "dev.tsv");
    List<Sentence> near = asked.stream().filter(isShort).toList();
    SplittableRandom random = new SplittableRandom(1);
    List<List<Example>> sets =
        List.of(
            examples(tokenizer, near),
            examples(tokenizer, asked.stream().filter(s -> s.words() >= LONG).toList()),
            examples(tokenizer, near.stream().map(s -> s.misspelt(random)).toList()));
    int steps = steps(scale);
    int batch = scale.pick(4, 16, 32);
    TrainingConfig training = Small.tuning(steps, batch, scale.pick(1e-3, 1e-4, 5e-5), seed);
    try (Encoder plain = encoder(scale, seed)) {
      Encoder model = surgery == null ? plain : (Encoder) surgery.apply(plain, null);
      try {
        TextClassification task =
            new TextClassification(model, examples(tokenizer, learned), 0.05, batch, seed);
        TrainingCurve.of(model, task, training, progress);
        List<Double> right = right(model, sets);
        List<Double> united = List.of();
        if (surgery != null) {
          try (Encoder dense = (Encoder) new Unite().apply(model, null)) {
            united = right(dense, sets);
          }
        }
        return new Outcome(right.get(0), right.get(1), right.get(2), united);
      } finally {
        if (model != plain) {
          model.close();
        }
      }
    }
  }

  private static List<Double> right(Encoder model, List<List<Example>> sets) {
    return sets.stream().map(set -> TextClassification.evaluate(model, set).accuracy()).toList();
  }

  private static Distance exact(Scale scale) {
    try (Encoder plain = encoder(scale, 1);
        Model all = new Emoe(8, 8, Emoe.Split.CLUSTERED, 0, 1).apply(plain, null)) {
      plain.train(false);
      int[] ids = tokenizer(scale).encodeWhole("a film that is kind to its experts", LONGEST);
      long[] wide = java.util.Arrays.stream(ids).asLongStream().toArray();
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor text = Tensor.of(wide, 1, wide.length);
        Tensor difference =
            plain.logits(text, null).sub(((Encoder) all).logits(text, null)).abs().max();
        return new Distance(difference.item());
      }
    }
  }

  // ---- Speed

  private static void speed(ExperimentContext lab) {
    int width = lab.scale().pick(16, 384, 768);
    int[] sizes =
        lab.scale()
            .pick(new int[] {32, 64}, new int[] {512, 2048, 8192}, new int[] {512, 2048, 8192});
    Map<String, ChannelMixer.Config> layers = new LinkedHashMap<>();
    layers.put(DENSE, new Mlp.Config());
    for (int experts : new int[] {8, 16, 64}) {
      layers.put(
          "half of " + experts,
          new EmergentExperts.Config(Activation.GELU, 4, 0, experts, experts / 2));
    }
    List<Ratios> inference = new ArrayList<>();
    List<Ratios> training = new ArrayList<>();
    for (int size : sizes) {
      inference.add(
          lab.measure(
              "inference of " + size + " tokens",
              Ratios.class,
              () -> times(layers.values(), width, size, false)));
      training.add(
          lab.measure(
              "training of " + size + " tokens",
              Ratios.class,
              () -> times(layers.values(), width, size, true)));
    }
    List<String> names = List.copyOf(layers.keySet());
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    for (int n = 0; n < names.size(); n++) {
      int layer = n;
      List<Object> row = new ArrayList<>(List.of(names.get(n)));
      inference.forEach(r -> row.add(r.times().get(layer)));
      training.forEach(r -> row.add(r.times().get(layer)));
      rows.add(Table.row(row.toArray()));
      curves.add(
          Figure.Series.line(
              names.get(n),
              java.util.Arrays.stream(sizes).mapToObj(s -> (double) s).toList(),
              inference.stream().map(r -> r.times().get(layer)).toList()));
    }
    List<String> head = new ArrayList<>(List.of("layer"));
    for (String what : List.of("inference", "training")) {
      for (int size : sizes) {
        head.add(what + ", " + size + " tokens");
      }
    }
    lab.claim(
        "Half of the experts are faster than the dense layer from 2,048 tokens on",
        "fewer operations with sparse experts (section 6)",
        Check.all(
            Check.below("times dense, inference", inference.get(1).times().get(1), 1),
            Check.below("times dense, training", training.get(1).times().get(1), 1)));
    lab.table(
        new Table("Time of a layer of width " + width + ", times the dense one's", head, rows));
    lab.figure(new Figure("Time in inference", "tokens", "times dense", true, false, curves));
  }

  /** Layers beside each other on so many tokens. */
  private static Ratios times(
      Collection<ChannelMixer.Config> configs, int width, int tokens, boolean training) {
    Random.seed(1);
    BlockContext context =
        new BlockContext(
            width, 0, 1, 8, false, true, 0, new BlockContext.Init(), new Linear.Config());
    List<ChannelMixer> layers = configs.stream().map(config -> config.build(context)).toList();
    try {
      Tensor x = Tensor.randn(tokens, width).requiresGrad(training);
      Tensor g = Tensor.randn(tokens, width);
      List<Runnable> work = new ArrayList<>();
      for (ChannelMixer layer : layers) {
        work.add(training ? () -> train(layer, x, g) : () -> infer(layer, x));
      }
      List<Double> seconds = InterleavedTimer.seconds(work, 10, 15);
      return new Ratios(seconds.stream().map(s -> s / seconds.get(0)).toList());
    } finally {
      layers.forEach(ChannelMixer::close);
    }
  }

  private static void infer(ChannelMixer layer, Tensor x) {
    try (Mode mode = Autograd.noGrad()) {
      layer.forward(x);
    }
  }

  private static void train(ChannelMixer layer, Tensor x, Tensor g) {
    layer.clearGrads();
    x.clearGrad();
    layer.forward(x).backward(g);
  }
}
