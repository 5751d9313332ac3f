package dev.jformer.studies.tokenization;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.eachSeed;

import dev.jformer.search.CrossEntropyMethod;
import dev.jformer.search.SearchResult;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.tensor.Tensor;
import dev.jformer.words.Sentences;
import dev.jformer.words.Vocabulary;
import dev.jformer.words.Word2Vec;
import dev.jformer.words.WordVectorSearch;
import dev.jformer.words.WordVectors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Hyperparameters of word2vec, found by the cross-entropy method, by as many random trials, and
 * those of the authors' code.
 */
public final class WordVectorTuning {
  private static final String METHOD = "cross-entropy method";
  private static final String RANDOM = "random search";
  private static final String DEFAULTS = "defaults";

  private WordVectorTuning() {}

  /**
   * What a search found.
   *
   * @param recognition on sentences that the search was tried on
   * @param test on others, of vectors learned with another seed
   * @param seconds of the search
   * @param course the best so far after each trial
   * @param values found, by name
   */
  public record Found(
      double recognition,
      double test,
      double seconds,
      List<Double> course,
      Map<String, Double> values) {
    List<Double> percentSoFar() {
      return course.stream().map(share -> 100 * share).toList();
    }
  }

  /** A way to choose hyperparameters. */
  private interface Way {
    SearchResult search(WordVectorSearch search, long seed);
  }

  /** Sentences to learn from, to be tried on, and to be tried on in the end. */
  private record Texts(
      Vocabulary vocabulary, List<int[]> training, List<int[]> tried, List<int[]> test) {
    static Texts of(ExperimentContext lab) {
      int words = lab.pick(3_000, 150_000, 1_000_000);
      List<List<String>> training = sentences(lab.text().train(), 12L * words, words);
      List<List<String>> heldOut = sentences(lab.text().validation(), 6L * words, words / 2);
      Vocabulary vocabulary = Vocabulary.of(training, lab.pick(2, 5, 5));
      List<int[]> ids = heldOut.stream().map(vocabulary::ids).toList();
      return new Texts(
          vocabulary,
          training.stream().map(vocabulary::ids).toList(),
          ids.subList(0, ids.size() / 2),
          ids.subList(ids.size() / 2, ids.size()));
    }

    private static List<List<String>> sentences(Tensor bytes, long most, int words) {
      Sentences all = new Sentences();
      all.piece(StudyText.of(bytes, most));
      List<List<String>> some = new ArrayList<>();
      int sum = 0;
      for (List<String> sentence : all.all()) {
        if (sum < words) {
          some.add(sentence);
          sum += sentence.size();
        }
      }
      return some;
    }
  }

  /** Measures and reports. */
  public static void run(ExperimentContext lab) {
    Texts texts = Texts.of(lab);
    Word2Vec settings =
        new Word2Vec().withDimension(lab.pick(4, 32, 100)).withEpochs(lab.pick(1, 1, 3));
    CrossEntropyMethod method =
        new CrossEntropyMethod().withTrials(lab.pick(4, 40, 100)).withRound(lab.pick(2, 8, 10));
    Measured<Found> runs =
        Arms.<Way>of(METHOD, (search, seed) -> search.run(method, settings, seed, done -> {}))
            .control(RANDOM, (search, seed) -> search.random(method, settings, seed, done -> {}))
            .control(DEFAULTS, (search, seed) -> null)
            .learn(lab, "word2vec", lab.pick(1, 5, 5), way -> trial(texts, settings, way));
    claims(lab, runs);
    lab.table(
        runs.table(
            "Hyperparameters of word2vec, found by %d trials".formatted(method.trials()),
            "found by",
            column("recognized (%)", run -> 100 * run.test()),
            column("recognized where it was sought (%)", run -> 100 * run.recognition()),
            eachSeed("learning rates", run -> value(run, "learningRate")),
            eachSeed("windows", run -> value(run, "window")),
            eachSeed("negatives", run -> value(run, "negatives")),
            eachSeed("subsampling", run -> value(run, "subsampling")),
            eachSeed("exponents", run -> value(run, "exponent")),
            column("seconds of search", Found::seconds)));
    List<Integer> trials = IntStream.rangeClosed(1, method.trials()).boxed().toList();
    lab.figure(
        Figure.of(
            "Best hyperparameters so far, mean over the seeds",
            "trials",
            "% recognized",
            runs.without(DEFAULTS).means(trials, Found::percentSoFar)));
    lab.note(
        "Words: vectors of %d numbers learn from %,d words of %,d kinds in %d epoch(s). Recognized"
            + " is the share of pairs of neighbours, up to %d words apart on held-out text, in"
            + " which the neighbour has a higher product than a word drawn from the text: 50 %% by"
            + " guessing. The paper gives no figures.",
        settings.dimension(),
        texts.training().stream().mapToInt(ids -> ids.length).sum(),
        texts.vocabulary().size(),
        settings.epochs(),
        WordVectorSearch.WINDOW);
  }

  private static double value(Found found, String name) {
    return found.values().getOrDefault(name, Double.NaN);
  }

  private static Trial<Found> trial(Texts texts, Word2Vec settings, Way way) {
    return Trial.of(
        Found.class,
        session -> {
          WordVectorSearch search =
              new WordVectorSearch(texts.vocabulary(), texts.training(), texts.tried());
          long start = System.nanoTime();
          SearchResult found = way.search(search, session.seed());
          double seconds = (System.nanoTime() - start) / 1e9;
          Word2Vec best =
              found == null ? settings : WordVectorSearch.with(settings, found.best().values());
          WordVectors vectors =
              best.train(texts.vocabulary(), texts.training(), 1000 + session.seed(), done -> {});
          return new Found(
              vectors.recognition(texts.tried(), WordVectorSearch.WINDOW, session.seed()),
              vectors.recognition(texts.test(), WordVectorSearch.WINDOW, session.seed()),
              seconds,
              found == null ? List.of() : found.course(),
              found == null ? Map.of() : found.best().values());
        });
  }

  private static void claims(ExperimentContext lab, Measured<Found> runs) {
    lab.claim(
        "Hyperparameters of word2vec that the cross-entropy method finds recognize more words than"
            + " those of as many random trials",
        "the cross-entropy method optimizes hyperparameters (abstract)",
        RANDOM,
        runs.above("share of words recognized", METHOD, RANDOM, Found::test));
    lab.claim(
        "Hyperparameters of word2vec that the cross-entropy method finds recognize more words than"
            + " those of the authors' code",
        "",
        DEFAULTS,
        runs.above("share of words recognized", METHOD, DEFAULTS, Found::test));
    Check found =
        Check.all(
            runs.above("beside random trials", METHOD, RANDOM, Found::recognition),
            runs.above("beside the defaults", METHOD, DEFAULTS, Found::recognition));
    lab.claim(
        "The same holds on the sentences that the search was tried on, with another seed",
        "",
        RANDOM,
        found);
  }
}
