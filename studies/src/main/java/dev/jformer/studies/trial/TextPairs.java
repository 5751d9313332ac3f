package dev.jformer.studies.trial;

import dev.jformer.data.text.ScoredPairs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.model.Encoder;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.Scale;
import dev.jformer.tensor.Random;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Semantic textual similarity (STS): Spearman's correlation, times 100, between the similarity of
 * embeddings and human scores of text pairs, averaged over several files. At smoke scale the
 * encoder is small and untrained, and the pairs are synthetic.
 */
public final class TextPairs implements AutoCloseable {
  private static final List<String> FILES =
      List.of(
          "sts/sts12-MSRpar-train.tsv",
          "sts/sts14-OnWN.tsv",
          "sts/sts14-headlines.tsv",
          "sts/sts14-images.tsv");

  private static final int MOST = 120;

  /** A note for reports of studies that use the pairs of {@link #TextPairs(Scale)}. */
  public static final String NOTE =
      "The sentence encoder is all-MiniLM-L6-v2, judged by the mean Spearman correlation of "
          + MOST
          + " pairs of each of four STS files.";

  private final Encoder model;
  private final Tokenizer tokenizer;
  private final List<ScoredPairs> pairs;

  /** Reads all-MiniLM-L6-v2 and 120 pairs of texts of each file. */
  public TextPairs(Scale scale) {
    this(scale, MOST);
  }

  /**
   * Reads all-MiniLM-L6-v2 and pairs of texts.
   *
   * @param most maximum number of pairs of a file
   */
  public TextPairs(Scale scale, int most) {
    if (scale == Scale.SMOKE) {
      Random.seed(1);
      this.model = Small.encoder(1, 32, 48);
      this.tokenizer = new ByteTokenizer();
      this.pairs =
          List.of(
              new ScoredPairs(
                  List.of(5.0, 1.0, 3.0),
                  List.of("a cat sat", "a dog ran", "it rains"),
                  List.of("a cat sits", "stones", "it is raining hard")));
      return;
    }
    try {
      Path folder = MiniLm.folder();
      this.model = (Encoder) Models.load(folder);
      this.tokenizer = Tokenizers.load(folder);
      this.pairs =
          FILES.stream().map(f -> first(ScoredPairs.read(DataSets.require(f)), most)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read all-MiniLM-L6-v2", e);
    }
  }

  private static ScoredPairs first(ScoredPairs all, int most) {
    int count = Math.min(most, all.scores().size());
    return new ScoredPairs(
        all.scores().subList(0, count),
        all.first().subList(0, count),
        all.second().subList(0, count));
  }

  /** Returns the encoder. */
  public Encoder model() {
    return model;
  }

  /** Number of pairs. */
  public int count() {
    return pairs.stream().mapToInt(p -> p.scores().size()).sum();
  }

  /**
   * Returns the embeddings of the first texts, [texts, D], by this encoder or one with its
   * vocabulary.
   */
  public float[][] embed(Encoder encoder, int texts) {
    List<String> all = pairs.stream().flatMap(each -> each.first().stream()).toList();
    return new SentenceEncoder(encoder, tokenizer)
        .embed(all.subList(0, Math.min(texts, all.size())));
  }

  /** Returns the score of this encoder or one with its vocabulary. */
  public double score(Encoder encoder) {
    SentenceEncoder sentences = new SentenceEncoder(encoder, tokenizer);
    return 100 * pairs.stream().mapToDouble(sentences::agreement).average().orElse(Double.NaN);
  }

  @Override
  public void close() {
    model.close();
  }
}
