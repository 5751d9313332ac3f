package dev.jformer.app.command;

import dev.jformer.data.text.Corpus;
import dev.jformer.search.CrossEntropyMethod;
import dev.jformer.search.SearchResult;
import dev.jformer.words.Sentences;
import dev.jformer.words.Vocabulary;
import dev.jformer.words.Word2Vec;
import dev.jformer.words.WordVectorSearch;
import dev.jformer.words.WordVectors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.DoubleConsumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code jformer word-vectors}. */
@Command(
    name = "word-vectors",
    header = "Learn a vector for each word of a text (word2vec)",
    description =
        """
        Learns vectors by skip-grams with negative sampling: words that stand among the same words
        get similar vectors. A line is a sentence. With --tune, the learning rate, the window, the
        number of negative words, the subsampling and the exponent are found by the cross-entropy
        method first, on the last tenth of the sentences.
        """,
    footer =
        """
        Examples:
          jformer word-vectors --data book.txt --out words.txt --nearest king
          jformer word-vectors --data book.txt --out words.txt --tune 40
        """)
final class WordVectorsCommand implements Callable<Integer> {
  private static final int NEIGHBOURS = 8;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "PATH",
      description = "The text: a file, folder, zip or jar.")
  private Path data;

  @Option(
      names = "--ending",
      paramLabel = ".EXT",
      description = "Only files whose names end with this; may be repeated.")
  private List<String> endings = List.of();

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "The file to write to: a word and its numbers in each line, as gensim reads.")
  private Path out;

  @Option(
      names = "--dimension",
      defaultValue = "100",
      paramLabel = "N",
      description = "Numbers of a vector (default ${DEFAULT-VALUE}).")
  private int dimension;

  @Option(
      names = "--window",
      defaultValue = "5",
      paramLabel = "N",
      description = "The most words to either side that count (default ${DEFAULT-VALUE}).")
  private int window;

  @Option(
      names = "--epochs",
      defaultValue = "5",
      paramLabel = "N",
      description = "Passes over the text (default ${DEFAULT-VALUE}).")
  private int epochs;

  @Option(
      names = "--least",
      defaultValue = "5",
      paramLabel = "N",
      description = "Words that occur less often are left out (default ${DEFAULT-VALUE}).")
  private int least;

  @Option(
      names = "--seed",
      defaultValue = "1",
      paramLabel = "N",
      description = "Of the random numbers (default ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--tune",
      paramLabel = "N",
      description = "Find hyperparameters with so many trials first.")
  private Integer trials;

  @Option(
      names = "--nearest",
      paramLabel = "WORD",
      description = "Print the words most similar to this one; may be repeated.")
  private List<String> words = List.of();

  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws IOException {
    if (out == null && words.isEmpty()) {
      throw new CommandException("nothing is asked for: give --out FILE or --nearest WORD");
    }
    OutputFile.check(out, List.of(data));
    Console console = progress.console();
    Word2Vec settings =
        new Word2Vec().withDimension(dimension).withWindow(window).withEpochs(epochs);
    List<List<String>> sentences = Sentences.of(Corpus.open(data, endings)).all();
    Vocabulary vocabulary = Vocabulary.of(sentences, least);
    for (String word : words) {
      vocabulary.known(word.toLowerCase(Locale.ROOT));
    }
    List<int[]> ids = sentences.stream().map(vocabulary::ids).toList();
    if (trials != null) {
      settings = tuned(vocabulary, ids, settings, console);
    }
    WordVectors vectors;
    try (Console.Bar bar = console.begin("learning", 100, "%")) {
      vectors = settings.train(vocabulary, ids, seed, percent(bar));
    }
    if (out != null) {
      vectors.save(out);
      console.say("%,d words in %s", vocabulary.size(), out);
    }
    StringBuilder nearest = new StringBuilder();
    for (String word : words) {
      nearest.append(
          String.format(
              Locale.ROOT,
              "%s: %s%n",
              word,
              vectors.nearest(word.toLowerCase(Locale.ROOT), NEIGHBOURS).stream()
                  .map(n -> String.format(Locale.ROOT, "%s %.2f", n.word(), n.similarity()))
                  .collect(Collectors.joining(", "))));
    }
    System.out.print(nearest);
    return 0;
  }

  private static DoubleConsumer percent(Console.Bar bar) {
    return done -> bar.at(Math.round(100 * done));
  }

  private Word2Vec tuned(
      Vocabulary vocabulary, List<int[]> ids, Word2Vec settings, Console console) {
    int cut = ids.size() - Math.max(1, ids.size() / 10);
    WordVectorSearch search =
        new WordVectorSearch(vocabulary, ids.subList(0, cut), ids.subList(cut, ids.size()));
    SearchResult found;
    try (Console.Bar bar = console.begin("searching", 100, "%")) {
      CrossEntropyMethod method = new CrossEntropyMethod().withTrials(trials);
      found = search.run(method, settings, seed, percent(bar));
    }
    Map<String, Double> best = found.best().values();
    console.say(
        "best of %d: recognizes %.1f %% of words around others (%.1f %% with the defaults) with %s",
        trials,
        100 * found.best().score(),
        100 * search.score(settings, seed),
        best.entrySet().stream()
            .map(e -> String.format(Locale.ROOT, "%s %.4g", e.getKey(), e.getValue()))
            .collect(Collectors.joining(", ")));
    return WordVectorSearch.with(settings, best);
  }
}
