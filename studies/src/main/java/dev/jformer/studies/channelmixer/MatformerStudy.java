package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;
import static dev.jformer.studies.Column.named;

import com.google.auto.service.AutoService;
import dev.jformer.compress.experts.Extract;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Granularities;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.NestedMlp;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.HeldOutText;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;

/**
 * MatFormer (<a href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for Elastic
 * Inference</a>): granularities of one nested language model beside models of their sizes trained
 * alone, Mix'n'Match between them, and what its smallest part is worth as a draft for the whole.
 */
@AutoService(Study.class)
public final class MatformerStudy implements Study {
  private static final List<Double> SHARES = List.of(0.125, 0.25, 0.5, 1.0);
  private static final String PLAIN = "plain";
  private static final String OWN = "its own smallest granularity";
  private static final String ALONE = "a model of that size, trained alone";

  /** How many tokens are guessed at a time; where times are measured, at most. */
  private static final int AHEAD = 3;

  private static final int MOST_AHEAD = 5;

  /** How much worse an extracted model may be than one trained alone. */
  private static final double MATCHES = 1.01;

  /**
   * Losses on held-out text of models of one granularity: of the nested model that learned one in
   * each update, of the nested model that learned all, and of a model that was trained alone.
   */
  private record Size(long weights, double one, double all, double alone) {
    double thousands() {
      return weights / 1e3;
    }
  }

  /**
   * A model put together of two granularities, with its loss and the one on the straight line
   * between those of its parts.
   */
  private record Mixed(long weights, double loss, double line) {}

  /** Percentages of guesses of a draft that the nested model kept. */
  private record Kept(double greedily, double drawing) {}

  /** What came of a seed; the guesses that were kept are by draft. */
  private record Outcome(Map<String, Size> sizes, List<Mixed> mixed, Map<String, Kept> kept) {
    double excessPercent() {
      return 100 * Seeds.mean(mixed, m -> m.loss() / m.line() - 1);
    }
  }

  /**
   * What guesses of its smallest part are worth to a model whose weights do not fit in caches: the
   * numbers of weights; times, without guesses and with so many at a time; percentages of guesses
   * that were kept; the tokens said each time; and how many different texts were said.
   */
  private record Speed(
      long whole, long part, TimedArms times, Map<String, Double> kept, int tokens, int texts) {}

  @Override
  public void run(ExperimentContext lab) {
    Trial<Outcome> trial = Trial.of(Outcome.class, session -> learn(lab, session));
    List<Outcome> outcomes = lab.learn("nested and alone", trial, lab.pick(1, 2, 3));
    sizes(lab, Measured.within(outcomes, Outcome::sizes));
    mixed(lab, outcomes);
    guesses(lab, Measured.within(outcomes, Outcome::kept));
    speed(lab);
    lab.note(
        "A model trained alone learns in every update; a granularity of the nested model is drawn in"
            + " one of four, though its units learn in all updates of larger ones too. Learning all"
            + " granularities in every update costs about twice the time of learning the largest.");
  }

  private static void sizes(ExperimentContext lab, Measured<Size> sizes) {
    lab.claim(
        "Models extracted from a MatFormer match models of their size trained alone, at equal"
            + " updates",
        "MatLM's granularities match their baselines (section 4.1, figure 2)",
        "alone",
        matches(
            "worst loss over that alone, all granularities learned",
            sizes,
            size -> size.all() / size.alone()));
    lab.claim(
        "Models extracted from a MatFormer match those trained alone also if each update draws one"
            + " granularity",
        "training by drawing (section 3.2)",
        "alone",
        matches("worst loss over that alone, one drawn", sizes, size -> size.one() / size.alone()));
    lab.table(
        sizes.table(
            "Held-out loss after " + steps(lab) + " updates (nats a byte)",
            "hidden units",
            fixed("weights", Size::weights),
            column("one drawn", Size::one),
            column("all learned", Size::all),
            column("alone", Size::alone)));
    lab.figure(
        Figure.of(
            "Loss by size",
            "thousand weights",
            "nats a byte",
            sizes.line("nested, one drawn", Size::thousands, Size::one),
            sizes.line("nested, all learned", Size::thousands, Size::all),
            sizes.line("alone", Size::thousands, Size::alone)));
  }

  private static Check matches(String name, Measured<Size> sizes, ToDoubleFunction<Size> ratio) {
    return Check.atMost(name, Estimate.largest(sizes.values(ratio).values()), MATCHES);
  }

  private static void mixed(ExperimentContext lab, List<Outcome> outcomes) {
    List<Mixed> all = outcomes.stream().flatMap(o -> o.mixed().stream()).toList();
    long below = all.stream().filter(m -> m.loss() <= m.line()).count();
    lab.claim(
        "Mix'n'Match lies on or below the line between granularities",
        "accuracies on the line or above (section 4.1, figure 3)",
        Check.atMost(
            "mean distance above the line (%)",
            Estimate.ofSeeds(outcomes.stream().map(Outcome::excessPercent).toList()), 0.1),
        below + " of " + all.size() + " combinations lie on the line or below.");
    Outcome first = outcomes.get(0);
    List<Size> sizes = List.copyOf(first.sizes().values());
    lab.figure(
        Figure.of(
            "Mix'n'Match, first seed, all learned",
            "thousand weights",
            "nats a byte",
            Figure.Series.line("granularities", sizes, Size::thousands, Size::all),
            Figure.Series.line("mixed", first.mixed(), m -> m.weights() / 1e3, Mixed::loss)));
  }

  private static void guesses(ExperimentContext lab, Measured<Kept> kept) {
    lab.claim(
        "The nested model keeps more guesses of its own part than of a model trained alone",
        "1.14 times plain decoding by its own part, 1.10 by an independent draft (table 1)",
        ALONE,
        Check.all(
            kept.above("kept, greedily (%)", OWN, ALONE, Kept::greedily),
            kept.above("kept, drawing (%)", OWN, ALONE, Kept::drawing)));
    lab.table(
        kept.table(
            "Guesses kept by the whole nested model, " + AHEAD + " at a time (%)",
            "draft",
            column("greedily", Kept::greedily),
            column("drawing", Kept::drawing)));
  }

  private static void speed(ExperimentContext lab) {
    Speed speed = lab.measure("speed of guessing", Speed.class, progress -> speed(lab, progress));
    TimedArms times = speed.times();
    Measured<Double> kept = Measured.of(speed.kept());
    List<String> guesses = kept.without(PLAIN).names();
    lab.claim(
        "Guessing with its own part makes a MatFormer's greedy decoding faster, and says the same",
        "1.14 times plain decoding (table 1)",
        PLAIN,
        Check.all(
            Check.above(
                "times the speed",
                Estimate.largest(guesses.stream().map(n -> times.ratio(PLAIN, n)).toList()),
                1),
            Check.atLeast("same text (1 is yes)", speed.texts() == 1 ? 1 : 0, 1)));
    lab.table(
        kept.table(
            "Greedy decoding of a nested model of "
                + Check.number(speed.whole() / 1e6)
                + " million weights by guesses of its part of "
                + Check.number(speed.part() / 1e6),
            "guesses",
            named("tokens/s", name -> speed.tokens() / times.seconds(name)),
            named("times plain", name -> times.ratio(PLAIN, name).value()),
            column("kept (%)", percent -> percent)));
  }

  private static int steps(ExperimentContext lab) {
    return lab.pick(3, 300, 20_000);
  }

  private static NestedMlp.Config nested(double expand, NestedMlp.TrainingMode practice) {
    return new NestedMlp.Config(Activation.GELU, expand, 0, SHARES, practice);
  }

  private static CausalLm smallest(CausalLm nested) {
    return (CausalLm) new Extract(0).apply(nested, null);
  }

  private static Outcome learn(ExperimentContext lab, Trial.Session session) {
    List<ChannelMixer.Config> perceptrons = new ArrayList<>();
    perceptrons.add(nested(4, NestedMlp.TrainingMode.ONE));
    perceptrons.add(nested(4, NestedMlp.TrainingMode.ALL));
    SHARES.forEach(share -> perceptrons.add(new Mlp.Config(Activation.GELU, 4 * share, 0)));
    TrainingConfig training = Small.training(steps(lab), lab.pick(2, 12, 32), session.seed());
    CausalLm.Config config =
        Small.language(lab.pick(2, 3, 6), lab.pick(16, 96, 384), lab.pick(32, 128, 256), 4);
    List<CausalLm> models = new ArrayList<>();
    try {
      for (ChannelMixer.Config perceptron : perceptrons) {
        int before = models.size();
        models.add(
            new LanguageTrial(config.withBlock(b -> b.ffn(perceptron)), training, 1)
                .trained(
                    lab.text(),
                    done -> session.progress().at((before + done) / perceptrons.size(), "")));
      }
      return examined(lab, models, session.seed());
    } finally {
      models.forEach(CausalLm::close);
    }
  }

  /**
   * Measures models.
   *
   * @param models the nested ones where one granularity was drawn and where all were learned, and
   *     one trained alone for each granularity
   */
  private static Outcome examined(ExperimentContext lab, List<CausalLm> models, long seed) {
    CausalLm all = models.get(1);
    Map<String, Size> sizes = new LinkedHashMap<>();
    for (double share : SHARES) {
      int granularity = sizes.size();
      CausalLm alone = models.get(2 + granularity);
      Granularities.of(models.get(0)).use(granularity);
      Granularities.of(all).use(granularity);
      double one = loss(lab, models.get(0));
      sizes.put(
          "h x " + Check.number(share),
          new Size(alone.parameterCount(), one, loss(lab, all), loss(lab, alone)));
    }
    List<Mixed> mixed = mixed(lab, all, List.copyOf(sizes.values()), seed);
    Map<String, Kept> kept = new LinkedHashMap<>();
    try (CausalLm own = smallest(all)) {
      kept.put(OWN, kept(lab, all, own));
      kept.put(ALONE, kept(lab, all, models.get(2)));
    }
    return new Outcome(sizes, mixed, kept);
  }

  private static double loss(ExperimentContext lab, CausalLm model) {
    try (Mode mode = Autograd.noGrad()) {
      return LanguageModelling.evaluate(
          model, lab.text(), lab.pick(2, 16, 32), lab.pick(2, 25, 200));
    }
  }

  private static List<Mixed> mixed(
      ExperimentContext lab, CausalLm model, List<Size> sizes, long seed) {
    List<Mixed> mixed = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(seed);
    Granularities granularities = Granularities.of(model);
    while (mixed.size() < lab.pick(2, 12, 40)) {
      List<Integer> each = granularities.draw(random);
      granularities.use(each);
      int lower = Collections.min(each);
      Size small = sizes.get(lower);
      Size large = sizes.get(lower + 1);
      double upper = Seeds.mean(each, g -> g - lower);
      mixed.add(
          new Mixed(
              Math.round(small.weights() + upper * (large.weights() - small.weights())),
              loss(lab, model),
              small.all() + upper * (large.all() - small.all())));
    }
    mixed.sort(Comparator.comparingLong(Mixed::weights));
    granularities.use(SHARES.size() - 1);
    return mixed;
  }

  private static Generator.Request request(int length, double temperature) {
    return new Generator.Request(length / 2, new Sampling(temperature, 0, 1, 0, 1, 1));
  }

  private static List<int[]> prompts(ExperimentContext lab, int length, int most) {
    return HeldOutText.batches(lab.text(), 1, length, most).stream()
        .map(part -> Arrays.stream(part.inputs().toLongs()).mapToInt(Math::toIntExact).toArray())
        .toList();
  }

  private static Kept kept(ExperimentContext lab, CausalLm nested, CausalLm draft) {
    return new Kept(kept(lab, nested, draft, 0), kept(lab, nested, draft, 1));
  }

  private static double kept(
      ExperimentContext lab, CausalLm nested, CausalLm draft, double temperature) {
    int length = nested.config().length();
    Generator generator = new Generator(nested, draft, AHEAD);
    generator.generate(prompts(lab, length / 4, lab.pick(1, 8, 32)), request(length, temperature));
    return percentKept(generator);
  }

  private static Speed speed(ExperimentContext lab, DoubleConsumer progress) {
    CausalLm.Config config =
        Small.language(lab.pick(1, 4, 12), lab.pick(16, 512, 1024), lab.pick(32, 256, 512), 8)
            .withBlock(b -> b.ffn(nested(8, NestedMlp.TrainingMode.ONE)));
    TrainingConfig training = Small.training(lab.pick(2, 200, 10_000), lab.pick(1, 2, 16), 1);
    try (CausalLm model = new LanguageTrial(config, training, 1).trained(lab.text(), progress);
        CausalLm draft = smallest(model)) {
      List<int[]> prompt = prompts(lab, config.length() / 8, 1);
      Generator.Request request = request(config.length(), 0);
      Arms<Generator> generators = Arms.ofControl(PLAIN, new Generator(model));
      for (int ahead = 1; ahead <= MOST_AHEAD; ahead++) {
        generators = generators.arm(ahead + " at a time", new Generator(model, draft, ahead));
      }
      TimedArms times =
          TimedArms.measure(generators.with(each -> () -> each.generate(prompt, request)), 1, 3);
      Map<String, List<Integer>> said =
          generators.map((name, each) -> each.generate(prompt, request).get(0).ids());
      return new Speed(
          model.parameterCount(),
          draft.parameterCount(),
          times,
          generators.map((name, each) -> name.equals(PLAIN) ? Double.NaN : percentKept(each)),
          said.get(PLAIN).size(),
          Set.copyOf(said.values()).size());
    }
  }

  private static double percentKept(Generator generator) {
    return 100 * generator.tally().share();
  }
}
