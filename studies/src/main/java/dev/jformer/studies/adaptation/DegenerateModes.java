package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.ModeSearch;
import dev.jformer.decode.NextToken;
import dev.jformer.decode.OutcomeClassifier;
import dev.jformer.decode.OutputSampler;
import dev.jformer.ffn.Mlp;
import dev.jformer.metrics.Bleu;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Multi30k;
import dev.jformer.studies.trial.TranslationTrial;
import dev.jformer.tensor.Random;
import dev.jformer.train.Objective;
import dev.jformer.train.Optimizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Modes that degenerate, and how to avoid them: exact modes of a distribution that holds a little
 * noise, and of translators that learned from clean pairs and from pairs of which some have an
 * empty translation; modes of the length of the reference; and beams that look for translations
 * which do not end early.
 */
final class DegenerateModes {
  private static final String EXACT = "exact mode";
  private static final String LENGTH = "exact mode of the reference's length";
  private static final String WIDE = "beam of 20";
  private static final String GUIDED = "beam of 20, not to end early";
  private static final String GREEDY = "beam of 1";

  /** Share of the training pairs whose translation is taken away. */
  private static final double NOISE = 0.02;

  private DegenerateModes() {}

  /**
   * What a way to search finds.
   *
   * @param bleu of the translations
   * @param empty share of empty translations
   * @param early share of translations with less than half of the reference's tokens
   * @param logProbability mean log probability of the translations under the model, in nats
   * @param exact share of searches that are known to have found the most probable text
   */
  public record Found(
      double bleu, double empty, double early, double logProbability, double exact) {}

  /** What all ways find with one model. */
  public record Outcome(Map<String, Found> ways) {}

  /** The mode of a distribution with some noise. */
  public record Mixture(double noise, int tokens, double logProbability, int conditional) {}

  static void run(ExperimentContext lab) {
    mixtures(lab);
    int pairs = lab.pick(48, 2000, Integer.MAX_VALUE);
    Multi30k clean = Multi30k.of(lab.scale(), lab.pick(300, 1024, 8192), pairs);
    Measured<Found> withClean = learn(lab, clean, "clean");
    Measured<Found> withNoisy = learn(lab, noisy(clean), "noisy");
    report(lab, withClean, withNoisy);
    lab.table(table("clean pairs", withClean));
    lab.table(table("pairs of which 2 % have an empty translation", withNoisy));
    lab.note(
        "Translators: %s. The %,d searched here are the first of them; an exact search reads at"
            + " most %,d prefixes and is not counted as exact beyond.",
        clean.description(), texts(lab), limit(lab));
  }

  private static int texts(ExperimentContext lab) {
    return lab.pick(2, 24, 200);
  }

  private static int limit(ExperimentContext lab) {
    return lab.pick(20, 1000, 100_000);
  }

  // ---- A distribution without any error

  /** Texts of six tokens of four kinds, all as probable, but for some that are empty. */
  private record Noisy(double noise) implements NextToken {
    private static final int LENGTH = 6;
    private static final int KINDS = 4;

    @Override
    public int end() {
      return 0;
    }

    @Override
    public double[] logProbabilities(int[] prefix) {
      double[] logs = new double[1 + KINDS];
      double open = prefix.length == 0 ? 1 - noise : prefix.length < LENGTH ? 1 : 0;
      Arrays.fill(logs, Math.log(open / KINDS));
      logs[0] = Math.log(1 - open);
      return logs;
    }

    @Override
    public void close() {}
  }

  private static void mixtures(ExperimentContext lab) {
    List<Mixture> all = new ArrayList<>();
    ModeSearch search = new ModeSearch(Noisy.LENGTH, Long.MAX_VALUE);
    for (double noise : new double[] {0, 1e-4, 1e-3, 1e-2}) {
      NextToken text = new Noisy(noise);
      ModeSearch.Found mode = search.mode(text, List.of());
      int conditional = search.modeOfLength(text, Noisy.LENGTH, List.of()).ids().size();
      all.add(new Mixture(noise, mode.ids().size(), mode.logProbability(), conditional));
    }
    Measured<Mixture> mixtures = Measured.named(all, m -> "" + m.noise());
    lab.claim(
        "A thousandth of empty texts makes the mode of a distribution empty, without any error of a"
            + " model",
        "a tiny amount of low-entropy noise (abstract of 2311.08817)",
        "0.0",
        Check.all(
            Check.atMost("tokens of the mode with noise", mixtures.first("0.001").tokens(), 0),
            Check.atLeast("without noise", mixtures.first("0.0").tokens(), Noisy.LENGTH)));
    lab.table(
        mixtures.table(
            "Modes of texts of six tokens, 12 bits each, with a share of empty texts",
            "share of empty texts",
            fixed("tokens of the mode", Mixture::tokens),
            fixed("its log probability", Mixture::logProbability),
            fixed("tokens of the mode of length six", Mixture::conditional)));
  }

  // ---- Translators

  private static Measured<Found> learn(ExperimentContext lab, Multi30k texts, String name) {
    TranslationTrial training =
        new TranslationTrial(
            texts, lab.scale(), new Mlp.Config(), new Objective.Plain(), lab.pick(2, 800, 40_000));
    Trial<Outcome> trial =
        training.examined(Outcome.class, (model, result) -> new Outcome(search(lab, texts, model)));
    return Measured.within(lab.learn(name + " pairs", trial, lab.pick(1, 3, 3)), Outcome::ways);
  }

  private static Multi30k noisy(Multi30k clean) {
    List<String> targets = new ArrayList<>(clean.training().target());
    SplittableRandom random = new SplittableRandom(7);
    int count = (int) Math.ceil(NOISE * targets.size());
    for (int i = 0; i < count; i++) {
      targets.set(random.nextInt(targets.size()), "");
    }
    ParallelTexts training = new ParallelTexts(clean.training().source(), List.copyOf(targets));
    return new Multi30k(clean.tokenizer(), training, clean.validation(), clean.test());
  }

  private static Map<String, Found> search(
      ExperimentContext lab, Multi30k texts, EncoderDecoder model) {
    int count = texts(lab);
    List<TokenPair> pairs = texts.tokens(texts.test().slice(0, count), model);
    List<int[]> sources = pairs.stream().map(TokenPair::source).toList();
    Map<String, Found> ways = new LinkedHashMap<>();
    List<List<Integer>> greedy = beam(model, sources, 1, null);
    List<List<Integer>> wide = beam(model, sources, 20, null);
    OutcomeClassifier classifier = classifier(lab, texts, model);
    Judge judge = new Judge(texts, model, pairs);
    ways.put(GREEDY, judge.found(greedy, 0));
    ways.put("beam of 5", judge.found(beam(model, sources, 5, null), 0));
    ways.put(WIDE, judge.found(wide, 0));
    ways.put(GUIDED, judge.found(beam(model, sources, 20, classifier), 0));
    classifier.close();
    List<List<Integer>> modes = new ArrayList<>();
    List<List<Integer>> ofLength = new ArrayList<>();
    int exact = 0;
    int exactOfLength = 0;
    for (int i = 0; i < count; i++) {
      int reference = length(pairs.get(i), model);
      int longest = Math.min(model.config().length() - 1, 2 * pairs.get(i).source().length);
      try (NextToken next = NextToken.of(model, sources.get(i), longest)) {
        ModeSearch search = new ModeSearch(Math.max(reference, longest), limit(lab));
        List<List<Integer>> known = List.of(greedy.get(i), wide.get(i));
        ModeSearch.Found mode = search.mode(next, known);
        ModeSearch.Found conditional = search.modeOfLength(next, reference, known);
        modes.add(mode.ids() == null ? List.of() : mode.ids());
        ofLength.add(conditional.ids() == null ? List.of() : conditional.ids());
        exact += mode.exact() ? 1 : 0;
        exactOfLength += conditional.exact() ? 1 : 0;
      }
    }
    ways.put(EXACT, judge.found(modes, (double) exact / count));
    ways.put(LENGTH, judge.found(ofLength, (double) exactOfLength / count));
    return ways;
  }

  /** The number of tokens of a translation without its end. */
  private static int length(TokenPair pair, EncoderDecoder model) {
    int[] target = pair.target();
    boolean ended = target.length > 0 && target[target.length - 1] == model.end();
    return target.length - (ended ? 1 : 0);
  }

  private static List<List<Integer>> beam(
      EncoderDecoder model, List<int[]> sources, int width, BeamSearch.Guide guide) {
    BeamSearch.Settings settings = new BeamSearch.Settings(width, 0, 2, 0, true);
    return new BeamSearch(model, settings, guide)
        .search(sources).stream().map(BeamSearch.Hypothesis::ids).toList();
  }

  /** Learns from the model's own translations of training texts whether one will end early. */
  private static OutcomeClassifier classifier(
      ExperimentContext lab, Multi30k texts, EncoderDecoder model) {
    int together = lab.pick(4, 64, 64);
    int rounds = lab.pick(2, 60, 400);
    List<TokenPair> pairs = texts.tokens(texts.training(), model);
    OutputSampler sampler = new OutputSampler(model, model.config().length() - 1);
    OutcomeClassifier classifier = new OutcomeClassifier(model);
    SplittableRandom random = new SplittableRandom(3);
    Random.seed(3);
    try (Optimizer optimizer = classifier.optimizer()) {
      for (int i = 0; i < rounds; i++) {
        List<int[]> sources = new ArrayList<>();
        for (int j = 0; j < together; j++) {
          sources.add(pairs.get(random.nextInt(pairs.size())).source());
        }
        List<int[]> drawn = sampler.sample(sources, 4);
        List<int[]> repeated = new ArrayList<>();
        boolean[] labels = new boolean[drawn.size()];
        for (int j = 0; j < labels.length; j++) {
          repeated.add(sources.get(j / 4));
          labels[j] = 2 * drawn.get(j).length >= sources.get(j / 4).length;
        }
        classifier.step(optimizer, 3e-3, repeated, drawn, labels);
      }
    }
    return classifier;
  }

  /** Judges translations of the first test texts. */
  private record Judge(Multi30k texts, EncoderDecoder model, List<TokenPair> pairs) {
    Found found(List<List<Integer>> translations, double exact) {
      List<String> said = new ArrayList<>();
      int empty = 0;
      int early = 0;
      double log = 0;
      for (int i = 0; i < translations.size(); i++) {
        int[] ids = translations.get(i).stream().mapToInt(id -> id).toArray();
        said.add(texts.tokenizer().decode(ids).strip());
        empty += ids.length == 0 ? 1 : 0;
        early += 2 * ids.length < length(pairs.get(i), model) ? 1 : 0;
        log += logProbability(pairs.get(i).source(), ids);
      }
      double n = translations.size();
      double bleu = Bleu.of(said, texts.test().slice(0, said.size()).target()).score();
      return new Found(bleu, empty / n, early / n, log / n, exact);
    }

    private double logProbability(int[] source, int[] ids) {
      double sum = 0;
      try (NextToken next = NextToken.of(model, source, ids.length + 1)) {
        for (int t = 0; t <= ids.length; t++) {
          double[] logs = next.logProbabilities(Arrays.copyOf(ids, t));
          sum += logs[t < ids.length ? ids[t] : next.end()];
        }
      }
      return sum;
    }
  }

  private static void report(ExperimentContext lab, Measured<Found> clean, Measured<Found> noisy) {
    lab.claim(
        "Translators that learned from pairs of which 2 % have an empty translation have empty"
            + " modes more often than those that learned from clean pairs",
        "mixing even a tiny amount of noise makes modes degenerate (abstract of 2311.08817)",
        "clean pairs",
        Check.above(
            "share of empty modes", noisy.of(EXACT, Found::empty), clean.of(EXACT, Found::empty)));
    lab.claim(
        "Modes of the reference's length are better translations than modes of any length",
        "length-conditional modes are more fluent and topical (abstract of 2311.08817)",
        EXACT,
        Check.all(
            noisy.above("BLEU, noisy pairs", LENGTH, EXACT, Found::bleu),
            clean.above("clean pairs", LENGTH, EXACT, Found::bleu)));
    lab.claim(
        "Wide beams that look for translations which do not end early end early less often",
        "finds sequences that are both likely and of high quality (abstract of 2311.08817)",
        WIDE,
        Check.all(
            noisy.below("share that ends early, noisy pairs", GUIDED, WIDE, Found::early),
            noisy.atLeast("BLEU", GUIDED, WIDE, Found::bleu)));
    lab.claim(
        "On clean pairs looking for them costs nothing",
        "",
        WIDE,
        clean.atLeast("BLEU", GUIDED, WIDE, Found::bleu));
  }

  private static Table table(String pairs, Measured<Found> ways) {
    return ways.table(
        "Translations by translators that learned from " + pairs,
        "search",
        column("BLEU", Found::bleu),
        column("empty (%)", found -> 100 * found.empty()),
        column("ends early (%)", found -> 100 * found.early()),
        column("log probability", "nats", Found::logProbability),
        column("known to be exact (%)", found -> 100 * found.exact()));
  }
}
