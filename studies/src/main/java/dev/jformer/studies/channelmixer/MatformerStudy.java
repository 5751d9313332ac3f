package dev.jformer.studies.channelmixer;

import com.google.auto.service.AutoService;
import dev.jformer.compress.experts.Extract;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.decode.Speculation;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Granularities;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.NestedMlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
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
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.train.LanguageModelling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;

/**
 * MatFormer (arXiv 2310.07707): granularities of one nested language model beside models of their
 * sizes trained alone, Mix'n'Match between them, and what its smallest part is worth as a draft for
 * the whole.
 */
@AutoService(Study.class)
public final class MatformerStudy implements Study {
  private static final List<Double> SHARES = List.of(0.125, 0.25, 0.5, 1.0);
  private static final int AHEAD = 3;

  /** How much worse an extracted model may be than one trained alone. */
  private static final double MATCHES = 1.01;

  /**
   * A model put together of granularities.
   *
   * @param weights how many
   * @param loss on held-out text, nats a byte
   * @param line what lies on the straight line between its neighbouring granularities
   */
  public record Mixed(long weights, double loss, double line) {}

  /**
   * What came of a seed. Lists have an entry for each granularity; losses are on held-out text, in
   * nats a byte.
   *
   * @param weights of each
   * @param one losses where one granularity was drawn for each update
   * @param all losses where each batch was learned with all
   * @param alone losses of models of these sizes, trained alone
   * @param mixed other combinations of granularities
   * @param kept shares of guesses that the nested model kept: greedily those of its smallest part,
   *     those of the model trained alone; then the same where tokens are drawn
   */
  public record Outcome(
      List<Long> weights,
      List<Double> one,
      List<Double> all,
      List<Double> alone,
      List<Mixed> mixed,
      List<Double> kept) {}

  /**
   * What guessing is worth in a model whose weights do not fit in caches.
   *
   * @param weights of the whole, and of the smallest granularity
   * @param plain tokens a second without guessing
   * @param guessing tokens a second with it, by how many tokens it guesses at a time
   * @param kept shares of guesses that were kept
   * @param same whether the same was said
   */
  public record Speed(
      List<Long> weights, double plain, List<Double> guessing, List<Double> kept, boolean same) {}

  @Override
  public String slug() {
    return "matformer";
  }

  @Override
  public void run(ExperimentContext lab) {
    List<Outcome> outcomes = new ArrayList<>();
    for (int seed = 1; seed <= lab.scale().pick(1, 2, 3); seed++) {
      int s = seed;
      outcomes.add(
          lab.measure(
              "nested and alone, seed " + seed,
              Outcome.class,
              progress -> learn(lab.scale(), lab.text(), s, progress)));
    }
    sizes(lab, outcomes);
    mixed(lab, outcomes);
    guesses(lab, outcomes);
    speed(lab);
    lab.note(
        "A model trained alone learns in every update; a granularity of the nested model is drawn in"
            + " one of four, though its units learn in all updates of larger ones too. Learning all"
            + " granularities in every update costs about twice the time of learning the largest.");
  }

  // ---- Sizes

  private static void sizes(ExperimentContext lab, List<Outcome> outcomes) {
    List<List<String>> rows = new ArrayList<>();
    double worstOne = 0;
    double worstAll = 0;
    int count = SHARES.size();
    List<Double> weights = new ArrayList<>();
    List<List<Double>> curves = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < count; i++) {
      int g = i;
      double one = Seeds.mean(outcomes, o -> o.one().get(g));
      double all = Seeds.mean(outcomes, o -> o.all().get(g));
      double alone = Seeds.mean(outcomes, o -> o.alone().get(g));
      worstOne = Math.max(worstOne, one / alone);
      worstAll = Math.max(worstAll, all / alone);
      weights.add(outcomes.get(0).weights().get(g) / 1e3);
      curves.get(0).add(one);
      curves.get(1).add(all);
      curves.get(2).add(alone);
      rows.add(
          Table.row(
              "h x " + Check.number(SHARES.get(i)),
              outcomes.get(0).weights().get(i),
              one,
              all,
              alone,
              Seeds.spread(outcomes, o -> o.alone().get(g))));
    }
    lab.claim(
        "Extracted models match models of their size trained alone, at equal updates",
        "MatLM's granularities match their baselines (section 4.1, figure 2)",
        Check.atMost("worst loss over that alone, all granularities learned", worstAll, MATCHES));
    lab.claim(
        "Extracted models match those trained alone also if each update draws one granularity",
        "training by drawing (section 3.2)",
        Check.atMost("worst loss over that alone, one drawn", worstOne, MATCHES));
    lab.table(
        new Table(
            "Held-out loss after " + steps(lab.scale()) + " updates (nats a byte)",
            List.of("hidden units", "weights", "one drawn", "all learned", "alone", "spread"),
            rows));
    lab.figure(
        new Figure(
            "Loss by size",
            "thousand weights",
            "nats a byte",
            false,
            false,
            List.of(
                Figure.Series.line("nested, one drawn", weights, curves.get(0)),
                Figure.Series.line("nested, all learned", weights, curves.get(1)),
                Figure.Series.line("alone", weights, curves.get(2)))));
  }

  // ---- Mix'n'Match

  private static void mixed(ExperimentContext lab, List<Outcome> outcomes) {
    List<Mixed> all = outcomes.stream().flatMap(o -> o.mixed().stream()).toList();
    double excess = Seeds.mean(all, m -> m.loss() / m.line() - 1);
    long below = all.stream().filter(m -> m.loss() <= m.line()).count();
    lab.claim(
        "Mix'n'Match lies on or below the line between granularities",
        "accuracies on the line or above (section 4.1, figure 3)",
        Check.atMost("mean distance above the line (%)", 100 * excess, 0.1),
        below + " of " + all.size() + " combinations lie on the line or below.");
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    outcomes
        .get(0)
        .mixed()
        .forEach(
            m -> {
              x.add(m.weights() / 1e3);
              y.add(m.loss());
            });
    lab.figure(
        new Figure(
            "Mix'n'Match, first seed, all learned",
            "thousand weights",
            "nats a byte",
            false,
            false,
            List.of(
                Figure.Series.line(
                    "granularities",
                    outcomes.get(0).weights().stream().map(w -> w / 1e3).toList(),
                    outcomes.get(0).all()),
                Figure.Series.line("mixed", x, y))));
  }

  // ---- Guesses

  private static void guesses(ExperimentContext lab, List<Outcome> outcomes) {
    List<Double> kept = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int n = i;
      kept.add(100 * Seeds.mean(outcomes, o -> o.kept().get(n)));
    }
    lab.claim(
        "The nested model keeps more guesses of its own part than of a model trained alone",
        "1.14 times plain decoding by its own part, 1.10 by an independent draft (table 1)",
        Check.all(
            Check.above("kept, greedily (%)", kept.get(0), kept.get(1)),
            Check.above("kept, drawing (%)", kept.get(2), kept.get(3))));
    lab.table(
        new Table(
            "Guesses kept by the whole nested model, " + AHEAD + " at a time (%)",
            List.of("draft", "greedily", "drawing"),
            List.of(
                Table.row("its own smallest granularity", kept.get(0), kept.get(2)),
                Table.row("a model of that size, trained alone", kept.get(1), kept.get(3)))));
  }

  private static void speed(ExperimentContext lab) {
    Speed speed =
        lab.measure(
            "speed of guessing", Speed.class, progress -> speed(lab.scale(), lab.text(), progress));
    double best = speed.guessing().stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    lab.claim(
        "Guessing with its own part makes greedy decoding faster, and says the same",
        "1.14 times plain decoding (table 1)",
        Check.all(
            Check.above("times the speed", best / speed.plain(), 1),
            Check.atLeast("same text (1 is yes)", speed.same() ? 1 : 0, 1)));
    List<List<String>> rows = new ArrayList<>();
    rows.add(Table.row("plain", speed.plain(), 1.0, ""));
    for (int i = 0; i < speed.guessing().size(); i++) {
      rows.add(
          Table.row(
              (i + 1) + " at a time",
              speed.guessing().get(i),
              speed.guessing().get(i) / speed.plain(),
              Check.number(100 * speed.kept().get(i))));
    }
    lab.table(
        new Table(
            "Greedy decoding of a nested model of "
                + Check.number(speed.weights().get(0) / 1e6)
                + " million weights by guesses of its part of "
                + Check.number(speed.weights().get(1) / 1e6),
            List.of("guesses", "tokens/s", "times plain", "kept (%)"),
            rows));
  }

  // ---- Learning

  private static int steps(Scale scale) {
    return scale.pick(3, 300, 20_000);
  }

  private static CausalLm.Config small(Scale scale, ChannelMixer.Config ffn) {
    return Small.language(
        scale.pick(2, 3, 6),
        scale.pick(16, 96, 384),
        scale.pick(32, 128, 256),
        new LearnedPosition.Config(),
        new SoftmaxAttention.Config(4, 0),
        ffn,
        new Linear.Config());
  }

  private static NestedMlp.Config nested(double expand, NestedMlp.TrainingMode practice) {
    return new NestedMlp.Config(Activation.GELU, expand, 0, SHARES, practice);
  }

  private static CausalLm trained(
      CausalLm.Config config,
      TokenFile text,
      int steps,
      int batch,
      long seed,
      DoubleConsumer progress) {
    Random.seed(seed);
    CausalLm model = config.build();
    TrainingCurve.of(
        model,
        new LanguageModelling(model, text, batch, seed, 1),
        Small.training(steps, batch, seed),
        progress);
    model.train(false);
    return model;
  }

  private static Outcome learn(Scale scale, TokenFile text, long seed, DoubleConsumer progress) {
    int batch = scale.pick(2, 12, 32);
    double parts = 2 + SHARES.size();
    List<CausalLm> alone = new ArrayList<>();
    try (CausalLm one =
            trained(
                small(scale, nested(4, NestedMlp.TrainingMode.ONE)),
                text,
                steps(scale),
                batch,
                seed,
                done -> progress.accept(done / parts));
        CausalLm all =
            trained(
                small(scale, nested(4, NestedMlp.TrainingMode.ALL)),
                text,
                steps(scale),
                batch,
                seed,
                done -> progress.accept((1 + done) / parts))) {
      List<Double> aloneLosses = new ArrayList<>();
      List<Long> weights = new ArrayList<>();
      for (double share : SHARES) {
        double done = 2.0 + alone.size();
        CausalLm model =
            trained(
                small(scale, new Mlp.Config(Activation.GELU, 4 * share, 0)),
                text,
                steps(scale),
                batch,
                seed,
                more -> progress.accept((done + more) / parts));
        alone.add(model);
        aloneLosses.add(loss(scale, model, text));
        weights.add(model.parameterCount());
      }
      List<Double> allLosses = losses(scale, all, text);
      return new Outcome(
          weights,
          losses(scale, one, text),
          allLosses,
          aloneLosses,
          mixed(scale, all, text, weights, allLosses, seed),
          kept(scale, all, alone.get(0), text));
    } finally {
      alone.forEach(CausalLm::close);
    }
  }

  private static double loss(Scale scale, CausalLm model, TokenFile text) {
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      return LanguageModelling.evaluate(model, text, scale.pick(2, 16, 32), scale.pick(2, 25, 200));
    }
  }

  private static List<Double> losses(Scale scale, CausalLm model, TokenFile text) {
    List<Double> losses = new ArrayList<>();
    for (int g = 0; g < SHARES.size(); g++) {
      Granularities.of(model).use(g);
      losses.add(loss(scale, model, text));
    }
    return losses;
  }

  private static List<Mixed> mixed(
      Scale scale,
      CausalLm model,
      TokenFile text,
      List<Long> weights,
      List<Double> losses,
      long seed) {
    List<Mixed> mixed = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(seed);
    Granularities granularities = Granularities.of(model);
    while (mixed.size() < scale.pick(2, 12, 40)) {
      // Neighbouring granularities, which is what the paper finds to work best.
      int lower = random.nextInt(SHARES.size() - 1);
      List<Integer> each = new ArrayList<>();
      for (int layer = 0; layer < granularities.layers(); layer++) {
        each.add(lower + random.nextInt(2));
      }
      if (each.stream().distinct().count() == 1) {
        continue;
      }
      granularities.use(each);
      double upper = Seeds.mean(each, g -> g - lower);
      long count =
          Math.round(weights.get(lower) + upper * (weights.get(lower + 1) - weights.get(lower)));
      double line = losses.get(lower) + upper * (losses.get(lower + 1) - losses.get(lower));
      mixed.add(new Mixed(count, loss(scale, model, text), line));
    }
    mixed.sort(java.util.Comparator.comparingLong(Mixed::weights));
    granularities.use(SHARES.size() - 1);
    return mixed;
  }

  // ---- Decoding

  private static List<int[]> prompts(Scale scale, TokenFile text, int length) {
    List<int[]> prompts = new ArrayList<>();
    HeldOut.read(
        text,
        1,
        length,
        scale.pick(1, 8, 32),
        part ->
            prompts.add(
                Arrays.stream(part.inputs().toLongs()).mapToInt(Math::toIntExact).toArray()));
    return prompts;
  }

  private static List<Double> kept(Scale scale, CausalLm nested, CausalLm alone, TokenFile text) {
    int length = nested.config().length();
    List<int[]> prompts = prompts(scale, text, length / 4);
    List<Double> kept = new ArrayList<>();
    try (CausalLm own = (CausalLm) new Extract(0).apply(nested, null)) {
      for (double temperature : new double[] {0, 1}) {
        for (CausalLm draft : List.of(own, alone)) {
          Generator generator = new Generator(nested, draft, AHEAD);
          Sampling sampling = new Sampling(temperature, 0, 1, 0, 1, 1);
          generator.generate(prompts, new Generator.Request(length / 2, sampling));
          kept.add(generator.tally().share());
        }
      }
    }
    return kept;
  }

  private static Speed speed(Scale scale, TokenFile text, DoubleConsumer progress) {
    CausalLm.Config config =
        Small.language(
            scale.pick(1, 4, 12),
            scale.pick(16, 512, 1024),
            scale.pick(32, 256, 512),
            new LearnedPosition.Config(),
            new SoftmaxAttention.Config(8, 0),
            nested(8, NestedMlp.TrainingMode.ONE),
            new Linear.Config());
    try (CausalLm model =
            trained(config, text, scale.pick(2, 200, 10_000), scale.pick(1, 2, 16), 1, progress);
        CausalLm draft = (CausalLm) new Extract(0).apply(model, null)) {
      List<int[]> prompt = prompts(Scale.SMOKE, text, config.length() / 8);
      Generator.Request request =
          new Generator.Request(config.length() / 2, new Sampling(0, 0, 1, 0, 1, 1));
      List<Integer> said = new Generator(model).generate(prompt, request).get(0).ids();
      boolean same = true;
      int most = 5;
      double[][] seconds = new double[most + 1][3];
      Double[] kept = new Double[most];
      for (int round = 0; round < 3; round++) {
        for (int ahead = 0; ahead <= most; ahead++) {
          Generator generator =
              ahead == 0 ? new Generator(model) : new Generator(model, draft, ahead);
          long start = System.nanoTime();
          List<Integer> ids = generator.generate(prompt, request).get(0).ids();
          seconds[ahead][round] = (System.nanoTime() - start) / 1e9;
          same &= ids.equals(said);
          if (ahead > 0) {
            Speculation.Tally tally = generator.tally();
            kept[ahead - 1] = tally.share();
          }
        }
      }
      List<Double> speeds =
          Arrays.stream(seconds)
              .map(
                  each -> {
                    Arrays.sort(each);
                    return said.size() / each[1];
                  })
              .toList();
      return new Speed(
          List.of(model.parameterCount(), draft.parameterCount()),
          speeds.get(0),
          speeds.subList(1, most + 1),
          List.of(kept),
          same);
    }
  }
}
