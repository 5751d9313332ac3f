package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.named;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.extractor.HighExtractor;
import dev.jformer.mixer.extractor.MinimalistExtractor;
import dev.jformer.mixer.extractor.SuperHighExtractor;
import dev.jformer.mixer.extractor.WorthwhileExtractor;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Small.Size;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Scope;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/**
 * Extractors in place of softmax attention (Attention Is Not All You Need Anymore, <a
 * href="https://arxiv.org/abs/2308.07661">arXiv 2308.07661</a>): the same language model with the
 * same settings on the same text, for the same number of updates; then the time of a layer alone as
 * sequences grow.
 */
@AutoService(Study.class)
public final class ExtractorsStudy implements Study {
  /** How near to attention's loss counts as near. */
  private static final double NEAR = 1.05;

  private static final int HEADS = 4;
  private static final String SOFTMAX = "softmax attention";
  private static final String SHE = "SHE";
  private static final List<String> CHEAP = List.of("HE", "WE", "ME");

  /** What a mixer costs by its definition, in the length l and the width D. */
  private record Formula(String text, DoubleBinaryOperator value) {}

  /**
   * A mixer and what it costs by its definition.
   *
   * @param weights of a layer without biases
   * @param operations multiplications of a layer a token, on average over the positions
   */
  private record Mixer(TokenMixer.Config config, Formula weights, Formula operations) {
    double weights(Size size) {
      return weights.value().applyAsDouble(size.length(), size.width());
    }

    double operations(Size size) {
      return operations.value().applyAsDouble(size.length(), size.width());
    }
  }

  private static final Arms<Mixer> MIXERS =
      Arms.of(
              SOFTMAX,
              new Mixer(
                  new SoftmaxAttention.Config(HEADS, 0),
                  new Formula("4 D²", (l, d) -> 4 * d * d),
                  new Formula("4 D² + (l+1) D", (l, d) -> 4 * d * d + (l + 1) * d)))
          .arm(
              SHE,
              new Mixer(
                  new SuperHighExtractor.Config(),
                  new Formula("l D² + 2 D²", (l, d) -> l * d * d + 2 * d * d),
                  new Formula(
                      "2 D² + (l+1) D²/2 + D", (l, d) -> 2 * d * d + (l + 1) * d * d / 2 + d)))
          .arm("HE", cheap(new HighExtractor.Config(), 3, "l D", (l, d) -> l * d))
          .arm("WE", cheap(new WorthwhileExtractor.Config(), 2, "l D", (l, d) -> l * d))
          .arm("ME", cheap(new MinimalistExtractor.Config(), 2, "l", (l, d) -> l));

  private static Mixer cheap(
      TokenMixer.Config config, int matrices, String text, DoubleBinaryOperator own) {
    String squares = matrices + " D²";
    return new Mixer(
        config,
        new Formula(text + " + " + squares, (l, d) -> own.applyAsDouble(l, d) + matrices * d * d),
        new Formula(
            squares + " + (l+1) D/2 + D", (l, d) -> matrices * d * d + (l + 1) * d / 2 + d));
  }

  @Override
  public void run(ExperimentContext lab) {
    learning(lab, new Size(lab.pick(1, 3, 6), lab.pick(16, 64, 128), lab.pick(24, 64, 128), HEADS));
    costs(lab, lab.pick(16, 64, 128));
    lab.note(
        "Only the published summary of the paper was at hand: widths, lengths and data are not"
            + " the paper's, and what it leaves open was settled as the Extractors' documentation"
            + " says. All models have the same settings throughout, as the paper's have.");
    lab.note(
        "Operations are multiplications of the definitions. SHE, HE and WE compute their sums by"
            + " Fourier transforms where sequences are long, with fewer.");
  }

  private static Trial<TrainingResult> trial(ExperimentContext lab, Mixer mixer, Size size) {
    int steps = lab.pick(3, 800, 20_000);
    return new LanguageTrial(
        Small.language(size).withBlock(b -> b.mixer(mixer.config()).bias(false)),
        Small.training(steps, lab.pick(4, 16, 32), 1).withEvaluateEvery(Math.max(1, steps / 8)),
        lab.pick(2, 40, 40));
  }

  private static Mixer mixer(String name) {
    return MIXERS.settings().get(name);
  }

  private static long weights(String name, Size size) {
    try (Scope scope = Scope.open();
        TokenMixer built = Small.mixer(mixer(name).config(), size.width(), size.length(), true)) {
      return built.parameterCount();
    }
  }

  private static Check asDefined(String name, Size size) {
    long weights = weights(name, size);
    double off = Math.abs(weights - mixer(name).weights(size));
    return Check.atMost(name + ": " + weights + " weights, off by", off, 0);
  }

  private static void learning(ExperimentContext lab, Size size) {
    Measured<TrainingResult> runs =
        MIXERS.learn(lab, "", lab.pick(1, 3, 3), mixer -> trial(lab, mixer, size));
    lab.claim(
        "SHE learns at least as well as softmax attention",
        "SHE evidently improves the performance of the Transformer (abstract)",
        runs.atMost("loss of SHE, against attention,", SHE, SOFTMAX, TrainingResult::finalLoss));
    for (String name : CHEAP) {
      lab.claim(
          name + " learns about as well as softmax attention, with fewer operations",
          "close to or better than self-attention with less computational complexity (abstract)",
          Check.all(
              runs.ratioAtMost("loss", name, SOFTMAX, TrainingResult::finalLoss, NEAR),
              Check.below(
                  "multiplications a token and layer",
                  mixer(name).operations(size),
                  mixer(SOFTMAX).operations(size))));
    }
    lab.claim(
        "The Extractors' weights grow with the length l and the width D as the definitions say",
        "SHE: O(l D²); the others linear in l",
        Check.each(runs.names(), name -> asDefined(name, size)));
    String of = ", width " + size.width() + ", length " + size.length();
    LanguageTrial.report(lab, runs, "The same model with different mixers" + of, "mixer");
    lab.table(
        runs.table(
            "A layer of each mixer by its definition" + of,
            "mixer",
            named("weights", name -> weights(name, size)),
            named("formula", name -> mixer(name).weights().text()),
            named("multiplications a token", name -> mixer(name).operations(size)),
            named("their formula", name -> mixer(name).operations().text())));
  }

  private static void costs(ExperimentContext lab, int width) {
    List<Integer> usual = List.of(64, 128, 256, 512, 1024, 2048, 4096);
    List<Integer> paper = List.of(64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384);
    List<Integer> sizes = lab.pick(List.of(32, 64, 128), usual, paper);
    // SHE's matrices alone take l D² numbers, and several times that in training.
    int longestOfShe = lab.pick(64, 512, 1024);
    List<Integer> sizesOfShe = sizes.stream().filter(size -> size <= longestOfShe).toList();
    Arms<TokenMixer.Config> mixers = MIXERS.with(Mixer::config);
    LayerCost layer = new LayerCost(width, sizes);
    Measured<Cost> costs =
        layer
            .measure(lab, mixers.without(SHE), true)
            .and(
                new LayerCost(width, sizesOfShe)
                    .measure(lab, Arms.of(SHE, mixers.settings().get(SHE)), true));
    layer.reportByLength(lab, costs);
    Cost softmax = costs.first(SOFTMAX);
    for (String name : CHEAP) {
      Cost cost = costs.first(name);
      lab.claim(
          name + " takes less time than softmax attention on long sequences",
          "able to run faster than self-attention (abstract)",
          Check.below(
              "ms for " + cost.last().size() + " tokens",
              1e3 * cost.last().seconds(),
              1e3 * softmax.last().seconds()),
          "faster from " + Check.number(cost.overtakes(softmax)) + " tokens on");
    }
  }
}
